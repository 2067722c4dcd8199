// SPDX-License-Identifier: Apache-2.0
internal import Dispatch

/// Cuts the rows of a stage into bands, one for each thread.
struct RowBands: Sendable {
  let threads: Int

  /// Cuts 0..<`rows` into bands.
  ///
  /// Calls `body` with bands of 0..<`rows`, at the same time where the work is worth it, and
  /// returns when all are done. `cost` is about how many nanoseconds a row takes.
  func forEach(
    _ rows: Int32, cost: Int, _ body: (_ band: Int, _ begin: Int32, _ end: Int32) -> Void
  ) {
    let bands = count(rows, cost: cost)
    guard bands > 1 else { return body(0, 0, rows) }
    // Safe to share: bands are disjoint, and all are done when `concurrentPerform` returns.
    nonisolated(unsafe) let body = body
    DispatchQueue.concurrentPerform(iterations: bands) { band in
      body(band, begin(of: band, of: bands, rows), begin(of: band + 1, of: bands, rows))
    }
  }

  /// The most rows that a band of `rows` gets.
  func largest(_ rows: Int32, cost: Int) -> Int32 {
    let bands = Int32(count(rows, cost: cost))
    return (rows + bands - 1) / bands
  }

  private func count(_ rows: Int32, cost: Int) -> Int {
    let worthwhile = Int(rows) * cost / RowBands.leastWork
    return max(1, min(threads, Int(rows), worthwhile))
  }

  /// Nanoseconds of work that are worth a band: to wake a thread takes about 10 µs.
  private static let leastWork = 20_000

  private func begin(of band: Int, of bands: Int, _ rows: Int32) -> Int32 {
    Int32(Int(rows) * band / bands)
  }
}
