// SPDX-License-Identifier: Apache-2.0
import Tensors
import TestSupport

/// N × C × H × W numbers in double precision, zero outside.
struct Cells: CustomStringConvertible {
  let count: Int, channels: Int, height: Int, width: Int
  var values: [Double]

  init(_ count: Int, _ channels: Int, _ height: Int, _ width: Int, fill: Double = 0) {
    (self.count, self.channels, self.height, self.width) = (count, channels, height, width)
    values = [Double](repeating: fill, count: count * channels * height * width)
  }

  /// Numbers that single precision can hold.
  init(
    _ count: Int, _ channels: Int, _ height: Int, _ width: Int, in range: ClosedRange<Float>,
    using draws: inout Draws
  ) {
    self.init(count, channels, height, width)
    values = draws.floats(values.count, in: range).map(Double.init)
  }

  var description: String { "\(count)×\(channels)×\(height)×\(width)" }

  func contains(_ y: Int, _ x: Int) -> Bool {
    (0..<height).contains(y) && (0..<width).contains(x)
  }

  subscript(n: Int, c: Int, y: Int, x: Int) -> Double {
    get { contains(y, x) ? values[((n * channels + c) * height + y) * width + x] : 0 }
    set { values[((n * channels + c) * height + y) * width + x] = newValue }
  }

  func tensor(channelsLast: Bool = false) throws -> Tensor {
    let tensor = try Tensor(values.map(Float.init), shape: [count, channels, height, width])
    return try channelsLast ? tensor.channelsLast() : tensor
  }

  /// Numbers of the same places, from as many channels as asked for.
  func mapping(
    channels: Int, _ body: (_ n: Int, _ c: Int, _ y: Int, _ x: Int) -> Double
  ) -> Cells {
    var result = Cells(count, channels, height, width)
    for n in 0..<count {
      for c in 0..<channels {
        for y in 0..<height { for x in 0..<width { result[n, c, y, x] = body(n, c, y, x) } }
      }
    }
    return result
  }

  func dot(_ other: Cells) -> Double {
    zip(values, other.values).reduce(0) { $0 + $1.0 * $1.1 }
  }

  func furthest(from found: [Float]) -> Double {
    found.count == values.count
      ? zip(values, found).map { abs($0 - Double($1)) }.max() ?? 0 : .infinity
  }

  /// How `loss` changes with each number here, by central differences.
  func differences(of loss: (Cells) -> Double) -> [Double] {
    values.indices.map { index in
      var (ahead, behind) = (self, self)
      ahead.values[index] += 1e-5
      behind.values[index] -= 1e-5
      return (loss(ahead) - loss(behind)) / 2e-5
    }
  }
}

extension [Double] {
  func furthest(from found: Tensor) throws -> Double {
    zip(self, try found.floats()).map { abs($0 - Double($1)) }.max() ?? 0
  }
}

/// One tap of a neighbourhood: its number in row-major order, and how far down and right it is.
struct Tap {
  let number: Int, down: Int, right: Int

  static func all(size: Int) -> [Tap] {
    (0..<size * size).map {
      Tap(number: $0, down: $0 / size - size / 2, right: $0 % size - size / 2)
    }
  }
}

/// Runs `body` on so many of LibTorch's threads.
func onThreads<Result>(_ count: Int, _ body: () throws -> Result) throws -> Result {
  try TorchRuntime.withThreads(count, body)
}
