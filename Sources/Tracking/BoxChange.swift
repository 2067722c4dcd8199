// SPDX-License-Identifier: Apache-2.0

public import Video

/// How much the last step changed the boxes of a frame: what a scheduler may compare.
///
/// Each figure is 0 where nothing changed and grows with the change.
public struct BoxChange: Sendable, Hashable {
  /// The photometric error inside the boxes: grey levels, from 0 to 255, by which objects changed
  /// along their motion.
  ///
  /// Nil where no pictures were given.
  public var brightness: Double?
  /// How far points lie from their box's motion, in shares of the box's size: things that turn,
  /// bend or are half hidden.
  public var spread: Double
  /// The share of the boxes that are about to leave the picture: less than half of what is in it
  /// now will be, if they go on so.
  public var leaving: Double
  /// The share of the flow inside the boxes that did not speak for them.
  public var unsupported: Double
}

extension BoxTracks {
  /// How much the last step changed the boxes that are shown; nil where there are none.
  ///
  /// `frames` is how far ahead to look for boxes that leave a picture of `size`.
  public func change(in size: PixelSize, lookingAhead frames: Int = 5) -> BoxChange? {
    let shown = tracks.filter { $0.missed == 0 && $0.motion.box.area > 0 }.map(\.motion)
    guard !shown.isEmpty else { return nil }
    let count = Double(shown.count)
    let changes = shown.compactMap(\.brightness)
    let leaving = shown.count { motion in
      var next = motion.uncutBox
      next.x += Double(frames) * motion.velocity.x
      next.y += Double(frames) * motion.velocity.y
      return next.cut(to: size).area < 0.5 * motion.box.area
    }
    return BoxChange(
      brightness: changes.isEmpty ? nil : changes.reduce(0, +) / Double(changes.count),
      spread: shown.reduce(0) { $0 + $1.spread / max(1, $1.box.area.squareRoot()) } / count,
      leaving: Double(leaving) / count,
      unsupported: shown.reduce(0) { $0 + 1 - $1.support } / count)
  }
}
