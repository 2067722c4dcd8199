// SPDX-License-Identifier: Apache-2.0

/// Where each cell of one frame reads in another, the reference: (dx, dy) in cells of a stated
/// grid.
///
/// `warp(X, M)(p) = X(p + M(p))`: what is at cell `p` of the *current* frame was at `p + M(p)` in
/// the *reference*. x grows to the right, y downwards. A cell may be marked unknown (a hole of the
/// codec's vectors, an unlabelled pixel of a ground truth); what it holds then means nothing.
///
/// Laws: zero motion is the identity to the last bit at every size; resizing a field scales its
/// values, x and y separately; `a.composed(with: b)` reads where `a` leads and then where `b` leads
/// from there.
public struct MotionField: Sendable {
  /// Columns and rows of the grid.
  public let width: Int, height: Int
  /// Height × width × 2: dx, dy of the first cell, then of the one to its right, row by row.
  ///
  /// Motion of dense inverse search is written down on the first request. Take it once before a
  /// loop over cells: each request takes a lock.
  public var displacements: [Float] {
    switch values {
    case .written(let displacements): displacements
    case .enlarged(let motion): motion.displacements
    }
  }
  /// Height × width: 1 where the motion is known, 0 where it is not; nil when all of it is.
  public let known: [UInt8]?
  let values: Values

  /// Displacements that are written down, or will be once somebody asks for them.
  enum Values {
    case written([Float])
    case enlarged(EnlargedMotion)
  }

  /// A field of displacements, (dx, dy) in cells, row by row; 0 in `known` marks an unknown cell.
  ///
  /// - Precondition: `displacements` holds 2 × width × height values, `known` width × height.
  public init(width: Int, height: Int, displacements: [Float], known: [UInt8]? = nil) {
    precondition(
      width > 0 && height > 0 && displacements.count == 2 * width * height,
      "\(displacements.count) values are no motion on a grid of \(width)×\(height)")
    precondition(
      known == nil || known?.count == width * height, "one mark a cell of \(width)×\(height)")
    (self.width, self.height) = (width, height)
    (values, self.known) = (.written(displacements), known)
  }

  /// A field that was found on a coarser grid, all of it known.
  init(_ motion: EnlargedMotion) {
    (width, height) = (Int(motion.width), Int(motion.height))
    (values, known) = (.enlarged(motion), nil)
  }

  /// Marks are kept only where one of them says unknown.
  init(width: Int, height: Int, displacements: [Float], marks: [UInt8]?) {
    self.init(
      width: width, height: height, displacements: displacements,
      known: marks.flatMap { $0.contains(0) ? $0 : nil })
  }

  /// The field of a picture that stands still.
  public static func zero(width: Int, height: Int) -> MotionField {
    MotionField(
      width: width, height: height,
      displacements: [Float](repeating: 0, count: 2 * width * height))
  }

  /// The displacement at column `x`, row `y`.
  public subscript(x x: Int, y y: Int) -> (dx: Float, dy: Float) {
    let (cell, displacements) = (index(x, y), displacements)
    return (displacements[2 * cell], displacements[2 * cell + 1])
  }

  /// Whether the motion at column `x`, row `y` is known.
  public func isKnown(x: Int, y: Int) -> Bool {
    let cell = index(x, y)
    return known.map { $0[cell] != 0 } ?? true
  }

  private func index(_ x: Int, _ y: Int) -> Int {
    precondition(
      (0..<width).contains(x) && (0..<height).contains(y), "(\(x), \(y)) is off \(width)×\(height)")
    return y * width + x
  }
}

extension MotionField: Equatable {
  /// Same grids, same displacements and same marks.
  public static func == (lhs: MotionField, rhs: MotionField) -> Bool {
    (lhs.width, lhs.height) == (rhs.width, rhs.height) && lhs.known == rhs.known
      && lhs.displacements == rhs.displacements
  }
}
