// SPDX-License-Identifier: Apache-2.0

internal import Flow
internal import Foundation
public import Video

/// A run of an RGB-D camera with poses, as 7-Scenes has it (Shotton et al., CVPR 2013): pictures
/// with the depth of each pixel, and where the camera was.
///
/// `frame-NUMBER.color.jpg` or `.png`; `frame-NUMBER.depth.png`, 16-bit millimetres along the
/// optical axis, 0 and 65535 where nothing is known; `frame-NUMBER.pose.txt`, 4 × 4 from camera to
/// world in metres; and `camera-intrinsics.txt`, 3 × 3. Where poses and intrinsics are there, the
/// motion between any two frames is known up to their error, of about a pixel.
public struct RGBD: LabelledClip {
  /// The last part of the folder's path.
  public let name: String
  /// None: depth is the ground truth.
  public let classes = ClassList(name: "none", names: [], void: nil)
  private let frames: StoredFrames
  private let depths: [String?]
  fileprivate let camera: Camera?

  /// The frames of a folder, the first `limit` of them, `rate` a second.
  ///
  /// - Precondition: `limit` is not negative.
  /// - Throws: `DatasetError` where no picture is there, or the camera's file is malformed.
  public init(
    root: String, rate: Double = 30, limit: Int? = nil
  ) throws(DatasetError) {
    precondition((limit ?? 0) >= 0, "the first \(limit ?? 0) frames cannot be taken")
    let folder = DataFolder(root)
    let pictures = folder.pictures.filter { Self.isColour($0) }
    guard !pictures.isEmpty else {
      throw DatasetError(.missing, "no frame-NUMBER.color.jpg in \(folder.path)")
    }
    let stems = pictures.prefix(limit ?? .max).map { Self.stem(of: $0) }
    frames = StoredFrames(
      items: zip(pictures, stems).enumerated().map { place, names in
        StoredFrames.Item(
          name: names.1, picture: "\(folder.path)/\(names.0)", labels: nil,
          time: Double(place) / rate)
      })
    depths = stems.map { stem in
      folder.holds("\(stem).depth.png") ? "\(folder.path)/\(stem).depth.png" : nil
    }
    camera = try Camera(of: stems, in: folder)
    name = folder.path.split(separator: "/").last.map(String.init) ?? root
  }

  private static func isColour(_ name: String) -> Bool {
    name.hasSuffix(".color.jpg") || name.hasSuffix(".color.png")
  }

  private static func stem(of name: String) -> String { String(name.dropLast(".color.jpg".count)) }

  /// How many frames there are, with a depth map or not.
  public var count: Int { frames.items.count }
  /// How many of the frames have a depth map.
  public var depthCount: Int { depths.count { $0 != nil } }
  /// Its pictures and depth maps.
  public var files: [String] { frames.files + depths.compactMap(\.self) }
  /// The motion that depth and poses give; nil without poses.
  public var groundTruthMotion: (any MotionProvider)? {
    camera == nil ? nil : Reprojection(clip: self)
  }

  /// The picture at a position from 0, read from its file.
  public func frame(at index: Int) throws -> Frame { try frames.frame(at: index) }

  /// None: depth is the ground truth.
  public func labels(at _: Int) -> Image? { nil }

  /// The depth of a frame, in metres; nil where it has none.
  public func depth(at index: Int) throws -> DepthMap? {
    guard let path = depths[index] else { return nil }
    let image = try Image16(contentsOf: path)
    guard image.channels == 1 else {
      throw DatasetError(.malformed, "\(path): \(image.channels) channels where depth takes one")
    }
    return DepthMap(
      width: image.width, height: image.height,
      metres: image.samples.map { $0 == 65535 ? 0 : Float($0) / 1000 })
  }

  /// The same clip with depth maps as its ground truth.
  public var withDepth: any Clip<DepthMap> { DepthOfRGBD(clip: self) }
}

/// The clip with depth as its ground truth.
private struct DepthOfRGBD: Clip {
  let clip: RGBD

  var name: String { clip.name }
  var count: Int { clip.count }
  var files: [String] { clip.files }
  var groundTruthMotion: (any MotionProvider)? { clip.groundTruthMotion }
  func frame(at index: Int) throws -> Frame { try clip.frame(at: index) }
  func target(at index: Int) throws -> DepthMap? { try clip.depth(at: index) }
}

