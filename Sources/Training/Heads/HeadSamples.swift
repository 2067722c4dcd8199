// SPDX-License-Identifier: Apache-2.0

public import Video

/// Pictures with what they are annotated with, made when they are first asked for and then kept.
public struct HeadSamples<Target: Sendable>: Sendable {
  /// How many there are.
  public let count: Int
  private let kept: Memo<Sample>

  /// A picture and its target.
  public struct Sample: Sendable {
    /// Blue, green and red.
    public let image: Image
    /// What the picture is annotated with.
    public let target: Target

    /// A picture and its target, of one size.
    public init(image: Image, target: Target) { (self.image, self.target) = (image, target) }
  }

  /// As many samples as `count`, each made by `make` from its number.
  ///
  /// `make` gives the same sample for a number on whichever thread it is called.
  public init(count: Int, make: @escaping @Sendable (Int) throws -> Sample) {
    (self.count, kept) = (count, Memo(make))
  }

  /// Sample `index`, from 0 up to `count`.
  public func sample(_ index: Int) throws -> Sample { try kept[index] }
}
