// SPDX-License-Identifier: Apache-2.0

public import Backbone
public import Layers
public import Video

/// What a head is to learn: a head, its loss, and how good its predictions are.
///
/// *Decides* what the head brings down behind a frozen backbone. *May assume* that the maps are
/// those of pictures of `size`, one for each target, in order. *Must keep* these laws: the loss
/// follows from the maps, the targets, the parameters and the pass; a target seen in a view
/// belongs to the picture seen in that view. A new kind of head needs a type of this protocol;
/// `HeadTask` trains it.
public protocol HeadObjective: Sendable {
  /// What a picture is annotated with: a depth map, boxes.
  associatedtype Target: Sendable
  /// What the head says of a picture.
  associatedtype Prediction: Sendable

  /// The backbone's stages whose maps the head reads; none for the last one.
  var inputs: [String] { get }

  /// The head's parameters.
  var parameters: Parameters { get }

  /// The target of what a view shows of a picture.
  func target(_ target: Target, seenIn view: Augmentation.View) -> Target

  /// How far the head is from `targets`, one for each picture of the maps.
  func loss(
    of features: FeatureMaps, from targets: [Target], size: PixelSize, in pass: ForwardContext
  ) throws -> Loss

  /// What the head says of one picture as it stands.
  func predict(_ features: FeatureMaps, size: PixelSize) throws -> Prediction

  /// How good predictions are, by name: `val/abs_rel`.
  func scores(of predictions: [Prediction], against targets: [Target]) -> [String: Double]
}
