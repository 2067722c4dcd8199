// SPDX-License-Identifier: Apache-2.0

public import Datasets

/// What a data set is asked for.
public struct ClipRequest: Sendable {
  /// The part of the data: `train`, `val` or `test`.
  public var split: String
  /// The first so many frames; all, or a hundred of an endless clip, where nil.
  public var limit: Int?
  /// Threads that reading or rendering may take.
  public var threads: Int

  /// A request for a part of the data, whole unless a limit is given.
  public init(split: String = "val", limit: Int? = nil, threads: Int = 1) {
    (self.split, self.limit, self.threads) = (split, limit, threads)
  }
}

/// A data set that was named, opened when a clip of it is asked for.
///
/// A data set may give ground truth of several kinds; each kind is a type: label maps, depth maps,
/// boxes.
public struct DataSource: Sendable {
  /// How pairs of frames with known motion come out of a data set, to train on.
  public enum Pairing: Sendable, Hashable {
    /// Its pictures are stills, which are set in motion.
    case setInMotion
    /// Its frames are taken as they were filmed.
    case filmed
    /// Streets are rendered anew from this seed.
    case rendered(seed: UInt64)
  }

  /// The folder or file that frames are read from; nil where they are made.
  public let path: String?
  /// Whether its labels are of anybody's making.
  public let isLabelled: Bool
  /// How pairs of frames with known motion come out of it.
  public let pairing: Pairing
  /// The splits that a request may name; nil where the data set itself looks for them.
  public var splits: [String]?
  /// The seed of the one rendered street that it is; nil for anything else.
  public var streetSeed: UInt64?
  private let open: @Sendable (ClipRequest) throws -> any LabelledClip
  private var others: [ObjectIdentifier: any Sendable] = [:]

  /// A data set with label maps, or with frames alone.
  public init(
    path: String? = nil, isLabelled: Bool = true, pairing: Pairing = .setInMotion,
    open: @escaping @Sendable (ClipRequest) throws -> any LabelledClip
  ) {
    (self.path, self.isLabelled, self.pairing, self.open) = (path, isLabelled, pairing, open)
  }

  /// The clip with label maps.
  public func clip(_ request: ClipRequest) throws -> any LabelledClip { try open(request) }

  /// Adds ground truth of another kind.
  public func with<Target: Sendable>(
    _: Target.Type, open: @escaping @Sendable (ClipRequest) throws -> any Clip<Target>
  ) -> DataSource {
    var source = self
    source.others[ObjectIdentifier(Target.self)] = Opener<Target>(open: open)
    return source
  }

  /// The clip with ground truth of a kind; nil where the data set has none.
  public func clip<Target: Sendable>(
    of _: Target.Type, _ request: ClipRequest
  ) throws -> (any Clip<Target>)? {
    guard let opener = others[ObjectIdentifier(Target.self)] as? Opener<Target> else { return nil }
    return try opener.open(request)
  }

  private struct Opener<Target: Sendable>: Sendable {
    let open: @Sendable (ClipRequest) throws -> any Clip<Target>
  }
}
