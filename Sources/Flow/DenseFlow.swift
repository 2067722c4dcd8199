// SPDX-License-Identifier: Apache-2.0
public import Video

// Copies share one pool of OpenCV estimators, which lends each of them to one call at a time.
/// Dense inverse search on grey images (Kroeger et al., ECCV 2016), as OpenCV does it.
///
/// Frames with a side under 24 pixels are extended to 24 by repeating their last column and row.
public struct OpenCVDISFlow: FlowEstimator {
  /// OpenCV's presets, from quick to accurate.
  ///
  /// `ultrafast` and `fast` work on a quarter of the frame's width, `medium` on a half; `ultrafast`
  /// does without the variational refinement.
  public enum Preset: String, CaseIterable, Sendable {
    /// Quick, less quick, and the most accurate.
    case ultrafast, fast, medium
  }

  /// How fine the search is.
  public let preset: Preset
  private let method: OpenCVDIS

  /// An estimator with OpenCV's settings for the preset, but for those that are given.
  ///
  /// - Parameters:
  ///   - preset: how fine the search is.
  ///   - refinements: iterations of the variational refinement at each scale, a third of what
  ///     `medium` costs; nil takes the preset's number, 5 or, for `ultrafast`, 0. Without it
  ///     `medium` is 15 % further off on Middlebury's pairs and carries CamVid's labels no worse.
  ///   - ignoresBrightness: whether patches are compared without their mean brightness. Not to do
  ///     so helps where the light stays and fails where it changes.
  public init(preset: Preset = .medium, refinements: Int? = nil, ignoresBrightness: Bool = true) {
    precondition((0...1000).contains(refinements ?? 0), "\(refinements ?? 0) refinements")
    self.preset = preset
    let scale: OpenCVDIS.Preset =
      switch preset {
      case .ultrafast: .ultrafast
      case .fast: .fast
      case .medium: .medium
      }
    method = OpenCVDIS(scale, refinements: refinements, normalizesMean: ignoresBrightness)
  }

  /// The motion as OpenCV's search finds it; it throws where the frames differ in size.
  public func motion(from current: Frame, to reference: Frame) throws -> MotionField {
    try MotionField(from: current, to: reference, by: method)
  }
}

extension FlowEstimator where Self == OpenCVDISFlow {
  /// Dense inverse search by OpenCV.
  public static func openCVDIS(_ preset: OpenCVDISFlow.Preset = .medium, refinements: Int? = nil)
    -> OpenCVDISFlow
  {
    OpenCVDISFlow(preset: preset, refinements: refinements)
  }
}

/// Flow by polynomial expansion of grey images (Farnebäck, SCIA 2003), as OpenCV does it.
public struct Farneback: FlowEstimator {
  private let method: OpenCVFarneback

  /// An estimator with the usual settings, but for those that are given.
  ///
  /// - Parameters:
  ///   - levels: pyramid levels, the frame itself included.
  ///   - pyramidScale: size of a level in that of the one below it.
  ///   - window: side of the averaging window in pixels.
  ///   - iterations: at each level.
  ///   - neighbours: side of the neighbourhood the polynomial is fitted to, in pixels.
  ///   - sigma: Gaussian weighting of that neighbourhood.
  ///   - gaussianWindow: whether the averaging window is Gaussian rather than a box.
  public init(
    levels: Int = 5, pyramidScale: Double = 0.5, window: Int = 13, iterations: Int = 10,
    neighbours: Int = 5, sigma: Double = 1.1, gaussianWindow: Bool = false
  ) {
    precondition((1...64).contains(levels), "\(levels) pyramid levels")
    precondition(pyramidScale > 0 && pyramidScale < 1, "a pyramid scale of \(pyramidScale)")
    precondition((1...255).contains(window), "a window of \(window) pixels")
    precondition((1...1000).contains(iterations), "\(iterations) iterations")
    precondition((3...31).contains(neighbours), "a neighbourhood of \(neighbours) pixels")
    precondition(sigma > 0, "a sigma of \(sigma)")
    method = OpenCVFarneback(
      pyramidScale: pyramidScale, levels: levels, window: window, iterations: iterations,
      neighbours: neighbours, sigma: sigma, gaussianWindow: gaussianWindow)
  }

  /// The motion as OpenCV's expansion finds it; it throws where the frames differ in size.
  public func motion(from current: Frame, to reference: Frame) throws -> MotionField {
    try MotionField(from: current, to: reference, by: method)
  }
}

extension FlowEstimator where Self == Farneback {
  /// Polynomial expansion, with its usual settings.
  public static var farneback: Farneback { Farneback() }
}

extension MotionField {
  /// What `method` finds between the two frames' grey images, written where it stays.
  fileprivate init(
    from current: Frame, to reference: Frame, by method: some OpenCVFlow
  ) throws {
    try requireEqualSizes(current, reference)
    let (width, height) = (current.pixels.width, current.pixels.height)
    let (first, second) = (try current.pixels.grey(), try reference.pixels.grey())
    let count = 2 * width * height
    let displacements = try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      guard let start = buffer.baseAddress else { return }
      try method.write(from: first, to: second, into: start)
      initialized = count
    }
    self.init(width: width, height: height, displacements: displacements)
  }
}
