// SPDX-License-Identifier: Apache-2.0

/// What was probably meant, and what there is: the end of a sentence about an unknown name.
package func suggestion(for name: String, among known: [String]) -> String {
  let few = known.prefix(12).joined(separator: ", ") + (known.count > 12 ? ", …" : "")
  guard let near = nearest(to: name, among: known) else {
    return known.count == 1 ? "there is only \(few)" : "there are \(few)"
  }
  return "did you mean '\(near)'? There are \(few)"
}

/// The known name that differs least, where it is at most two letters, or a third of them, away.
package func nearest(to name: String, among known: [String]) -> String? {
  guard name.count <= 64 else { return nil }
  let best = known.map { ($0, $0.distance(to: name)) }.min { $0.1 < $1.1 }
  guard let (near, distance) = best, distance <= max(2, name.count / 3), distance < name.count
  else { return nil }
  return near
}

extension String {
  /// How many letters have to be changed, added or left out to get `other` (Levenshtein).
  func distance(to other: String) -> Int {
    let (from, to) = (Array(self), Array(other))
    var row = Array(0...to.count)
    for (i, letter) in from.enumerated() {
      var corner = row[0]
      row[0] = i + 1
      for (j, wanted) in to.enumerated() {
        let replaced = corner + (letter == wanted ? 0 : 1)
        corner = row[j + 1]
        row[j + 1] = Swift.min(replaced, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[to.count]
  }
}
