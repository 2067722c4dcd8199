// SPDX-License-Identifier: Apache-2.0

public import Video

/// How often each class was taken for each other one.
///
/// Pixels whose truth is void are left out. A pixel predicted void counts as missed: it is in the
/// union of its true class and in no intersection. Scores are taken over the classes that occur, in
/// a truth or a prediction: one that is only ever predicted scores 0.
public struct ConfusionMatrix: Sendable, Equatable {
  private let classes: Int
  /// Truth-major, with one column more than there are classes, for predictions that claim none.
  private(set) var counts: [Int]

  /// How many classes there are.
  public var classCount: Int { classes }

  /// A matrix of zeros for 1 to 255 classes.
  public init(classes: Int) {
    precondition((1...255).contains(classes), "\(classes) classes do not fit a byte")
    self.classes = classes
    counts = Array(repeating: 0, count: classes * (classes + 1))
  }

  /// Counts one frame: label maps of one size, an id a pixel; every id past the classes is void.
  ///
  /// - Precondition: the maps have the same size.
  public mutating func add(predicted: Image, truth: Image) {
    precondition(
      predicted.size == truth.size && predicted.channels == 1 && truth.channels == 1,
      "a prediction of \(predicted.size) for a truth of \(truth.size)")
    var table = [Int](repeating: 0, count: 256 * 256)
    predicted.withUnsafeBytes { predicted in
      truth.withUnsafeBytes { truth in
        table.withUnsafeMutableBufferPointer { table in
          for index in predicted.indices {
            table[Int(truth[index]) << 8 | Int(predicted[index])] += 1
          }
        }
      }
    }
    add(table)
  }

  private mutating func add(_ table: [Int]) {
    for truth in 0..<classes {
      for predicted in 0..<256 {
        let column = min(predicted, classes)
        counts[truth * (classes + 1) + column] += table[truth << 8 | predicted]
      }
    }
  }

  /// Adds what another matrix counted.
  public static func += (lhs: inout Self, rhs: Self) {
    precondition(lhs.classes == rhs.classes, "\(lhs.classes) classes and \(rhs.classes)")
    for index in lhs.counts.indices { lhs.counts[index] += rhs.counts[index] }
  }

  /// Intersection over union of each class; nil for one that never occurs.
  public var iou: [Double?] {
    (0..<classes).map { index in
      let union = truthCount(index) + predictedCount(index) - hits(index)
      return union == 0 ? nil : Double(hits(index)) / Double(union)
    }
  }

  /// Mean intersection over union over the classes that occur; nil if none does.
  public var meanIoU: Double? { mean(iou) }

  /// Mean over the classes that occur of the part of their pixels that was found (mAcc).
  public var meanAccuracy: Double? {
    let found = (0..<classes).map { (index) -> Double? in
      let all = truthCount(index)
      return all == 0 ? nil : Double(hits(index)) / Double(all)
    }
    return mean(found)
  }

  /// The part of all labelled pixels that was found (aAcc); nil if there are none.
  public var accuracy: Double? {
    let all = counts.reduce(0, +)
    return all == 0 ? nil : Double((0..<classes).reduce(0) { $0 + hits($1) }) / Double(all)
  }

  /// How many pixels each class has in the truth.
  var truthCounts: [Int] { (0..<classes).map(truthCount) }

  private func hits(_ index: Int) -> Int { counts[index * (classes + 1) + index] }

  private func truthCount(_ index: Int) -> Int {
    counts[index * (classes + 1)..<(index + 1) * (classes + 1)].reduce(0, +)
  }

  private func predictedCount(_ index: Int) -> Int {
    (0..<classes).reduce(0) { $0 + counts[$1 * (classes + 1) + index] }
  }

  private func mean(_ values: [Double?]) -> Double? {
    let known = values.compactMap { $0 }
    return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
  }
}

extension ConfusionMatrix {
  /// Of counts in the order of `counts`, which a bootstrap adds up by itself.
  init(classes: Int, counts: [Int]) {
    precondition(counts.count == classes * (classes + 1), "\(counts.count) counts")
    (self.classes, self.counts) = (classes, counts)
  }
}

extension ConfusionMatrix: Codable {
  private enum CodingKeys: String, CodingKey { case classes, cells }

  /// Reads what `encode(to:)` writes; counts below 0 and cells past the matrix are refused.
  public init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: CodingKeys.self)
    let classes = try keys.decode(Int.self, forKey: .classes)
    let cells = try keys.decode([Int].self, forKey: .cells)
    func refusal(_ text: String) -> DecodingError {
      .dataCorruptedError(forKey: .cells, in: keys, debugDescription: text)
    }
    guard (1...255).contains(classes) else { throw refusal("\(classes) classes") }
    guard cells.count.isMultiple(of: 2) else { throw refusal("a cell without its count") }
    self.init(classes: classes)
    for place in stride(from: 0, to: cells.count, by: 2) {
      guard counts.indices.contains(cells[place]), (0...(1 << 40)).contains(cells[place + 1]) else {
        throw refusal("cell \(cells[place]) with \(cells[place + 1]) pixels")
      }
      counts[cells[place]] = cells[place + 1]
    }
  }

  /// Writes the cells that are not 0, each as truth × (classes + 1) + prediction and its count.
  public func encode(to encoder: any Encoder) throws {
    var keys = encoder.container(keyedBy: CodingKeys.self)
    try keys.encode(classes, forKey: .classes)
    try keys.encode(
      counts.indices.flatMap { counts[$0] == 0 ? [] : [$0, counts[$0]] }, forKey: .cells)
  }
}
