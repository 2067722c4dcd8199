// SPDX-License-Identifier: Apache-2.0

public import Frames
public import Video

/// Decides, frame by frame, where the backbone is worth its cost.
///
/// *Decides* the role of one frame, and says why. *May assume* that frames come in order, and that
/// a stream's first frame, and one after a break, is key without being asked about. *Must keep*
/// these laws: the same input gives the same schedule; a copy forks the schedule, so that two
/// interleaved streams each equal their solo runs; nothing is asked of a context that is not
/// needed, since what is asked for is computed. A scheduler is a value: each stream starts from a
/// fresh copy, and there is nothing to reset. *Prove it* with ConformanceKit's `brokenLaws(of:)`.
public protocol KeyframeScheduler: Sendable {
  /// The role of the frame that `context` tells of, and the reason for it.
  mutating func decision(at context: FrameContext) throws -> Decision

  /// The most frames from one key frame to the next, whatever the picture does; nil where nothing
  /// is promised.
  ///
  /// A search leaves out what cannot meet its goal by this alone.
  var longestInterval: Int? { get }

  /// A threshold that moves as key frames come, and that the regions of a picture have in common;
  /// nil where there is none, and then nothing becomes of what it is set to.
  ///
  /// What wraps another scheduler passes that one's on.
  var movingThreshold: Double? { get set }
}

extension KeyframeScheduler {
  /// Nil: no threshold moves unless a scheduler says otherwise.
  public var movingThreshold: Double? {
    get { nil }
    set {}
  }

  /// Nil: nothing is promised unless a scheduler says otherwise.
  public var longestInterval: Int? { nil }
}

/// Which of the two paths a frame takes.
public enum FrameRole: String, Hashable, Sendable, Codable {
  /// The backbone runs, and later frames borrow from this one.
  case key
  /// Features come from an earlier frame.
  case propagated
}

/// What a scheduler answers: the role, what it rests on, of a key frame how it is to be computed,
/// and of any other what it borrows.
public struct Decision: Hashable, Sendable {
  /// Whether the backbone runs on the frame.
  public let role: FrameRole
  /// Why: the rule, with the score and the threshold where they were compared.
  public let reason: Reason
  /// When others begin to borrow from this key frame; says nothing of a propagated one.
  public let refresh: Refresh
  /// What the sides of the picture are multiplied by before the backbone sees this key frame.
  public let scale: Double
  /// What is propagated to this frame where it does not wait for the backbone.
  public let propagated: PropagatedKind
  /// The tapped stage, before the last tap, up to which the backbone runs on this frame where it
  /// does not wait for all of it; nil for none.
  ///
  /// Frames after it borrow from here what stages up to it gave.
  public let refreshed: String?

  /// A role and its reason; the rest says how a key frame is computed and what others borrow.
  ///
  /// - Precondition: the scale is above 0 and not above 1.
  public init(
    _ role: FrameRole, because reason: Reason, refresh: Refresh = .immediate, scale: Double = 1,
    propagated: PropagatedKind = .features, refreshed: String? = nil
  ) {
    precondition(scale > 0 && scale <= 1, "a key frame \(scale) times as large")
    (self.role, self.reason, self.refresh, self.scale) = (role, reason, refresh, scale)
    (self.propagated, self.refreshed) = (propagated, refreshed)
  }

  /// The same decision but for what is named: a scheduler that wraps another passes the rest on.
  public func with(
    _ role: FrameRole? = nil, because reason: Reason? = nil, refresh: Refresh? = nil,
    scale: Double? = nil, propagated: PropagatedKind? = nil, refreshed: String? = nil
  ) -> Decision {
    Decision(
      role ?? self.role, because: reason ?? self.reason, refresh: refresh ?? self.refresh,
      scale: scale ?? self.scale, propagated: propagated ?? self.propagated,
      refreshed: refreshed ?? self.refreshed)
  }
}

/// What a frame borrows, in a pipeline whose tap is not the backbone's last stage or that fuses.
public enum PropagatedKind: String, Hashable, Sendable, Codable {
  /// The key's features at the tap; the stages after it, and the fusion, run on this frame.
  case features
  /// The scores of the last frame on which they ran: that frame's own shallow features, the key's
  /// deep ones.
  case scores
}

/// When a key frame's own features are there.
public enum Refresh: Hashable, Sendable {
  /// At once: the frame waits for the backbone.
  case immediate
  /// The frame is itself still propagated to, while the backbone runs on another thread; that many
  /// frames later, at least one, others borrow from it. Whichever frame that is waits for what is
  /// not ready yet, so that the same input always gives the same output.
  ///
  /// The low-latency mode of LLVSS (Li et al., CVPR 2018, section 3.3).
  case background(frames: Int)
}

/// Why a frame got its role: a rule, and where one was compared, the score and its threshold.
public struct Reason: Hashable, Sendable, CustomStringConvertible {
  /// The rule in a few words, as traces show it: `frames since key`.
  public let rule: String
  /// What was compared; nil where nothing was.
  public let score: Double?
  /// What the score was compared with; nil where nothing was.
  public let threshold: Double?

  /// A reason by its rule, with what was compared where something was.
  public init(_ rule: String, score: Double? = nil, threshold: Double? = nil) {
    (self.rule, self.score, self.threshold) = (rule, score, threshold)
  }

  /// The stream begins here.
  public static let firstFrame = Reason("first frame")
  /// The stream broke before this frame.
  public static func streamBroke(_ kind: StreamBreak) -> Reason {
    Reason("stream broke: \(kind.rawValue)")
  }
  /// A key is being computed in the background, and until others can borrow from it there is no
  /// other.
  public static let keyUnderWay = Reason("key under way")

  /// The rule, the score and the threshold, with two decimals at most.
  public var description: String {
    guard let score else { return rule }
    let limit = threshold.map { " of \($0.formattedBriefly)" } ?? ""
    return "\(rule) \(score.formattedBriefly)\(limit)"
  }
}

extension Double {
  /// At most two decimals, none where they are zero.
  fileprivate var formattedBriefly: String {
    let rounded = (self * 100).rounded() / 100
    return rounded == rounded.rounded() && abs(rounded) < 1e15
      ? String(Int(rounded)) : String(rounded)
  }
}
