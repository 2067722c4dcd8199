// SPDX-License-Identifier: Apache-2.0

internal import Datasets
public import Synthesis
internal import Video

extension HeadSamples {
  /// The frames of a pool of streets, with what `target` takes of their ground truth.
  public init(_ pool: StreetPool, target: @escaping @Sendable (StreetTruth) -> Target) {
    self.init(count: pool.count) { index in
      let (image, truth) = pool.viewWithTruth(at: index)
      return Sample(image: image, target: target(truth))
    }
  }

  /// The first `count` frames of a street, with what `target` takes of their ground truth.
  public init(
    _ street: MovingStreet, count: Int, target: @escaping @Sendable (StreetTruth) -> Target
  ) {
    self.init(count: count) { index in
      let (image, truth) = street.viewWithTruth(at: index)
      return Sample(image: image, target: target(truth))
    }
  }
}
