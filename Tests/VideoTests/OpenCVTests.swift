// SPDX-License-Identifier: Apache-2.0
import Testing
import Video

// Threads are the process's own, so no two of these run at a time.
@Suite(.serialized) struct OpenCVTests {
  @Test func theVersionIsOpenCVs() { #expect(OpenCV.version.hasPrefix("4.")) }

  @Test func threadsAreSetAndFreed() throws {
    try OpenCV.setThreads(1)
    #expect(OpenCV.threads == 1)
    try OpenCV.setThreads(2)
    #expect(OpenCV.threads == 2)
    try OpenCV.setThreads(0)
    #expect(OpenCV.threads >= 1)
    let error = try #require(throws: OpenCVError.self) { try OpenCV.setThreads(-1) }
    #expect(error.code == .badArgument && error.message.contains("negative"))
  }

  @Test func greyIsBT601() throws {
    let image = noise(width: 31, height: 17, channels: 3)
    let grey = try image.grey()
    #expect((grey.width, grey.height, grey.channels) == (31, 17, 1))
    for y in 0..<17 {
      for x in 0..<31 {
        let (blue, green, red) = (
          Double(image[x: x, y: y, channel: 0]), Double(image[x: x, y: y, channel: 1]),
          Double(image[x: x, y: y, channel: 2])
        )
        let wanted = 0.114 * blue + 0.587 * green + 0.299 * red
        #expect(abs(Double(grey[x: x, y: y]) - wanted) <= 0.51)
      }
    }
    #expect(try grey.grey() == grey)
  }

  @Test func twoChannelsAreNotTurnedGrey() throws {
    let error = try #require(throws: OpenCVError.self) {
      try noise(width: 4, height: 4, channels: 2).grey()
    }
    #expect(error.code == .badArgument && error.operation == "grey()")
  }

  @Test func shrinkingAverages() throws {
    let image = noise(width: 24, height: 18, channels: 3)
    let small = try image.resized(width: 8, height: 9)
    for y in 0..<9 {
      for x in 0..<8 {
        for channel in 0..<3 {
          var sum = 0.0
          for row in 0..<2 {
            for column in 0..<3 {
              sum += Double(image[x: 3 * x + column, y: 2 * y + row, channel: channel])
            }
          }
          #expect(abs(Double(small[x: x, y: y, channel: channel]) - sum / 6) <= 0.51)
        }
      }
    }
  }

  /// Of five pixels each of two is the mean of two and a half.
  @Test func partsOfPixelsCountByTheirShare() throws {
    let row = Image(width: 5, height: 1, channels: 1, bytes: [10, 20, 30, 40, 50])
    #expect(try row.resized(width: 2, height: 1).bytes == [18, 42])
    let column = Image(width: 1, height: 5, channels: 1, bytes: [10, 20, 30, 40, 50])
    #expect(try column.resized(width: 1, height: 2).bytes == [18, 42])
    // Halves go up.
    let pair = Image(width: 2, height: 1, channels: 3, bytes: [0, 1, 2, 1, 2, 3])
    #expect(try pair.resized(width: 1, height: 1).bytes == [1, 2, 3])
  }

  @Test func enlargingIsBilinearBetweenPixelCentres() throws {
    let image = noise(width: 7, height: 5, channels: 1)
    let large = try image.resized(width: 16, height: 13)
    for y in 0..<13 {
      for x in 0..<16 {
        let wanted = sample(
          image, (Double(x) + 0.5) * 7 / 16 - 0.5, (Double(y) + 0.5) * 5 / 13 - 0.5)
        #expect(abs(Double(large[x: x, y: y]) - wanted) <= 1)
      }
    }
  }

  @Test func theSameSizeIsTheSameImage() throws {
    let image = noise(width: 9, height: 7, channels: 3)
    #expect(try image.resized(width: 9, height: 7) == image)
    #expect(try image.resized(width: 1, height: 1).bytes.count == 3)
  }

  @Test(arguments: [OpenCVDIS.Preset.ultrafast, .fast, .medium])
  func flowDoesNotDependOnTheThreads(preset: OpenCVDIS.Preset) throws {
    defer { try? OpenCV.setThreads(0) }
    let (first, second) = (
      try noise(width: 24, height: 18, channels: 1).resized(width: 241, height: 179),
      try noise(width: 23, height: 18, channels: 1).resized(width: 241, height: 179)
    )
    let fields = try [1, 2, 3].map { threads in
      try OpenCV.setThreads(threads)
      return try flow(of: OpenCVDIS(preset), from: first, to: second)
    }
    #expect(fields[0] == fields[1] && fields[1] == fields[2])
  }

  @Test func anEstimatorRemembersNothingOfTheFrameBefore() throws {
    let (first, second) = (
      noise(width: 128, height: 96, channels: 1),
      try noise(width: 32, height: 24, channels: 1).resized(width: 128, height: 96)
    )
    let kept = OpenCVDIS(.medium)
    let once = try flow(of: kept, from: first, to: second)
    _ = try flow(of: kept, from: second, to: first)
    #expect(try flow(of: kept, from: first, to: second) == once)
    #expect(try flow(of: OpenCVDIS(.medium), from: first, to: second) == once)
  }

  @Test func coloursHaveNoFlow() throws {
    let image = noise(width: 32, height: 32, channels: 3)
    let error = try #require(throws: OpenCVError.self) {
      try flow(of: OpenCVDIS(.fast), from: image, to: image)
    }
    #expect(error.code == .badArgument && error.message.contains("grey"))
  }
}

private func flow(of method: OpenCVDIS, from first: Image, to second: Image) throws -> [Float] {
  // What is there before must not be read: not a number would spread.
  var field = [Float](repeating: .nan, count: 2 * first.width * first.height)
  try field.withUnsafeMutableBufferPointer {
    try method.write(from: first, to: second, into: #require($0.baseAddress))
  }
  return field
}

private func noise(width: Int, height: Int, channels: Int) -> Image {
  var state = UInt64(width * 31 + height)
  return Image(width: width, height: height, channels: channels) { bytes in
    for index in bytes.indices {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      bytes[index] = UInt8(truncatingIfNeeded: state >> 56)
    }
  }
}

/// Bilinear at (x, y), clamped to the image.
private func sample(_ image: Image, _ x: Double, _ y: Double) -> Double {
  let (x, y) = (min(max(x, 0), Double(image.width - 1)), min(max(y, 0), Double(image.height - 1)))
  var sum = 0.0
  for row in 0..<image.height {
    for column in 0..<image.width {
      sum +=
        max(0, 1 - abs(x - Double(column))) * max(0, 1 - abs(y - Double(row)))
        * Double(image[x: column, y: row])
    }
  }
  return sum
}
