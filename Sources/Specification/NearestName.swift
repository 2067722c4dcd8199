// SPDX-License-Identifier: Apache-2.0

/// What to try in the place of an unknown name: the nearest one, or a few of those there are.
package func suggestion(for name: String, among known: [String]) -> String {
  if let near = nearest(to: name, among: known) { return "did you mean '\(near)'?" }
  let few = known.prefix(12).joined(separator: ", ") + (known.count > 12 ? ", …" : "")
  return known.count == 1 ? "there is only \(few)" : "there are \(few)"
}

/// The known name that differs least, where that is a slip of the fingers: one letter, or a third
/// of them.
package func nearest(to name: String, among known: [String]) -> String? {
  guard name.count <= 64 else { return nil }
  let best = known.map { ($0, $0.distance(to: name)) }.min { $0.1 < $1.1 }
  guard let (near, distance) = best, distance <= max(1, name.count / 3), distance < name.count
  else { return nil }
  return near
}

extension String {
  /// How many letters have to be changed, added, left out or swapped with the next one to get
  /// `other` (optimal string alignment).
  func distance(to other: String) -> Int {
    let (from, to) = (Array(self), Array(other))
    var (before, row) = ([Int](), Array(0...to.count))
    for (i, letter) in from.enumerated() {
      var next = [i + 1]
      for (j, wanted) in to.enumerated() {
        var least = Swift.min(row[j] + (letter == wanted ? 0 : 1), row[j + 1] + 1, next[j] + 1)
        if i > 0, j > 0, letter == to[j - 1], from[i - 1] == wanted {
          least = Swift.min(least, before[j - 1] + 1)
        }
        next.append(least)
      }
      (before, row) = (row, next)
    }
    return row[to.count]
  }
}
