// SPDX-License-Identifier: Apache-2.0
import Flow
import Frames
import Testing
import Tracking
import Video

private let picture = PixelSize(width: 320, height: 200)

private func still(_ dx: Float = 0, _ dy: Float = 0) -> MotionStep {
  MotionStep(
    size: picture,
    forward: MotionField(
      width: 32, height: 20,
      displacements: (0..<640).flatMap { _ in [dx / 10, dy / 10] }))
}

private func detection(
  _ x: Double, _ y: Double, _ width: Double = 30, _ height: Double = 20, category: Int = 0,
  score: Double = 0.8
) -> Detection {
  Detection(
    box: BoundingBox(x: x, y: y, width: width, height: height), category: category, score: score)
}

@Suite struct BoxTracksTests {
  // Five pixels a frame to the right: half of the second box is out of the picture five frames on.
  @Test func changeGrowsFromTheKeyFrameOn() throws {
    var tracks = BoxTracks()
    #expect(tracks.change(in: picture) == nil)
    tracks.take([detection(20, 10), detection(280, 100)])
    let start = try #require(tracks.change(in: picture))
    #expect(start == ObjectChange(brightness: nil, spread: 0, leaving: 0, unsupported: 0))
    tracks.advance(along: still(5, 0))
    let moved = try #require(tracks.change(in: picture))
    #expect(moved.leaving == 0.5 && moved.spread < 1e-3 && moved.brightness == nil)
    // A picture that is nothing but grey changes by as much on every frame: it adds up.
    let (dark, light) = (grey(40), grey(50))
    tracks.take([detection(20, 10)])
    for count in 1...3 {
      tracks.advance(
        along: MotionStep(
          size: picture, forward: .zero(width: 32, height: 20),
          pictures: count % 2 == 1 ? (dark, light) : (light, dark)))
      let change = try #require(tracks.change(in: picture)?.brightness)
      #expect(abs(change - 10 * Double(count)) < 0.5, "\(change)")
    }
  }

  private func grey(_ level: UInt8) -> Image {
    Image(width: picture.width, height: picture.height, channels: 3, repeating: level)
  }

  private let first = [detection(10, 10), detection(60, 12), detection(200, 100, category: 1)]

  @Test func identitiesGoOnWhateverTheOrderOfDetections() {
    var random = SeededNumbers(seed: 3)
    for _ in 0..<20 {
      var tracks = BoxTracks()
      tracks.take(first)
      for _ in 0..<5 { tracks.advance(along: still(4, 1)) }
      let moved = first.map { found in
        var found = found
        (found.box.x, found.box.y) = (found.box.x + 20, found.box.y + 5)
        return found
      }
      let matches = tracks.take(moved.shuffled(using: &random))
      #expect(tracks.boxes.map(\.identity) == [1, 2, 3])
      #expect(tracks.boxes.map(\.detection) == moved)
      #expect(matches.started.isEmpty && matches.ended.isEmpty)
      #expect(matches.continued.allSatisfy { $0.jump < 0.1 })
      #expect(matches.continued.count == 3)
    }
  }

  @Test func aDetectionOfAnotherClassIsAnotherObject() {
    var tracks = BoxTracks()
    tracks.take([detection(10, 10)])
    let matches = tracks.take([detection(10, 10, category: 1)])
    #expect(matches.started == [2])
    #expect(tracks.boxes.map(\.identity) == [2])
  }

  @Test func whatIsMissedOnceComesBackAndWhatIsMissedTwiceIsOver() {
    var tracks = BoxTracks()
    tracks.take(first)
    tracks.take(Array(first.dropFirst()))
    #expect(tracks.boxes.map(\.identity) == [2, 3])
    var fork = tracks
    tracks.take(first)
    #expect(tracks.boxes.map(\.identity) == [1, 2, 3])
    #expect(fork.take(Array(first.dropFirst())).ended == [1])
    #expect(fork.take(first).started == [4])
  }

