// SPDX-License-Identifier: Apache-2.0

/// Pairs rows with columns so that the sum of the gains is the largest there is.
///
/// The Hungarian method with potentials (Kuhn 1955; Jonker and Volgenant 1987). A row or a column
/// may stay alone; a pair is made only where its gain is above zero.
///
/// `gains` goes row by row; what is not finite, or not above zero, is no pair.
///
/// - Precondition: `gains` holds rows × columns values.
/// - Returns: For each row its column; nil where it stays alone.
/// - Complexity: n³ for n rows and columns.
package func bestAssignment(gains: [Double], rows: Int, columns: Int) -> [Int?] {
  precondition(gains.count == rows * columns, "\(gains.count) gains for \(rows)×\(columns)")
  let size = max(rows, columns)
  guard rows > 0, columns > 0 else { return Array(repeating: nil, count: rows) }
  func gain(_ row: Int, _ column: Int) -> Double {
    guard row < rows, column < columns else { return 0 }
    let gain = gains[row * columns + column]
    return gain.isFinite ? max(0, gain) : 0
  }
  // Position 0 stands for none; `owner[c]` is the row of column c.
  var rowPrice = [Double](repeating: 0, count: size + 1)
  var columnPrice = [Double](repeating: 0, count: size + 1)
  var owner = [Int](repeating: 0, count: size + 1)
  for row in 1...size {
    var cheapest = [Double](repeating: .infinity, count: size + 1)
    var isDone = [Bool](repeating: false, count: size + 1)
    var from = [Int](repeating: 0, count: size + 1)
    owner[0] = row
    var column = 0
    repeat {
      isDone[column] = true
      let at = owner[column]
      var (step, next) = (Double.infinity, 0)
      for other in 1...size where !isDone[other] {
        let cost = -gain(at - 1, other - 1) - rowPrice[at] - columnPrice[other]
        if cost < cheapest[other] { (cheapest[other], from[other]) = (cost, column) }
        if cheapest[other] < step { (step, next) = (cheapest[other], other) }
      }
      for other in 0...size {
        if isDone[other] {
          rowPrice[owner[other]] += step
          columnPrice[other] -= step
        } else {
          cheapest[other] -= step
        }
      }
      column = next
    } while owner[column] != 0
    while column != 0 {
      owner[column] = owner[from[column]]
      column = from[column]
    }
  }
  var result = [Int?](repeating: nil, count: rows)
  for column in 1...size where owner[column] > 0 && gain(owner[column] - 1, column - 1) > 0 {
    result[owner[column] - 1] = column - 1
  }
  return result
}
