// SPDX-License-Identifier: Apache-2.0
import Tensors
import TestSupport
import Testing

/// 2048 channels at 64 × 128 with 81 taps: unfolded, the features alone would be 5.4 GB.
@Test(.enabled(if: memoryIsKnown, "memory cannot be read here"))
func aVariantConvolutionTakesNoMoreMemoryThanHalfAsMuchAgainAsItsResult() throws {
  let shape: Shape = [1, 2048, 64, 128]
  let features = try Tensor.full(shape, of: 0.5).channelsLast()
  let kernels = try Tensor.full([1, 81, 64, 128], of: 0.02)
  let bytes = 2048 * 64 * 128 * 4
  let risen = try memoryRise(below: bytes * 3 / 2) {
    let result = try features.convolved(withKernels: kernels, border: .validWeights)
    #expect(result.shape == shape)
  }
  if let risen { #expect(risen < bytes * 3 / 2, "\(risen) bytes for a result of \(bytes)") }
}
