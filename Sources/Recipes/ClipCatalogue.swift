// SPDX-License-Identifier: Apache-2.0

public import Datasets

/// What a data set is asked for.
public struct ClipRequest: Sendable {
  public var split: String
  /// The first so many frames; all, or a hundred of an endless clip, where nil.
  public var limit: Int?
  public var threads: Int

  public init(split: String = "val", limit: Int? = nil, threads: Int = 1) {
    (self.split, self.limit, self.threads) = (split, limit, threads)
  }
}

/// Makes a clip of what is asked for.
public typealias ClipMaker = @Sendable (ClipRequest) throws -> any Clip

extension [Card<ClipMaker>] {
  /// The data sets this package reads or renders.
  public static let clips: Self = [
    Card("camvid", setting: "DIR", "CamVid as downloaded: train, trainannot, val, valannot, …") {
      guard let root = $0, !root.isEmpty else { throw Misfit("needs a folder") }
      return { request in
        let clip = try CamVid(root: root, split: request.split, limit: request.limit)
        guard clip.labelledCount > 0 else {
          throw DatasetError(.missing, "no labels in \(root)/\(request.split)annot")
        }
        return clip
      }
    },
    Card("street", setting: "SEED", "MovingStreet: rendered driving, with exact labels and motion")
    {
      guard let seed = $0.flatMap({ UInt64($0) }) else { throw Misfit("needs a whole number") }
      return { StreetClip(seed: seed, count: $0.limit ?? 100, threads: $0.threads) }
    },
    Card(
      "streets", setting: "SEED", "stills of many MovingStreets to train on; its val split is a run"
    ) {
      guard let seed = $0.flatMap({ UInt64($0) }) else { throw Misfit("needs a whole number") }
      return { request in
        guard request.split == "train" else {
          return StreetClip(seed: seed, count: request.limit ?? 40, threads: request.threads)
        }
        return StreetPool(seed: seed, count: request.limit ?? 400, threads: request.threads)
      }
    },
  ]
}
