// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import Testing

/// What Linux says of this process's memory, in bytes; nil elsewhere.
private func resident(_ field: String) -> Int? {
  guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else {
    return nil
  }
  let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
  return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
}

/// How far memory rises above where it was while `body` runs; nil where that cannot be seen.
private func rise(during body: () throws -> Void) throws -> Int? {
  guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs"),
    (try? file.write(contentsOf: Data("5".utf8))) != nil, let before = resident("VmRSS")
  else { return nil }
  try body()
  return resident("VmHWM").map { $0 - before }
}

/// 2048 channels at 64 × 128 with 81 taps: unfolded, the features alone would be 5.4 GB.
@Test(.enabled(if: resident("VmHWM") != nil, "memory cannot be read here"))
func aVariantConvolutionTakesNoMoreMemoryThanHalfAsMuchAgainAsItsResult() throws {
  let shape: Shape = [1, 2048, 64, 128]
  let features = try Tensor.full(shape, of: 0.5).channelsLast()
  let kernels = try Tensor.full([1, 81, 64, 128], of: 0.02)
  let bytes = 2048 * 64 * 128 * 4
  let risen = try rise {
    let result = try features.convolved(withKernels: kernels, border: .validWeights)
    #expect(result.shape == shape)
  }
  if let risen { #expect(risen < bytes * 3 / 2, "\(risen) bytes for a result of \(bytes)") }
}
