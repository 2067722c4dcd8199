// SPDX-License-Identifier: Apache-2.0

public import Video

/// How steady predictions are where the truth is: over every window of n successive frames, the
/// share of the pixels of constant truth whose prediction is constant too, averaged over the
/// windows (VC_n; Miao et al., VSPW, CVPR 2021, section 5.2).
///
/// Pixels whose truth is void are not counted; the published program counts them.
public struct VideoConsistency: Sendable {
  /// How many successive frames a window has, from 2 to 255.
  public let window: Int
  private let void: UInt8
  private var last: (labels: Image, truth: Image)?
  /// For each pixel the number of frames through which nothing has changed, up to the window.
  private var steadyTruth: [UInt8] = [], steadyLabels: [UInt8] = []
  private var sum = 0.0
  private var windows = 0

  /// Nothing counted yet; pixels whose truth is `void` will not count.
  ///
  /// - Precondition: a window has 2 to 255 frames.
  public init(window: Int, void: UInt8 = 255) {
    precondition((2...255).contains(window), "a window of \(window) frames")
    (self.window, self.void) = (window, void)
  }

  /// Counts the next frame; one without labels, of another size or after a break begins anew.
  ///
  /// - Returns: the share that the window which ends here keeps; nil where none does, or nothing in
  ///   it is constant.
  @discardableResult
  public mutating func add(
    _ labels: Image, truth: Image?, followsBreak: Bool = false
  ) -> Double? {
    guard let truth, truth.size == labels.size else {
      last = nil
      return nil
    }
    if let last, !followsBreak, last.truth.size == truth.size {
      Self.extend(&steadyTruth, from: last.truth, to: truth, limit: window)
      Self.extend(&steadyLabels, from: last.labels, to: labels, limit: window)
    } else {
      let count = truth.width * truth.height
      (steadyTruth, steadyLabels) = (
        [UInt8](repeating: 1, count: count), [UInt8](repeating: 1, count: count)
      )
    }
    last = (labels, truth)
    return count(truth)
  }

  private static func extend(
    _ steady: inout [UInt8], from before: Image, to after: Image, limit: Int
  ) {
    before.withUnsafeBytes { before in
      after.withUnsafeBytes { after in
        for at in steady.indices {
          steady[at] = before[at] == after[at] ? min(steady[at] + 1, UInt8(limit)) : 1
        }
      }
    }
  }

  private mutating func count(_ truth: Image) -> Double? {
    var (constant, kept) = (0, 0)
    truth.withUnsafeBytes { ids in
      for at in steadyTruth.indices where steadyTruth[at] == window && ids[at] != void {
        constant += 1
        if steadyLabels[at] == window { kept += 1 }
      }
    }
    guard constant > 0 else { return nil }
    let share = Double(kept) / Double(constant)
    sum += share
    windows += 1
    return share
  }

  /// The mean over all windows; nil before the first whole one.
  public var value: Double? { windows == 0 ? nil : sum / Double(windows) }
}
