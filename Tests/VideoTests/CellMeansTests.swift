// SPDX-License-Identifier: Apache-2.0
import Tensors
import Testing
import Video

/// Means of blocks and depths of numbers against plain loops.
struct CellMeansTests {
  private func picture(_ width: Int, _ height: Int) -> Image {
    Image(
      width: width, height: height, channels: 3,
      bytes: (0..<3 * width * height).map { (place: Int) -> UInt8 in
        UInt8(truncatingIfNeeded: place * place / 7 + 31 * place)
      })
  }

  // Runs of more than 64 cells, and of fewer.
  @Test(arguments: [(4, 280, 12), (4, 4, 4), (3, 21, 9), (16, 48, 32), (1, 7, 5)])
  func meansAreThoseOfALoop(cell: Int, width: Int, height: Int) throws {
    let image = picture(width, height)
    let means = try #require(try image.cellMeans(cell))
    let (rows, columns) = (height / cell, width / cell)
    #expect(means.shape == [1, 3, rows, columns])
    for (place, mean) in try means.floats().enumerated() {
      let (channel, cells) = (place / (rows * columns), place % (rows * columns))
      var sum = 0
      for y in 0..<cell {
        for x in 0..<cell {
          sum += Int(
            image[
              x: cells % columns * cell + x, y: cells / columns * cell + y, channel: channel])
        }
      }
      #expect(abs(Double(mean) - Double(sum) / Double(cell * cell)) < 1e-4)
    }
  }

  /// To the last bit what a network's picture gives when it is pooled.
  @Test func meansOfFourAreThoseOfThePooledPicture() throws {
    let image = picture(120, 44)
    let pooled = try image.tensor().adaptiveAveragePool(Extent(height: 11, width: 30))
    let means = try #require(try image.cellMeans(4))
    let (mine, theirs) = (try means.floats(), try pooled.floats())
    #expect(mine.map(\.bitPattern) == theirs.map(\.bitPattern))
    #expect(try picture(121, 44).cellMeans(4) == nil)
    #expect(try picture(34, 34).cellMeans(17) == nil)
  }

  @Test(arguments: [true, false]) func depthsAreThoseOfALoop(isInverse: Bool) throws {
    let numbers = (0..<77).map { Float($0) * 0.07 - 1 }
    func read(_ numbers: [Float]) -> DepthMap? {
      numbers.withUnsafeBufferPointer {
        DepthMap(
          PixelSize(width: 11, height: 7), reading: $0, isInverse: isInverse, scale: 0.5,
          shift: -0.25, range: 0.75...8)
      }
    }
    let depths = try #require(read(numbers))
    for (number, metres) in zip(numbers, depths.metres) {
      let value = 0.5 * number + -0.25
      let depth = isInverse ? (value > 1 / 8 ? max(1 / value, 0.75) : 8) : min(max(value, 0.75), 8)
      #expect(metres == depth)
    }
    for odd in [Float.nan, .infinity, -.infinity] {
      var broken = numbers
      broken[70] = odd
      #expect(read(broken) == nil)
    }
  }
}
