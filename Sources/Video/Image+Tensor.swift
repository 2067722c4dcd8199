// SPDX-License-Identifier: Apache-2.0

public import Tensors

extension Image {
  /// The picture as 1 × 3 × height × width: blue, green and red from 0 to 255, unless scaled
  /// otherwise.
  ///
  /// - Throws: `TensorError` where there are not three channels.
  public func tensor(scaling: PixelScaling = PixelScaling()) throws(TensorError) -> Tensor {
    try withUnsafeBytes { (bytes) throws(TensorError) in
      try Tensor.pixels(bytes, height: height, width: width, scaling: scaling)
    }
  }
}
