// SPDX-License-Identifier: Apache-2.0

internal import Flow
internal import Video

/// What is seen at one moment, followed to where it is at another.
struct StreetTrace {
  private let current: StreetDrawing
  private let camera: StreetCamera
  /// From the current camera's axes to the other's: for the sky, for what stands, for each moving
  /// part.
  private let turn: Pose
  private let moves: [Pose]

  init(world: StreetWorld, from time: Double, to other: Double, size: (Int, Int), threads: Int) {
    let (width, height) = size
    let scene = world.scene(at: time, width: width, height: height)
    camera = world.route.camera(at: other, width: width, height: height)
    let view = camera.pose.inverse
    let poses =
      [Pose.identity] + scene.actors.flatMap { $0.poses(at: other, world.route) }
    moves = zip(scene.poses, poses).map { here, there in
      view(there(here.inverse(scene.camera.pose)))
    }
    var rotation = moves[0]
    rotation.origin = .zero
    turn = rotation
    current = StreetDrawing(scene, width: width, height: height, threads: threads)
  }

  private var width: Int { current.width }
  private var height: Int { current.height }

  /// Where each pixel's surface point is projected.
  func motion() -> MotionField {
    var known = [UInt8](repeating: 1, count: width * height)
    let displacements = [Float](unsafeUninitializedCapacity: 2 * width * height) { out, count in
      count = 2 * width * height
      let values = out
      known.withUnsafeMutableBufferPointer { known in
        let known = known
        follow { pixel, x, y, seen in
          let there = project(seen)
          known[pixel] = there == nil ? 0 : 1
          values[2 * pixel] = there.map { Float($0.x - Double(x)) } ?? 0
          values[2 * pixel + 1] = there.map { Float($0.y - Double(y)) } ?? 0
        }
      }
    }
    return MotionField(
      width: width, height: height, displacements: displacements,
      known: known.contains(0) ? known : nil)
  }

  /// 1 where the point is hidden in the other frame, or outside of it.
  func occlusion(in reference: StreetDrawing) -> Image {
    let there = reference.visibility()
    return Image(width: width, height: height, channels: 1) { bytes in
      follow { pixel, _, _, seen in
        bytes[pixel] = isHidden(seen, there, reference.scene) ? 1 : 0
      }
    }
  }

  /// A point in the other camera's axes; at infinity, its direction.
  private typealias Seen = (point: Vector, isSky: Bool)

  /// Calls `body` for every pixel with its number, column, row and where it went.
  private func follow(_ body: @escaping (Int, Int, Int, Seen) -> Void) {
    let scene = current.scene, camera = current.scene.camera
    current.forEachBand(prepare: { current.bandBuffer() }) { rows, band in
      band.move(to: 2 * rows.lowerBound)
      band.trace(
        scene, rows: 2 * rows.lowerBound..<2 * rows.upperBound + 1, centresOnly: true)
      for y in rows {
        for x in 0..<width {
          let at = band.index(2 * x + 1, 2 * y + 1)
          let ray = Vector(
            (Double(x) - camera.centreX) / camera.focal,
            (Double(y) - camera.centreY) / camera.focal, 1)
          let depth = Double(band.depths[at])
          if band.surfaces[at] == 0 {
            body(y * width + x, x, y, (turn.direction(ray), true))
          } else {
            let part = Int(scene.surfaces[Int(band.surfaces[at])].part)
            body(y * width + x, x, y, (moves[part].point(ray / depth), false))
          }
        }
      }
    }
  }

  private func project(_ seen: Seen) -> SIMD2<Double>? {
    guard seen.point.z > 0.01 else { return nil }
    return SIMD2(
      camera.centreX + camera.focal * seen.point.x / seen.point.z,
      camera.centreY + camera.focal * seen.point.y / seen.point.z)
  }

  private func isHidden(_ seen: Seen, _ there: StreetVisibility, _ scene: StreetScene) -> Bool {
    guard let p = project(seen), p.x >= -0.5, p.y >= -0.5, p.x <= Double(width) - 0.5,
      p.y <= Double(height) - 0.5
    else { return true }
    let at = there.index(Int(2 * p.x + 1.5), Int(2 * p.y + 1.5))
    let found = there.depths[at]
    if seen.isSky || there.surfaces[at] == 0 { return there.surfaces[at] != 0 }
    let surface = scene.surfaces[Int(there.surfaces[at])]
    let depth = Float(1 / seen.point.z)
    if surface.shape == .polygon {
      // The plane at the very place, not at the sample beside it.
      let ray = seen.point / seen.point.z
      let plane = surface.rows.2
      let toward = plane.x * Float(ray.x) + plane.y * Float(ray.y) + plane.z
      let exact = -toward / plane.w
      let near = exact > 0 ? min(exact, found * 1.2) : found
      return near > depth * 1.004 + 1e-5
    }
    if found <= depth * 1.004 { return false }
    let ray = Vector(
      (p.x - scene.camera.centreX) / scene.camera.focal,
      (p.y - scene.camera.centreY) / scene.camera.focal, 1)
    let gap = local(surface, seen.point) - local(surface, ray / Double(found))
    return dot(gap, gap) > 0.12
  }

  private func local(_ surface: StreetSurface, _ point: Vector) -> SIMD3<Float> {
    let p = SIMD4<Float>(SIMD3<Float>(point), 1)
    return SIMD3(
      (surface.rows.0 * p).sum(), (surface.rows.1 * p).sum(), (surface.rows.2 * p).sum())
  }
}
