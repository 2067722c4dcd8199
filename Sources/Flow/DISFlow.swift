// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import Video

// Copies share what they keep between frames; see `InverseSearchPool`.
/// Dense inverse search on grey images (Kroeger et al., ECCV 2016), several times as fast as
/// OpenCV's.
///
/// Patches of 8×8 pixels are searched from coarse to fine by inverse Gauss-Newton steps, each from
/// the best of its own, its left and its upper neighbour's motion and then back again; they are
/// averaged by how well they fit and refined variationally (Brox et al., ECCV 2004). Unlike
/// OpenCV's, steps are full and damped (Levenberg-Marquardt), so that few of them do. The field is
/// the same to the last bit whatever the number of threads, and zero where the frames are equal.
public struct DISFlow: FlowEstimator {
  /// From quick to accurate; each is as accurate as OpenCV's of that name.
  public enum Preset: String, CaseIterable, Sendable {
    /// A quarter of the frame's size, no variational refinement.
    case ultrafast
    /// A quarter of the frame's size.
    case fast
    /// Half of the frame's size.
    case medium
  }

  /// How fine the search is.
  public let preset: Preset
  /// How many threads work on one field, the calling one included.
  public let threads: Int
  private let pool: InverseSearchPool

  /// As many threads as there are processors.
  public static var allThreads: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// An estimator that keeps its memory between frames; copies share it.
  ///
  /// - Precondition: `threads` is at least 1.
  public init(preset: Preset = .medium, threads: Int = allThreads) {
    precondition(threads > 0, "\(threads) threads")
    (self.preset, self.threads) = (preset, threads)
    pool = InverseSearchPool(settings: preset.settings, threads: threads)
  }

  /// The motion by dense inverse search; it throws where the frames differ in size.
  public func motion(from current: Frame, to reference: Frame) throws -> MotionField {
    try requireEqualSizes(current, reference)
    let first = try pool.pyramid(of: current.pixels)
    let second = try pool.pyramid(of: reference.pixels)
    return MotionField(
      pool.withWorkspace(for: first.layout) { $0.motion(from: first, to: second) })
  }
}

extension FlowEstimator where Self == DISFlow {
  /// Dense inverse search by kernels of this package.
  public static func dis(
    _ preset: DISFlow.Preset = .medium, threads: Int = DISFlow.allThreads
  ) -> DISFlow {
    DISFlow(preset: preset, threads: threads)
  }
}
