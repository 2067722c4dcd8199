// SPDX-License-Identifier: Apache-2.0

public import Tensors
public import Video

/// A head that gives one score a class and pixel, and predicts the class with the highest.
///
/// It reads one map. *Must keep* these laws: scores have the size that is asked for; labels are
/// those of the best scores; where it says that it is the identity, scores are the map as it is.
/// *Prove it* with ConformanceKit's `brokenLaws(of:)`.
public protocol DenseHead<Prediction>: Head {
  /// Scores at the working size: 1 × classes × height × width.
  func scores(_ features: FeatureMaps, size: PixelSize) throws -> Tensor

  /// The class with the highest score at the working size: 1 × height × width bytes.
  ///
  /// Scores and then the best of them, unless a head has a shorter way.
  func labels(of features: FeatureMaps, size: PixelSize) throws -> Tensor

  /// The class with the highest score at the working size, and that score: 1 × height × width each.
  ///
  /// As `labels`, unless a head has a shorter way.
  func best(
    of features: FeatureMaps, size: PixelSize
  ) throws -> (labels: Tensor, scores: Tensor)

  /// Whether a map of this shape already is the scores, so that a pipeline may leave the head out.
  ///
  /// False unless a head says otherwise.
  func isIdentity(on shape: Shape, size: PixelSize) -> Bool

  /// The prediction that labels, 1 × height × width bytes, stand for.
  func prediction(of labels: Tensor) throws -> Prediction
}

extension DenseHead {
  /// None: it reads the last stage's map unless a head says otherwise.
  public var inputs: [String] { [] }

  /// The head itself.
  public var dense: (any DenseHead<Prediction>)? { self }

  /// What the labels at the working size stand for.
  public func callAsFunction(_ features: FeatureMaps, size: PixelSize) throws -> Prediction {
    try prediction(of: labels(of: features, size: size))
  }

  /// The best of the scores at the working size, 1 × height × width bytes.
  public func labels(of features: FeatureMaps, size: PixelSize) throws -> Tensor {
    try scores(features, size: size).argmaxLabels()
  }

  /// The best of the scores and their values, 1 × height × width each.
  public func best(
    of features: FeatureMaps, size: PixelSize
  ) throws -> (labels: Tensor, scores: Tensor) {
    let scores = try scores(features, size: size)
    return (try scores.argmaxLabels(), try scores.max(axes: [1]))
  }

  /// False unless a head says otherwise.
  public func isIdentity(on _: Shape, size _: PixelSize) -> Bool { false }
}

/// A head whose prediction is a label map: one class id a pixel.
public protocol SegmentationHead: DenseHead where Prediction == Image {
  /// Which classes the channels stand for.
  var classes: ClassList { get }
}

extension SegmentationHead {
  /// The label map: one class id a pixel.
  public func prediction(of labels: Tensor) throws -> Image {
    Image(
      width: labels.shape[2], height: labels.shape[1], channels: 1, bytes: try labels.bytes())
  }
}
