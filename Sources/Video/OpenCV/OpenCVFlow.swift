// SPDX-License-Identifier: Apache-2.0
internal import COpenCV
internal import Synchronization

/// Dense flow between two grey images, written height × width × (dx, dy) into the caller's memory:
/// what is at p in `first` is at p + (dx, dy) in `second`.
package protocol OpenCVFlow: Sendable {
  /// - Precondition: `out` has room for 2 × width × height values; none of them is read.
  func write(
    from first: Image, to second: Image, into out: UnsafeMutablePointer<Float>
  ) throws(OpenCVError)
}

/// OpenCV's dense inverse search, with its work buffers kept from frame to frame.
// Safe to share: an estimator is out of the pool while a call uses it, so no two calls ever hold
// the same one; calls that overlap in time make as many estimators as overlap.
package final class OpenCVDIS: OpenCVFlow {
  /// OpenCV's presets, from quick to accurate.
  package enum Preset: UInt32, Sendable { case ultrafast, fast, medium }

  private struct Estimator: @unchecked Sendable { let handle: cocv_dis_ref }

  private let settings: cocv_dis_settings
  private let idle = Mutex<[Estimator]>([])

  /// `refinements` at each scale; nil takes the preset's number.
  package init(_ preset: Preset, refinements: Int? = nil, normalizesMean: Bool = true) {
    settings = cocv_dis_settings(
      preset: cocv_dis_preset(rawValue: preset.rawValue),
      refinements: refinements.map { Int32(clamping: $0) } ?? -1,
      normalizes_mean: normalizesMean ? 1 : 0)
  }

  deinit {
    idle.withLock { for estimator in $0 { cocv_dis_release(estimator.handle) } }
  }

  package func write(
    from first: Image, to second: Image, into out: UnsafeMutablePointer<Float>
  ) throws(OpenCVError) {
    let estimator = try borrowed()
    defer { idle.withLock { $0.append(estimator) } }
    try first.withView { first throws(OpenCVError) in
      try second.withView { second throws(OpenCVError) in
        try shim("DIS flow") { cocv_dis_flow(estimator.handle, first, second, out, &$0) }
      }
    }
  }

  private func borrowed() throws(OpenCVError) -> Estimator {
    if let idle = idle.withLock({ $0.popLast() }) { return idle }
    var handle: cocv_dis_ref?
    try shim("DIS flow") { cocv_dis_create(settings, &handle, &$0) }
    guard let handle else {
      throw OpenCVError(code: .failed, operation: "DIS flow", message: "no estimator was made")
    }
    return Estimator(handle: handle)
  }
}

/// OpenCV's polynomial-expansion flow; arguments as of `cv::calcOpticalFlowFarneback`.
package struct OpenCVFarneback: OpenCVFlow {
  package var pyramidScale: Double
  package var levels: Int
  package var window: Int
  package var iterations: Int
  package var neighbours: Int
  package var sigma: Double
  package var gaussianWindow: Bool

  package init(
    pyramidScale: Double, levels: Int, window: Int, iterations: Int, neighbours: Int, sigma: Double,
    gaussianWindow: Bool
  ) {
    (self.pyramidScale, self.levels, self.window) = (pyramidScale, levels, window)
    (self.iterations, self.neighbours, self.sigma) = (iterations, neighbours, sigma)
    self.gaussianWindow = gaussianWindow
  }

  package func write(
    from first: Image, to second: Image, into out: UnsafeMutablePointer<Float>
  ) throws(OpenCVError) {
    var settings = cocv_farneback(
      pyramid_scale: pyramidScale, levels: Int32(clamping: levels), window: Int32(clamping: window),
      iterations: Int32(clamping: iterations), polynomial_neighbours: Int32(clamping: neighbours),
      polynomial_sigma: sigma, gaussian_window: gaussianWindow ? 1 : 0)
    try first.withView { first throws(OpenCVError) in
      try second.withView { second throws(OpenCVError) in
        try shim("Farneback flow") { cocv_farneback_flow(&settings, first, second, out, &$0) }
      }
    }
  }
}
