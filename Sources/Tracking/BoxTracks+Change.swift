// SPDX-License-Identifier: Apache-2.0

public import Frames
public import Video

extension BoxTracks {
  /// How much the boxes that are shown have changed since the key frame; nil where there are none.
  ///
  /// `frames` is how far ahead to look for boxes that leave a picture of `size`.
  public func change(in size: PixelSize, lookingAhead frames: Int = 5) -> ObjectChange? {
    let shown = tracks.filter { $0.missed == 0 && $0.motion.box.area > 0 }.map(\.motion)
    guard !shown.isEmpty else { return nil }
    func mean(_ value: (BoxMotion) -> Double) -> Double {
      shown.reduce(0) { $0 + value($1) } / Double(shown.count)
    }
    let changes = shown.compactMap(\.sinceKeyframe.brightness)
    return ObjectChange(
      brightness: changes.isEmpty ? nil : changes.reduce(0, +) / Double(changes.count),
      spread: mean { $0.sinceKeyframe.spread },
      leaving: mean { $0.isLeaving(size, within: frames) ? 1 : 0 },
      unsupported: mean { $0.sinceKeyframe.unsupported })
  }
}

extension BoxMotion {
  /// What its steps since the key frame come to.
  struct Steps: Sendable {
    var brightness: Double?
    var spread = 0.0, unsupported = 0.0

    mutating func add(_ brightness: Double?, _ spread: Double, _ unsupported: Double) {
      if let brightness { self.brightness = (self.brightness ?? 0) + brightness }
      self.spread += spread
      self.unsupported += unsupported
    }
  }

  /// Whether less than half of what is in the picture now will be, that many frames on.
  fileprivate func isLeaving(_ size: PixelSize, within frames: Int) -> Bool {
    var next = uncutBox
    next.x += Double(frames) * velocity.x
    next.y += Double(frames) * velocity.y
    return age > 0 && next.cut(to: size).area < 0.5 * box.area
  }
}
