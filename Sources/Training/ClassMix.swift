// SPDX-License-Identifier: Apache-2.0

public import Video

/// Pastes half of the classes of one labelled picture onto another, so that things are seen among
/// others than they usually are (ClassMix; Olsson et al., WACV 2021, section 3.1).
public struct ClassMix: Sendable {
  /// The label that is never pasted.
  public let void: UInt8

  /// A mixer of labels in which `void` claims no class.
  public init(void: UInt8) { self.void = void }

  /// What is pasted where `source` has one of the classes drawn, and `target` elsewhere.
  ///
  /// Half of the classes seen in `source` are drawn, rounded up; void is never pasted. Where
  /// nothing but void is seen, `target` comes back as it is.
  ///
  /// - Precondition: all four are of one size.
  public func callAsFunction(
    _ source: (image: Image, labels: Image), onto target: (image: Image, labels: Image),
    from random: inout RandomStream
  ) -> (image: Image, labels: Image) {
    precondition(source.labels.size == target.labels.size, "no mixing of two sizes")
    let isPasted = draw(from: source.labels, &random)
    let labels = source.labels.bytes
    func mixed(_ one: Image, _ other: Image) -> Image {
      Image(width: one.width, height: one.height, channels: one.channels) { out in
        one.withUnsafeBytes { one in
          other.withUnsafeBytes { other in
            let channels = out.count / labels.count
            for (pixel, id) in labels.enumerated() {
              let from = isPasted[Int(id)] ? one : other
              for at in channels * pixel..<channels * (pixel + 1) { out[at] = from[at] }
            }
          }
        }
      }
    }
    return (mixed(source.image, target.image), mixed(source.labels, target.labels))
  }

  /// Whether each of the 256 ids is pasted.
  private func draw(from labels: Image, _ random: inout RandomStream) -> [Bool] {
    var isSeen = [Bool](repeating: false, count: 256)
    labels.withUnsafeBytes { bytes in for id in bytes { isSeen[Int(id)] = true } }
    isSeen[Int(void)] = false
    let seen = isSeen.indices.filter { isSeen[$0] }
    var isPasted = [Bool](repeating: false, count: 256)
    for place in random.permutation(of: seen.count).prefix((seen.count + 1) / 2) {
      isPasted[seen[place]] = true
    }
    return isPasted
  }
}
