// SPDX-License-Identifier: Apache-2.0
import ConformanceKit
import Tensors
import Testing

/// Rows are shared out among threads, and chunks of cells begin where a thread's rows do: what
/// comes of a cell must not depend on where its chunk begins.
@Test(arguments: Border.allCases, [false, true])
func theNumberOfThreadsChangesNoBitOfAWarp(border: Border, channelsLast: Bool) throws {
  var one = WarpCase(channels: 12, height: 149, width: 331, reach: 1, seed: 9)
  for cell in 0..<one.height * one.width {
    let (x, y) = (Float(cell % one.width), Float(cell / one.width))
    one.motion[2 * cell] = 2.3 + 0.031 * x - 0.02 * y
    one.motion[2 * cell + 1] = -1.6 + 0.017 * x + 0.045 * y
  }
  func warped(on threads: Int) throws -> [Float] {
    try TorchRuntime.withThreads(threads) { try one.warped(border, channelsLast: channelsLast) }
  }
  let alone = try warped(on: 1)
  for threads in [2, 3, 5, 8] {
    #expect(try warped(on: threads).bits == alone.bits, "\(threads)")
  }
}
