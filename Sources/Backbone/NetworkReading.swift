// SPDX-License-Identifier: Apache-2.0

internal import Layers
public import Specification
internal import Tensors
public import Video

/// How a network of somebody's own is fed, and how what it gives is read: what the YAML beside an
/// ONNX file or a TorchScript archive says.
public protocol NetworkReading: Sendable {
  /// What the network predicts.
  var task: NetworkTask { get }
  /// How pixels become its input; no size where it takes any.
  var input: InputContract { get }
  /// How a picture of another size is brought to the input's.
  var fit: PictureFit { get }
  /// The classes that it tells apart; none for depth.
  var classes: ClassList { get }
  /// The outputs that are read, in order.
  var outputs: [String] { get }
}

/// What a network predicts.
public enum NetworkTask: Hashable, Sendable {
  /// One class a pixel.
  case segmentation(NetworkDescription.Scores)
  /// How far away what is seen at each pixel is.
  case depth(DepthReading)
  /// Boxes, as a decoder of that specification reads them.
  case detection(decoder: PartSpec)

  /// Whether it finds boxes.
  var isDetection: Bool { if case .detection = self { true } else { false } }
}

/// How a picture becomes a network's input of another size.
public enum PictureFit: String, Hashable, Sendable, CaseIterable {
  /// Width and height are scaled, each by its own factor.
  case stretch
  /// Both by the same factor, with grey of 114 on both sides, as Ultralytics does.
  case letterbox
  /// Both by the same factor, with grey to the right or below, as YOLOX does.
  case corner
}

extension NetworkReading {
  /// The head that reads a segmentation network's scores.
  public var head: ScoreHead { ScoreHead(classes: classes) }

  /// The head that reads a depth network's map; nil for a network of another task.
  public var depthHead: DepthReadingHead? {
    if case .depth(let reading) = task { DepthReadingHead(reading) } else { nil }
  }

  /// The head that reads a detector's outputs with `decoder`; nil for a network of another task.
  public func detectionHead(_ decoder: any DetectionDecoder) -> DecodedDetectionHead? {
    guard task.isDetection else { return nil }
    return DecodedDetectionHead(
      decoder, outputs: outputs, classes: classes, inputSize: input.size, fit: fit)
  }

  /// The size that is stated; nil for any, and of detectors, which bring pictures to their size
  /// themselves, so that boxes are in pixels of the frame.
  var frameSize: PixelSize? { task.isDetection ? nil : input.size }

  /// The frame as the network takes it, 1 × 3 × H × W; it throws where the size is another.
  func tensor(of frame: Frame) throws -> Tensor {
    guard let size = input.size, frameSize == nil, frame.pixels.channels == 3 else {
      return try input.tensor(of: frame.pixels)
    }
    let placed = FittedPicture(frame.pixels.size, into: size, fit)
    return try input.tensor(of: placed.picture(frame.pixels))
  }

  /// - Throws: `SpecificationError` where a way of fitting is named that does nothing.
  func checkFit() throws(SpecificationError) {
    guard fit == .stretch || input.size != nil else {
      throw SpecificationError(
        .badDescription, "input.fit: \(fit.rawValue) needs input.size, since the file takes any")
    }
    if fit != .stretch, !task.isDetection {
      throw SpecificationError(
        .badDescription, "input.fit: \(fit.rawValue) is for detection; maps are of whole pictures")
    }
  }
}
