// SPDX-License-Identifier: Apache-2.0

public import Flow
public import Frames
internal import Tensors
public import Video

/// A small textured picture that moves, of which everything is known: what laws are tried on.
///
/// All of it moves alike from frame to frame. Where a cut is, another place of the picture is
/// shown, and no flow leads back across it.
public struct MovingScene: Sendable {
  /// The frames in order, 25 a second.
  public let frames: [Frame]
  private let offsets: [(dx: Float, dy: Float)]
  /// Of each frame, how many cuts were before it.
  private let shots: [Int]

  /// Frames after the first that move by these steps, nil for a cut.
  public init(
    moving steps: [(dx: Float, dy: Float)?], size: PixelSize = PixelSize(width: 48, height: 32)
  ) {
    var (offsets, shots) = ([(dx: Float(0), dy: Float(0))], [0])
    for (index, step) in steps.enumerated() {
      let (dx, dy) = step ?? (997, 499)
      offsets.append((offsets[index].dx + dx, offsets[index].dy + dy))
      shots.append(shots[index] + (step == nil ? 1 : 0))
    }
    (self.offsets, self.shots) = (offsets, shots)
    frames = offsets.enumerated().map { index, offset in
      movedPicture(index: index, by: offset, size: (size.width, size.height))
    }
  }

  /// Still, slow, fast, still again, a cut, and motion once more.
  public static var usual: MovingScene {
    MovingScene(moving: [
      (0, 0), (1, 0), (3, -2), (0, 0), (0, 0), (9, 4), (2, 1), (2, 1), nil, (0, 0), (0.5, 0),
      (-4, 2), (-4, 2), (1, 1), (0, 0),
    ])
  }

  /// The exact optical flow between two frames; unknown across a cut.
  public func flow(from current: Int, to reference: Int) -> MotionField {
    let size = frames[current].pixels.size
    guard shots[current] == shots[reference] else {
      return .unknown(width: size.width, height: size.height)
    }
    let step = (
      dx: offsets[current].dx - offsets[reference].dx,
      dy: offsets[current].dy - offsets[reference].dy
    )
    let cells = (0..<2 * size.width * size.height).map { $0.isMultiple(of: 2) ? step.dx : step.dy }
    return MotionField(width: size.width, height: size.height, displacements: cells)
  }

  /// What can be asked of frame `index`, where `keyframe` is the last key frame.
  ///
  /// Features after any stage are the picture in cells of four pixels; scores are its colours.
  /// `asked` is told of what is asked for.
  public func context(
    of index: Int, keyframe: Int, asked: ((Question) -> Void)? = nil
  ) -> FrameContext {
    FrameContext(
      frame: frames[index], keyframe: frames[keyframe], framesSinceKeyframe: index - keyframe,
      from: Provider(scene: self, index: index, keyframe: keyframe, asked: asked ?? { _ in }))
  }

  /// What is asked of a context.
  public enum Question: Hashable, Sendable {
    /// Optical flow, a picture, features after a stage, scores.
    case flow, image, features, scores
  }

  private struct Provider: FrameProvider {
    let scene: MovingScene
    let index: Int, keyframe: Int
    let asked: (Question) -> Void

    func flow(to reference: FlowReference) -> MotionField {
      asked(.flow)
      return scene.flow(from: index, to: position(of: .reference(reference)))
    }

    func image(_ side: FrameSide) throws -> Tensor {
      asked(.image)
      return try picture(side)
    }

    func features(after _: String, of side: FrameSide) throws -> Tensor {
      asked(.features)
      return try cells(side)
    }

    func scores(in _: FrameContext) throws -> Tensor {
      asked(.scores)
      return try cells(.current)
    }

    func keyframeScores(in _: FrameContext) throws -> Tensor {
      asked(.scores)
      return try cells(.keyframe)
    }

    private func picture(_ side: FrameSide) throws -> Tensor {
      try scene.frames[position(of: side)].pixels.tensor()
    }

    private func cells(_ side: FrameSide) throws -> Tensor {
      try picture(side).averagePool(4, stride: 4) / 64
    }

    private func position(of side: FrameSide) -> Int {
      switch side {
      case .current: index
      case .reference(.previous): max(0, index - 1)
      case .reference: keyframe
      }
    }
  }
}
