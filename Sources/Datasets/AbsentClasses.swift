// SPDX-License-Identifier: Apache-2.0

internal import Video

extension LabelledClip {
  /// The classes of which no pixel is in the labels of the first `limit` frames that have some,
  /// taken evenly from the clip; and how many maps were looked at.
  ///
  /// Masks of 0 and 255 that were meant as two classes are found so: 255 is void.
  package func absentClasses(
    in limit: Int, isStopped: () -> Bool = { false }
  ) throws -> (names: [String], maps: Int) {
    var (present, maps) = ([Bool](repeating: false, count: 256), 0)
    let step = max(1, count / max(1, limit))
    for index in stride(from: 0, to: count, by: step) where !isStopped() {
      guard let labels = try labels(at: index) else { continue }
      maps += 1
      labels.withUnsafeBytes { bytes in for label in bytes { present[Int(label)] = true } }
      if present.prefix(classes.count).allSatisfy(\.self) { break }
    }
    return (zip(classes.names, present).filter { !$1 }.map(\.0), maps)
  }
}
