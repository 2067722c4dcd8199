// SPDX-License-Identifier: Apache-2.0

/// How many key frames may still be afforded: the bookkeeping of a hard budget.
public struct KeyframeBudget: Hashable, Sendable {
  /// What a budget allows.
  public enum Terms: Hashable, Sendable {
    /// A share of the frames; what is not spent is saved up to so many keys. The stream's first key
    /// is free.
    case rate(Double, saved: Double = 2)
    /// So many keys in every block of so many frames, the block's first among them where it is one.
    case block(keys: Int, frames: Int)
  }

  /// What the budget allows.
  public let terms: Terms
  /// Keys that may be spent now; a fraction under `rate`.
  public private(set) var left: Double
  /// Frames of the block that are still to come, the one in question among them; nil under `rate`.
  public private(set) var framesLeft: Int?

  /// A budget of which nothing is spent; under `rate` nothing is saved yet either.
  ///
  /// - Precondition: a share is from 0 to 1 and at least one key can be saved; a block has at least
  ///   one frame, and no more keys than frames.
  public init(_ terms: Terms) {
    self.terms = terms
    switch terms {
    case .rate(let share, let saved):
      precondition((0...1).contains(share) && saved >= 1, "a share of \(share), \(saved) saved")
      (left, framesLeft) = (0, nil)
    case .block(let keys, let frames):
      precondition(frames >= 1 && (1...frames).contains(keys), "\(keys) keys of \(frames) frames")
      (left, framesLeft) = (Double(keys), frames + 1)
    }
  }

  /// The share of the frames that may be key in the long run.
  public var rate: Double {
    switch terms {
    case .rate(let share, _): share
    case .block(let keys, let frames): Double(keys) / Double(frames)
    }
  }

  /// Accounts for a stream's first frame, which is key: of a block it is one of the keys, of a
  /// share it is free.
  public mutating func begin() {
    guard framesLeft != nil else { return }
    advance()
    spend()
  }

  /// Goes on by so many frames; the last of them is the one in question.
  public mutating func advance(by count: Int = 1) {
    switch terms {
    case .rate(let share, let saved):
      left = min(saved, left + share * Double(count))
    case .block(let keys, let frames):
      let passed = (framesLeft ?? frames) - count
      // A new block begins where the old one ends, with keys of its own.
      if passed <= 0 { left = Double(keys) }
      framesLeft = passed > 0 ? passed : frames - (-passed) % frames
    }
  }

  /// Pays for a key, asked for or, as a stream's first, not; one of a smaller picture costs less
  /// than 1.
  ///
  /// What is not there is not owed.
  public mutating func spend(_ cost: Double = 1) { left = max(0, left - cost) }

  /// Whether one whole key frame can be paid.
  public var isEnough: Bool { affords(1) }

  /// Whether a key of this cost can be paid; a sum of shares falls short of a whole number by its
  /// rounding.
  public func affords(_ cost: Double) -> Bool { left >= cost - 1e-9 }

  /// Whether every frame that is left can be afforded, so that nothing is gained by waiting.
  public var isAmple: Bool { framesLeft.map { left >= Double($0) } ?? (rate == 1) }

  /// Keys to hand beyond those that an even pace would leave; below 0 where they were spent early.
  public var spare: Double { framesLeft.map { left - rate * Double($0) } ?? left - 1 }
}
