// SPDX-License-Identifier: Apache-2.0

public import Video

/// Turns feature maps of a frame into a prediction: labels, depth, boxes.
///
/// *Decides* what is said of a frame. *May assume* that the maps are those of the stages it names,
/// as the backbone gives them or as they were propagated. *Must keep* these laws: the same maps
/// give the same prediction; a dense prediction has the size that is asked for. A head has no
/// state. *Prove it* with ConformanceKit's `brokenLaws(of:)`.
public protocol Head<Prediction>: Sendable {
  /// What is said of a frame: a label map, a depth map, boxes.
  associatedtype Prediction: Sendable

  /// The backbone's stages whose maps it reads; none for the last one.
  var inputs: [String] { get }

  /// What the maps say of a frame of `size`.
  func callAsFunction(_ features: FeatureMaps, size: PixelSize) throws -> Prediction

  /// The head itself where it gives scores for every pixel, for which a pipeline has shorter ways;
  /// nil unless said otherwise.
  var dense: (any DenseHead<Prediction>)? { get }
}

extension Head {
  /// Nil: not dense unless a head says otherwise.
  public var dense: (any DenseHead<Prediction>)? { nil }
}