/// A pinhole camera, and where it was at each frame.
private struct Camera: Sendable {
  let focal: SIMD2<Double>, centre: SIMD2<Double>
  /// From camera to world, three rows of four; nil where it is not known.
  let poses: [[Double]?]

  /// Nil where the folder says nothing of the camera.
  init?(of stems: [String], in folder: DataFolder) throws(DatasetError) {
    guard folder.holds("camera-intrinsics.txt") else { return nil }
    let matrix = try Self.numbers(9, of: "camera-intrinsics.txt", in: folder)
    (focal, centre) = (SIMD2(matrix[0], matrix[4]), SIMD2(matrix[2], matrix[5]))
    guard focal.x > 0, focal.y > 0 else {
      throw DatasetError(
        .malformed, "\(folder.path)/camera-intrinsics.txt: a focal length that is not positive")
    }
    poses = try stems.map { (stem) throws(DatasetError) in
      guard folder.holds("\(stem).pose.txt") else { return nil }
      return Array(try Self.numbers(16, of: "\(stem).pose.txt", in: folder).prefix(12))
    }
  }

  private static func numbers(
    _ count: Int, of file: String, in folder: DataFolder
  ) throws(DatasetError) -> [Double] {
    let lines = try folder.lines(of: file, limit: 1 << 16)
    let numbers = lines.flatMap { $0.split(whereSeparator: \.isWhitespace).map { Double($0) } }
    guard numbers.count == count, !numbers.contains(where: { $0?.isFinite != true }) else {
      throw DatasetError(.malformed, "\(folder.path)/\(file) does not hold \(count) numbers")
    }
    return numbers.compactMap(\.self)
  }

  /// A place in front of the camera, in the world.
  func world(_ place: SIMD3<Double>, at pose: [Double]) -> SIMD3<Double> {
    func row(_ index: Int) -> Double {
      pose[4 * index] * place.x + pose[4 * index + 1] * place.y + pose[4 * index + 2] * place.z
        + pose[4 * index + 3]
    }
    return SIMD3(row(0), row(1), row(2))
  }

  /// A place in the world, before the camera; poses are rotations and shifts.
  func local(_ place: SIMD3<Double>, at pose: [Double]) -> SIMD3<Double> {
    let shifted = place - SIMD3(pose[3], pose[7], pose[11])
    func column(_ index: Int) -> Double {
      pose[index] * shifted.x + pose[4 + index] * shifted.y + pose[8 + index] * shifted.z
    }
    return SIMD3(column(0), column(1), column(2))
  }
}

/// Motion that follows from depth and poses: what is still in the world.
private struct Reprojection: MotionProvider {
  let clip: RGBD

  /// Depths that differ by more than so much of them are of two surfaces: one hides the other.
  private static let tolerance = 0.05

  func motion(from current: Int, to reference: Int) throws -> MotionField {
    guard let camera = clip.camera, let here = try clip.depth(at: current),
      let there = try clip.depth(at: reference), let from = camera.poses[current],
      let to = camera.poses[reference]
    else { throw DatasetError(.missing, "\(clip.name): frame \(current) has no depth or pose") }
    let (width, height) = (here.width, here.height)
    var displacements = [Float](repeating: 0, count: 2 * width * height)
    var known = [UInt8](repeating: 0, count: width * height)
    for y in 0..<height {
      for x in 0..<width {
        let depth = Double(here.metres[y * width + x])
        guard depth > 0 else { continue }
        let pixel = SIMD2(Double(x), Double(y))
        let ray = (pixel - camera.centre) / camera.focal
        let place = camera.local(
          camera.world(SIMD3(ray.x * depth, ray.y * depth, depth), at: from), at: to)
        guard place.z > 0 else { continue }
        let seen = SIMD2(place.x, place.y) / place.z * camera.focal + camera.centre
        let (column, row) = (Int(seen.x.rounded()), Int(seen.y.rounded()))
        guard column >= 0, row >= 0, column < there.width, row < there.height else { continue }
        let measured = Double(there.metres[row * there.width + column])
        guard measured > 0, abs(measured - place.z) <= Self.tolerance * place.z else { continue }
        let step = seen - pixel
        displacements[2 * (y * width + x)] = Float(step.x)
        displacements[2 * (y * width + x) + 1] = Float(step.y)
        known[y * width + x] = 1
      }
    }
    return MotionField(width: width, height: height, displacements: displacements, known: known)
  }
}