  @Test func aSmallFastThingThatOverlapsNoMoreIsTheSame() {
    var tracks = BoxTracks()
    tracks.take([detection(100, 100, 8, 8)])
    tracks.advance(along: still())
    #expect(tracks.take([detection(105, 101, 8, 8)]).started.isEmpty)
    #expect(tracks.take([detection(130, 101, 8, 8)]).started == [2])
  }

  @Test func theBestAssignmentIsTakenAndNotTheFirst() {
    // The left track overlaps both detections and prefers the one that is the right track's only.
    var tracks = BoxTracks()
    tracks.take([detection(100, 100, 40, 40), detection(125, 100, 40, 40)])
    tracks.take([detection(112, 100, 40, 40), detection(88, 100, 40, 40)])
    #expect(tracks.boxes.map(\.detection.box.x) == [88, 112])
  }

  @Test func tracksEndWhereTheyLeaveThePicture() {
    var tracks = BoxTracks()
    tracks.take([detection(20, 50), detection(250, 50)])
    for _ in 0..<10 { tracks.advance(along: still(-6)) }
    #expect(tracks.boxes.map(\.identity) == [2])
  }

  @Test func confidenceFallsWithAgeAndFasterWhereNothingIsKnown() throws {
    var (known, unknown) = (BoxTracks(), BoxTracks())
    known.take(first)
    unknown.take(first)
    var last = 0.8
    for age in 1...5 {
      known.advance(along: still())
      unknown.advance(along: MotionStep(size: picture))
      let box = try #require(known.boxes.first)
      #expect(box.age == age)
      #expect(box.confidence < last && box.confidence > 0.5)
      #expect(try #require(unknown.boxes.first).confidence < box.confidence)
      last = box.confidence
    }
    known.take(first)
    #expect(known.boxes.first?.confidence == 0.8)
  }

  @Test func detectionsThatAreNoBoxesAreLeftOut() {
    var tracks = BoxTracks()
    tracks.take([
      detection(.nan, 10), detection(10, 10, 0, 5), detection(10, 10, .infinity, 5),
      detection(10, 10, score: .nan), detection(1, 2),
    ])
    #expect(tracks.boxes.count == 1)
  }

  @Test func identitiesAreNotUsedAgain() {
    var tracks = BoxTracks()
    tracks.take(first)
    tracks.endAll()
    #expect(tracks.boxes.isEmpty)
    #expect(tracks.take(first).started == [4, 5, 6])
  }

  @Test func theSameStreamGivesTheSameBoxes() {
    func boxes() -> [TrackedBox] {
      var tracks = BoxTracks()
      for _ in 0..<3 {
        tracks.take(first)
        for _ in 0..<4 { tracks.advance(along: still(1.3, 0.7)) }
      }
      return tracks.boxes
    }
    #expect(boxes() == boxes())
  }

  @Test func changesSayWhatHappensToTheBoxes() throws {
    var tracks = BoxTracks()
    #expect(tracks.change(in: picture) == nil)
    tracks.take([detection(20, 50), detection(250, 50)])
    let grey = Image(width: 320, height: 200, channels: 1, repeating: 100)
    let bright = Image(width: 320, height: 200, channels: 1, repeating: 103)
    var same = tracks
    same.advance(
      along: MotionStep(size: picture, forward: still().forward, pictures: (grey, grey)))
    let none = try #require(same.change(in: picture))
    #expect(none.brightness == 0 && none.leaving == 0)
    #expect(none.spread < 1e-6 && none.unsupported < 0.05)
    tracks.advance(
      along: MotionStep(size: picture, forward: still(-7).forward, pictures: (grey, bright)))
    let change = try #require(tracks.change(in: picture))
    #expect(abs((change.brightness ?? 0) - 3) < 1e-9)
    #expect(change.leaving == 0.5, "the left one is about to leave")
    var lost = tracks
    lost.advance(along: MotionStep(size: picture))
    #expect(try #require(lost.change(in: picture)).unsupported == 1)
  }
}
