// SPDX-License-Identifier: Apache-2.0

package import Backbone
package import Scheduler
package import Tensors
package import Video

extension LearnedChangeScore {
  /// What it sees of frames of this size between which nothing changed.
  package func emptyChange(behind backbone: some Backbone, size: PixelSize) throws -> Tensor {
    switch sight {
    case .motion:
      let (height, width) = (size.height + Self.cell - 1, size.width + Self.cell - 1)
      return try .zeros([1, Self.motionChannels, height / Self.cell, width / Self.cell])
    case .features(let stage):
      let pixels = Image(width: size.width, height: size.height, channels: 3, repeating: 0)
      let input = try backbone.input(for: Frame(index: 0, time: 0, pixels: pixels))
      let count = try backbone.index(ofStage: stage) + 1
      return try backbone.run(0..<count, on: Features(input)).main
    }
  }
}
