// SPDX-License-Identifier: Apache-2.0

internal import Flow
public import Video

/// Which frames of a data set count where it is parted into folds: of blocks of thirty successive
/// frames every `of`-th, beginning with the `number`-th.
///
/// What is trained on what another network gives, as a correction of it, is best trained on frames
/// that this network has not seen: it is surer of those that it has. So one fold trains the
/// network, another one what is built on it (Wolpert, "Stacked generalization", Neural Networks
/// 1992). Neighbours are alike: hence blocks.
public struct Fold: Sendable, Hashable, CustomStringConvertible {
  /// From 1 to `of`.
  public let number: Int
  /// How many folds there are.
  public let of: Int
  /// How many successive frames stay together.
  public static let block = 30

  /// Fold `number`, from 1, of so many.
  ///
  /// - Precondition: 1 ≤ `number` ≤ `of`.
  public init(_ number: Int, of count: Int) {
    precondition((1...count).contains(number), "fold \(number) of \(count)")
    (self.number, of) = (number, count)
  }

  /// `2/3` is the second fold of three, of a hundred at most; nil for anything else.
  public init?(_ text: String) {
    let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let number = numbers[0], let count = numbers[1],
      (1...100).contains(count), (1...count).contains(number)
    else { return nil }
    self.init(number, of: count)
  }

  /// As it is written: `2/3`.
  public var description: String { "\(number)/\(of)" }

  /// The positions that count among so many frames.
  func positions(among count: Int) -> [Int] {
    (0..<count).filter { $0 / Self.block % of == number - 1 }
  }
}

/// One fold of a clip's frames, under the clip's own name.
public struct FoldedClip: LabelledClip {
  private let clip: any LabelledClip
  private let positions: [Int]

  /// The first `limit` frames of a fold, or all of them.
  ///
  /// - Throws: `DatasetError` where no frame is in it.
  public init(
    _ clip: some LabelledClip, fold: Fold, limit: Int? = nil
  ) throws(DatasetError) {
    let all = fold.positions(among: clip.count)
    guard !all.isEmpty else {
      throw DatasetError(
        .missing, "no frame of \(clip.name) is in fold \(fold): it has \(clip.count)")
    }
    (self.clip, positions) = (clip, Array(all.prefix(limit ?? all.count)))
  }

  /// That of the whole clip, so that whoever has seen a fold of it is known to have seen it.
  public var name: String { clip.name }
  /// Those of the whole clip.
  public var classes: ClassList { clip.classes }
  /// How many frames are in the fold.
  public var count: Int { positions.count }
  /// Whether the whole clip's frames are read from somewhere.
  public var isStored: Bool { clip.isStored }
  /// The exact motion between frames of the fold, where the clip knows it.
  public var groundTruthMotion: (any MotionProvider)? {
    clip.groundTruthMotion.map { FoldedMotion(motion: $0, positions: positions) }
  }
  /// Those of the whole clip.
  public var objectClasses: ObjectClasses? { clip.objectClasses }
  /// The files of the whole clip.
  public var files: [String] { clip.files }
  /// What was odd about the whole clip.
  public var warnings: [String] { clip.warnings }

  /// The frame at a position of the fold, from 0; a block begins anew.
  public func frame(at index: Int) throws -> Frame {
    let place = positions[index]
    let frame = try clip.frame(at: place)
    let isNext = index > 0 && positions[index - 1] == place - 1
    return Frame(
      index: index, time: frame.time, pixels: frame.pixels, pictureType: frame.pictureType,
      motionVectors: isNext ? frame.motionVectors : nil,
      streamBreak: isNext || index == 0 ? frame.streamBreak : frame.streamBreak ?? .gap,
      duration: frame.duration, name: frame.name)
  }

  /// The labels of that frame; nil where it is not labelled.
  public func labels(at index: Int) throws -> Image? { try clip.labels(at: positions[index]) }

  /// How long that frame took to decode, where the clip knows.
  public func decodingTime(at index: Int) -> Duration? {
    clip.decodingTime(at: positions[index])
  }
}

/// The motion between frames of a fold.
private struct FoldedMotion: MotionProvider {
  let motion: any MotionProvider
  let positions: [Int]

  func motion(from current: Int, to reference: Int) throws -> MotionField {
    try motion.motion(from: positions[current], to: positions[reference])
  }
}
