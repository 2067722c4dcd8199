// SPDX-License-Identifier: Apache-2.0

import Datasets
import Flow
import Testing
import Video

/// Depth, held against the motion field and against how high the camera is above the road.
struct MovingStreetDepthTests {
  private static let size = (width: 240, height: 180)
  /// Pixels; MovingStreet's cameras see 58° across at 4:3.
  private static let focal = 0.9 * 240.0
  /// The classes of CamVid that belong to things which may move, and the sky.
  private static let others: Set<UInt8> = [0, 8, 9, 10]

  private func street(_ seed: UInt64, threads: Int = 2) -> MovingStreet {
    MovingStreet(
      seed: seed, width: Self.size.width, height: Self.size.height, threads: threads)
  }

  @Test(arguments: [(1, 40), (2, 90), (3, 15), (4, 200)])
  func theRoadIsAPlaneBelowTheCameraAtItsHeight(seed: UInt64, frame: Int) {
    let truth = street(seed).truth(at: frame)
    let road = points(truth.depth).enumerated().filter {
      truth.labels.bytes[$0.offset] == 3 && $0.element.z < 60
    }.map(\.element)
    #expect(road.count > 4000)
    // The plane a · p = 1 of least squares: its distance from the camera is 1 / |a|.
    let system = (0..<3).map { i in
      (0..<3).map { j in road.reduce(0) { $0 + $1[i] * $1[j] } } + [road.reduce(0) { $0 + $1[i] }]
    }
    let a = FittedMotion.solved(system)
    let plane = SIMD3(a[0], a[1], a[2])
    let length = (plane * plane).sum().squareRoot()
    #expect((1.405...1.435).contains(1 / length), "the camera is \(1 / length) m high")
    #expect(plane.y / length > 0.99, "down is \(plane / length)")
    let worst = road.map { abs(($0 * plane).sum() - 1) / length }.max() ?? .infinity
    #expect(worst < 1e-3, "a pixel of the road is \(worst) m off the plane")
  }

  @Test(arguments: [(1, 40, 3), (2, 90, 5), (3, 15, -4), (5, 77, 8)])
  func oneCameraMotionAndTheDepthExplainTheMotionOfAllThatStands(
    seed: UInt64, frame: Int, gap: Int
  ) {
    let street = street(seed)
    let truth = street.truth(at: frame)
    let motion = street.motion(from: frame, to: frame + gap)
    let labels = truth.labels.bytes
    let cells = labels.indices.filter { cell in
      // What comes close to the second camera's plane goes so far that its error grows with it.
      !Self.others.contains(labels[cell]) && motion.known?[cell] != 0
        && abs(motion.displacements[2 * cell]) < 60 && abs(motion.displacements[2 * cell + 1]) < 60
    }
    let points = points(truth.depth)
    let targets = cells.map { cell in
      ray(
        Double(cell % Self.size.width) + Double(motion.displacements[2 * cell]),
        Double(cell / Self.size.width) + Double(motion.displacements[2 * cell + 1]))
    }
    let sample = stride(from: 0, to: cells.count, by: 7)
    let fitted = FittedMotion(sample.map { points[cells[$0]] }, to: sample.map { targets[$0] })
    let misses = zip(cells, targets).map { cell, target in
      let p = fitted(points[cell])
      let miss = SIMD2(p.x / p.z, p.y / p.z) - target
      return (miss * miss).sum().squareRoot() * Self.focal
    }
    let worst = misses.max() ?? .infinity
    #expect(cells.count > 20_000)
    #expect(worst < 0.02, "a pixel that stands is \(worst) pixels from where depth puts it")
  }

  @Test func theSkyAndNothingElseHasNoDepth() {
    for seed in UInt64(0)..<4 {
      let truth = street(seed).truth(at: 60)
      for (label, depth) in zip(truth.labels.bytes, truth.depth.metres) {
        #expect((label == 0) == (depth == 0))
        #expect(depth == 0 || (0.12...1000).contains(depth))
      }
    }
  }

  @Test func depthIsThatOfTheNextFrameButForTheWayDriven() {
    let street = street(1)
    let (here, there) = (street.depth(at: 40), street.depth(at: 41))
    let motion = street.motion(from: 40, to: 41)
    let hidden = street.occlusion(from: 40, to: 41).bytes
    var (near, count) = (0, 0)
    for cell in hidden.indices where hidden[cell] == 0 && here.metres[cell] > 0 {
      let x = Int((Float(cell % 240) + motion.displacements[2 * cell]).rounded())
      let y = Int((Float(cell / 240) + motion.displacements[2 * cell + 1]).rounded())
      guard (0..<240).contains(x), (0..<180).contains(y) else { continue }
      let change = there.metres[y * 240 + x] - here.metres[cell]
      near += abs(change) < 1.5 + 0.08 * here.metres[cell] ? 1 : 0
      count += 1
    }
    #expect(Double(near) > 0.95 * Double(count), "\(near) of \(count)")
  }

  @Test(arguments: [1, 3, 7]) func threadsAndTheWayOfAskingChangeNothing(threads: Int) {
    let (few, many) = (street(9), street(9, threads: threads))
    let truth = few.truth(at: 33)
    let (image, drawn) = many.viewWithTruth(at: 33)
    let view = few.view(at: 33)
    #expect(image == view.image && truth.labels == view.labels && drawn.labels == view.labels)
    #expect(drawn.depth == truth.depth && many.depth(at: 33) == truth.depth)
    #expect(drawn.boxes == truth.boxes && many.boxes(at: 33) == truth.boxes)
  }

  @Test(arguments: [(1, 1), (7, 3), (33, 250), (250, 33)])
  func anySizeHasATruth(width: Int, height: Int) {
    let truth = MovingStreet(seed: 3, width: width, height: height).truth(at: 5)
    #expect(truth.depth.size == PixelSize(width: width, height: height))
    #expect(truth.labels.size == truth.depth.size)
  }

  // MARK: Geometry

  private func ray(_ x: Double, _ y: Double) -> SIMD2<Double> {
    SIMD2(x - 119.5, y - 89.5) / Self.focal
  }

  private func points(_ depth: DepthMap) -> [SIMD3<Double>] {
    depth.metres.enumerated().map { cell, z in
      let ray = ray(Double(cell % depth.width), Double(cell / depth.width))
      return SIMD3(ray.x, ray.y, 1) * Double(z)
    }
  }
}
