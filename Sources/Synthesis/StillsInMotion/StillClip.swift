// SPDX-License-Identifier: Apache-2.0

public import Datasets
public import Flow
public import Video

/// A clip made of one still: see `StillsInMotion`.
public struct StillClip: ClipWithMotion {
  /// The name of the stills in motion, with the clip's number.
  public let name: String
  /// What the ids of the labels stand for.
  public let classes: ClassList
  /// How many frames the clip has.
  public let count: Int
  /// Frames at 15 Hz from one frame of the clip to the next.
  public let gap: Int
  /// Columns and rows of every frame.
  public let size: PixelSize
  /// The frame that shows the still as it is, in the clip's window and size.
  public let anchor: Int
  private let scene: StillScene
  private let surface: StillSurface
  private let camera: StillCamera
  private let path: StillPath
  private let layers: [StillLayer]
  /// From pixels of the still to those of the clip.
  private let window: StillMatrix
  private let void: UInt8

  init(_ plan: StillPlan, name: String, classes: ClassList, void: UInt8) {
    (self.name, self.classes, self.void) = (name, classes, void)
    (count, gap, size, anchor) = (plan.count, plan.gap, plan.size, plan.anchor)
    (scene, surface, camera) = (plan.scene, plan.surface, plan.camera)
    (path, layers, window) = (plan.path, plan.layers, plan.window)
  }

  /// False: frames are drawn when they are asked for.
  public let isStored = false

  /// A frame, drawn anew; positions run from 0 up to `count`.
  public func frame(at index: Int) -> Frame { frame(index, drawing(of: index).image) }

  /// The labels of a frame, drawn anew; void where nobody knows what is there.
  public func labels(at index: Int) -> Image? { drawing(of: index).labels }

  /// A frame and its labels, drawn in one go.
  public func sample(at index: Int) throws -> LabelledSample {
    let drawing = drawing(of: index)
    return try LabelledSample(frame: frame(index, drawing.image), labels: drawing.labels)
  }

  /// The exact motion between two frames; unknown where a place is hidden or nobody knows what is
  /// there.
  public func motion(from current: Int, to reference: Int) -> MotionField {
    if current == reference { return .zero(width: size.width, height: size.height) }
    return drawing(of: current).motion(to: drawing(of: reference))
  }

  /// Two frames, their labels and the motion between them, each drawn once.
  public func pair(from current: Int, to reference: Int) -> MotionPair {
    let (here, there) = (drawing(of: current), drawing(of: reference))
    return MotionPair(
      current: here.image, reference: there.image, motion: here.motion(to: there),
      currentLabels: here.labels, referenceLabels: there.labels)
  }

  private func frame(_ index: Int, _ pixels: Image) -> Frame {
    Frame(index: index, time: Double(index * gap) / 15, pixels: pixels)
  }

  private func drawing(of index: Int) -> StillFrame {
    precondition((0..<count).contains(index), "frame \(index) of a clip of \(count)")
    let time = Double((index - anchor) * gap)
    let pose = path.pose(at: time)
    return StillFrame(
      scene, surface: surface.seen(through: window, from: pose, of: camera),
      layers: layers.map { $0.seen(through: window, from: pose, at: time, of: camera) },
      size: size, void: void)
  }
}
