// SPDX-License-Identifier: Apache-2.0

public import Datasets
internal import Synchronization
public import Video

/// Labelled pictures to train on, kept in memory once they are read.
public final class SegmentationSamples: Sendable {
  /// What the ids of the labels stand for.
  public let classes: ClassList
  /// How many frames the clip has.
  public let count: Int
  private let name: String
  private let kept: Memo<LabelledSample>
  private let places = Mutex<Places?>(nil)

  /// For each class, where it is to be found: a few pixels of each picture that has it.
  struct Places: Sendable {
    struct Spot: Sendable { let sample: Int, x: Int, y: Int }
    /// By class, then by picture.
    var spots: [[[Spot]]]
    var frequencies: LabelFrequencies
  }

  /// The labelled frames of `clip`.
  public init(_ clip: some LabelledClip) {
    (name, classes, count) = (clip.name, clip.classes, clip.count)
    kept = Memo { try clip.sample(at: $0) }
  }

  /// Picture and labels.
  ///
  /// - Throws: `DatasetError` where the frame has no labels.
  public func sample(_ index: Int) throws -> (image: Image, labels: Image) {
    let sample = try kept[index]
    guard let labels = sample.labels else {
      throw DatasetError(.missing, "\(name): frame \(index) has no labels to train on")
    }
    return (sample.frame.pixels, labels)
  }

  /// How often each class occurs in all pictures.
  public func frequencies() throws -> LabelFrequencies { try survey().frequencies }

  /// A picture that has class number `index`, and one of its pixels; nil where none has it.
  func spot(of class: Int, from random: inout RandomStream) throws -> Places.Spot? {
    let pictures = try survey().spots[`class`]
    guard !pictures.isEmpty else { return nil }
    let spots = pictures[random.below(pictures.count)]
    return spots[random.below(spots.count)]
  }

  private func survey() throws -> Places {
    try places.withLock { places in
      if let places { return places }
      var found = Places(
        spots: Array(repeating: [], count: classes.count),
        frequencies: LabelFrequencies(classes: classes.count))
      for index in 0..<count { try note(index, in: &found) }
      places = found
      return found
    }
  }

  private func note(_ index: Int, in found: inout Places) throws {
    let labels = try sample(index).labels
    found.frequencies.add(labels.bytes)
    var random = RandomStream(seed: 0x5907, index)
    var spots = [[Places.Spot]](repeating: [], count: classes.count)
    var seen = [Int](repeating: 0, count: classes.count)
    labels.withUnsafeBytes { bytes in
      for (at, id) in bytes.enumerated() where Int(id) < classes.count {
        let id = Int(id)
        seen[id] += 1
        let spot = Places.Spot(sample: index, x: at % labels.width, y: at / labels.width)
        // Each pixel is as likely as any other to be among those kept (Vitter, 1985).
        if spots[id].count < 16 {
          spots[id].append(spot)
        } else if case let place = random.below(seen[id]), place < 16 {
          spots[id][place] = spot
        }
      }
    }
    for id in 0..<classes.count where !spots[id].isEmpty { found.spots[id].append(spots[id]) }
  }
}
