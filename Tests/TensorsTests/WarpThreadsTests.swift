// SPDX-License-Identifier: Apache-2.0
import ConformanceKit
import Tensors
import TestSupport
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
  steadyThreads.lock()
  defer { steadyThreads.unlock() }
  let before = try TorchRuntime.threads()
  defer { try? TorchRuntime.setThreads(before) }
  try TorchRuntime.setThreads(1)
  let alone = try one.warped(border, channelsLast: channelsLast)
  for threads in [2, 3, 5, 8] {
    try TorchRuntime.setThreads(threads)
    #expect(try one.warped(border, channelsLast: channelsLast).bits == alone.bits, "\(threads)")
  }
}
