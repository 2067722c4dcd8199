// SPDX-License-Identifier: Apache-2.0
public import Video

/// The motion a video's codec found when it coded the stream: free, blocky, and not always there.
///
/// Each block takes the displacement of its motion vector; no pixel is looked at. Motion to an
/// earlier frame uses the vectors that point back, motion to a later one those that point ahead.
/// What no such vector covers is unknown: blocks coded on their own, all of an intra picture, and
/// in B pictures what was predicted from the other side only. The codec's library says in which
/// direction a reference lies but not which picture it was, so `reference` is taken to be the
/// nearest picture on that side that is no B picture: true of streams coded with one reference and
/// without reference B pictures.
public struct CodecMotion: FlowEstimator {
  /// Whether the holes of a picture that has vectors are filled from around them.
  public let fillsHoles: Bool
  /// How the way to a key frame is put together of steps.
  public let sampling: FlowSampling
  /// How many threads put fields together, the calling one included.
  public let threads: Int

  /// An estimator that reads the vectors of each frame.
  ///
  /// - Parameters:
  ///   - fillsHoles: see ``MotionField/filled()``. A picture without a single vector stays unknown.
  ///     Codecs code flat areas of predicted pictures on their own, often a third of a frame, and
  ///     along a chain such holes add up.
  ///   - sampling: how the way to a key is put together.
  ///   - threads: how many may put fields together, at least 1.
  public init(fillsHoles: Bool = false, sampling: FlowSampling = .exact, threads: Int = 1) {
    precondition(threads > 0, "\(threads) threads")
    (self.fillsHoles, self.sampling, self.threads) = (fillsHoles, sampling, threads)
  }

  /// True: vectors are all it looks at.
  public var needsMotionVectors: Bool { true }
  /// The previous frame: vectors lead to the picture that the codec predicted from.
  public var reach: Reach { .previousFrame }

  /// The displacements of the frame's blocks, each as far as its vector says.
  ///
  /// - Throws: `FlowError.Code.noMotionVectors` where the frame came with none though it is no
  ///   intra picture: the codec exports none, or the decoder was not asked.
  public func motion(from current: Frame, to reference: Frame) throws -> MotionField {
    try requireEqualSizes(current, reference)
    let (width, height) = (current.pixels.width, current.pixels.height)
    if current.index == reference.index { return .zero(width: width, height: height) }
    if current.pictureType == .intra { return .unknown(width: width, height: height) }
    guard let vectors = current.motionVectors else {
      throw FlowError(
        .noMotionVectors,
        """
        frame \(current.index) carries no motion vectors: only H.264, MPEG-4 and MPEG-2 streams \
        export them, and the decoder has to be asked
        """)
    }
    let back = reference.index < current.index
    let field = MotionField(
      width: width, height: height, vectors: vectors.lazy.filter { ($0.source < 0) == back })
    return fillsHoles && field.validFraction > 0 ? field.filled(threads: threads) : field
  }
}

extension FlowEstimator where Self == CodecMotion {
  /// The motion vectors of the video's own codec.
  public static var codec: CodecMotion { CodecMotion() }

  /// The motion vectors of the video's own codec.
  public static func codec(fillsHoles: Bool) -> CodecMotion { CodecMotion(fillsHoles: fillsHoles) }
}

extension MotionField {
  /// A field of which nothing is known.
  public static func unknown(width: Int, height: Int) -> MotionField {
    MotionField(
      width: width, height: height,
      displacements: [Float](repeating: 0, count: 2 * width * height),
      known: [UInt8](repeating: 0, count: width * height))
  }

  /// Fills each vector's block with its displacement.
  ///
  /// A block of w×h centred at (x, y) covers the columns from x − w/2 up to, and without, x − w/2 +
  /// w, and rows alike; what sticks out of the grid is cut off. Where blocks overlap, the last one
  /// counts.
  init(width: Int, height: Int, vectors: some Sequence<MotionVector>) {
    var displacements = [Float](repeating: 0, count: 2 * width * height)
    var known = [UInt8](repeating: 0, count: width * height)
    displacements.withUnsafeMutableBufferPointer { values in
      known.withUnsafeMutableBufferPointer { known in
        for vector in vectors where vector.source != 0 {
          let (dx, dy) = vector.displacement
          let columns = Self.covered(by: vector.width, around: vector.x, limit: width)
          for row in Self.covered(by: vector.height, around: vector.y, limit: height) {
            for cell in (row * width + columns.lowerBound)..<(row * width + columns.upperBound) {
              (values[2 * cell], values[2 * cell + 1]) = (dx, dy)
              known[cell] = 1
            }
          }
        }
      }
    }
    self.init(
      width: width, height: height, displacements: displacements, marks: known)
  }

  private static func covered(by size: UInt8, around centre: Int16, limit: Int) -> Range<Int> {
    let start = Int(centre) - Int(size) / 2
    let lower = min(max(start, 0), limit)
    return lower..<max(lower, min(start + Int(size), limit))
  }
}
