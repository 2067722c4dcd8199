// SPDX-License-Identifier: Apache-2.0

public import Backbone
internal import Evaluation
public import Layers
internal import Tensors
public import Video

/// Detection learned from true boxes as FCOS does (Tian et al., ICCV 2019, equation 2).
///
/// A focal loss of the classes, the generalised intersection over union of boxes, weighted by
/// their centre-ness, and a cross-entropy of the centre-ness. The first and the last are divided
/// by the number of cells that find an object, that of the boxes by their sum of centre-ness.
public struct DetectionObjective: HeadObjective {
  /// What is trained.
  public let head: DetectionHead
  /// How its cells learn.
  public var settings: Settings

  /// How cells learn.
  public struct Settings: Sendable, Hashable {
    /// The loss of the classes.
    public var focal: FocalLoss
    /// How far from the middle of its box a cell may be to learn it, in strides.
    public var radius: Double
    /// What the losses of boxes and of centre-ness count beside that of classes.
    public var boxes: Double, centreness: Double

    /// FCOS's settings unless told otherwise.
    public init(
      focal: FocalLoss = FocalLoss(), radius: Double = 1.5, boxes: Double = 1,
      centreness: Double = 1
    ) {
      (self.focal, self.radius) = (focal, radius)
      (self.boxes, self.centreness) = (boxes, centreness)
    }
  }

  /// What `head` learns, and how.
  public init(_ head: DetectionHead, settings: Settings = Settings()) {
    (self.head, self.settings) = (head, settings)
  }

  /// The stages whose maps the head reads.
  public var inputs: [String] { head.inputs }

  /// The head's parameters.
  public var parameters: Parameters { head.parameters }

  /// The boxes in the view; see `Augmentation.View.boxes(_:leastVisible:)`.
  public func target(
    _ target: [GroundTruthBox], seenIn view: Augmentation.View
  ) -> [GroundTruthBox] {
    view.boxes(target)
  }

  /// What is found in one picture.
  public func predict(_ features: FeatureMaps, size: PixelSize) throws -> [Detection] {
    try head(features, size: size)
  }

  /// `DetectionAccuracy` over all pictures: `val/mAP50`, among others, and `val/ap50/car`.
  public func scores(
    of predictions: [[Detection]], against targets: [[GroundTruthBox]]
  ) -> [String: Double] {
    let classes = head.settings.classes
    var accuracy = DetectionAccuracy(classes: classes.count)
    for (detections, truth) in zip(predictions, targets) {
      accuracy.add(detections: detections, truth: truth)
    }
    let means = accuracy.values.map { ("val/\($0.key)", $0.value) }
    var scores = Dictionary(uniqueKeysWithValues: means)
    for (name, found) in zip(classes.names, accuracy.perClass) {
      if let found { scores["val/ap50/\(name)"] = found.ap50 }
    }
    return scores
  }

  /// The loss of what the head says of the maps; its parts are `classes`, `boxes` and `centreness`.
  public func loss(
    of features: FeatureMaps, from targets: [[GroundTruthBox]], size: PixelSize,
    in pass: ForwardContext
  ) throws -> Loss {
    try loss(of: head.maps(of: features, in: pass), from: targets)
  }

  /// The loss of what the convolutions say of N pictures.
  public func loss(
    of maps: DetectionHead.Maps, from targets: [[GroundTruthBox]]
  ) throws -> Loss {
    let (rows, columns) = (maps.classes.shape[2], maps.classes.shape[3])
    let assigned = targets.map {
      FCOSTargets(
        $0, rows: rows, columns: columns, stride: head.stride, radius: settings.radius)
    }
    let count = assigned.reduce(0) { $0 + $1.cells.count }
    let classes = try classLoss(maps.classes, assigned) / Float(max(1, count))
    var loss = Loss(classes, parts: ["classes": try classes.detached()])
    guard count > 0 else { return loss }
    let found = try Found(assigned, in: maps, stride: head.stride)
    let overlap = try generalisedIoULoss(found.distances, found.trueDistances)
    try loss.add(
      (overlap * found.trueCentreness).sum() / found.trueCentreness.sum(), named: "boxes",
      counting: settings.boxes)
    let centring = try found.centreness.binaryCrossEntropies(found.trueCentreness).mean()
    try loss.add(centring, named: "centreness", counting: settings.centreness)
    return loss
  }

  /// The sum over all cells that count.
  private func classLoss(_ logits: Tensor, _ assigned: [FCOSTargets]) throws -> Tensor {
    let cells = logits.shape[2] * logits.shape[3], classes = logits.shape[1]
    var truth = [Float](repeating: 0, count: logits.count)
    var weights = [Float](repeating: 1, count: logits.shape[0] * cells)
    for (picture, targets) in assigned.enumerated() {
      for (cell, category) in zip(targets.cells, targets.categories) {
        truth[(picture * classes + category) * cells + cell] = 1
      }
      for cell in targets.ignored { weights[picture * cells + cell] = 0 }
    }
    let shape = logits.shape, device = logits.device
    return try settings.focal(
      logits, Tensor(truth, shape: shape).to(device),
      weights: Tensor(weights, shape: [shape[0], 1, shape[2], shape[3]]).to(device))
  }
}

/// What is said of the cells that find an object, and what is true, picture after picture.
private struct Found {
  /// M × 4, in strides.
  let distances: Tensor, trueDistances: Tensor
  /// M: the logits, and the truth from 0 to 1.
  let centreness: Tensor, trueCentreness: Tensor

  /// - Precondition: there is such a cell.
  init(_ assigned: [FCOSTargets], in maps: DetectionHead.Maps, stride: Int) throws {
    let cells = maps.classes.shape[2] * maps.classes.shape[3], device = maps.classes.device
    let places = assigned.enumerated().flatMap { picture, targets in
      targets.cells.map { Int64(picture * cells + $0) }
    }
    let indices = try Tensor(places, shape: [places.count]).to(device)
    func rows(_ map: Tensor) throws -> Tensor {
      try map.permuted(0, 2, 3, 1).reshaped(to: [map.shape[0] * cells, map.shape[1]])
        .select(axis: 0, indices: indices)
    }
    distances = try rows(maps.distances).exp()
    centreness = try rows(maps.centreness).squeezed(axis: 1)
    let sides = assigned.flatMap(\.distances).flatMap { [$0.x, $0.y, $0.z, $0.w] }
    trueDistances = try (Tensor(sides, shape: [places.count, 4]) / Float(stride)).to(device)
    trueCentreness = try Tensor(assigned.flatMap(\.centreness), shape: [places.count]).to(device)
  }
}
