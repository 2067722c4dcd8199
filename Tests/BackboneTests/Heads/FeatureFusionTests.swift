// SPDX-License-Identifier: Apache-2.0

import Backbone
import Layers
import Tensors
import TestSupport
import Testing

/// One picture's map as nested lists: channel, row, column.
typealias Planes = [[[Double]]]

func planes(_ tensor: Tensor) throws -> Planes {
  let (values, shape) = (try tensor.floats().map(Double.init), tensor.shape)
  return (0..<shape[1]).map { channel in
    (0..<shape[2]).map { row in
      (0..<shape[3]).map { values[(channel * shape[2] + row) * shape[3] + $0] }
    }
  }
}

/// Draws every parameter anew, so that no normalisation is the identity.
func redraw(_ parameters: Parameters, seed: UInt64) throws {
  var draws = Draws(seed: seed)
  for parameter in parameters.all {
    let range: ClosedRange<Float> = parameter.name.hasSuffix("running_var") ? 0.5...2 : -0.6...0.6
    let values = draws.floats(parameter.tensor.count, in: range)
    try parameter.tensor.assign(Tensor(values, shape: parameter.tensor.shape))
  }
}

func randomMap(_ shape: Shape, seed: UInt64) throws -> Tensor {
  var draws = Draws(seed: seed)
  return try Tensor(draws.floats(shape.dimensions.reduce(1, *), in: -1...1), shape: shape)
}

/// Bilinear interpolation with half-pixel centres, by plain loops.
func slowResize(_ map: Planes, height: Int, width: Int) -> Planes {
  func weights(_ index: Int, _ count: Int, _ source: Int) -> (Int, Int, Double) {
    let place = max(0, (Double(index) + 0.5) * Double(source) / Double(count) - 0.5)
    let low = min(Int(place), source - 1)
    return (low, min(low + 1, source - 1), place - Double(low))
  }
  return map.map { plane in
    (0..<height).map { row in
      let (top, below, down) = weights(row, height, plane.count)
      return (0..<width).map { column in
        let (left, right, across) = weights(column, width, plane[0].count)
        let upper = plane[top][left] * (1 - across) + plane[top][right] * across
        let lower = plane[below][left] * (1 - across) + plane[below][right] * across
        return upper * (1 - down) + lower * down
      }
    }
  }
}

struct FeatureFusionTests {
  private let coarse = HeadInput(stage: "context", channels: 3, stride: 8)
  private let fine = HeadInput(stage: "decoder", channels: 2, stride: 2)

  private func maps(rows: Int = 13, columns: Int = 10) throws -> FeatureMaps {
    var maps = FeatureMaps(try randomMap([1, 2, rows, columns], seed: 3), after: "decoder")
    maps["context"] = try randomMap([1, 3, (rows + 3) / 4, (columns + 3) / 4], seed: 4)
    return maps
  }

  private func values(_ name: String, of parameters: Parameters) throws -> [Double] {
    try #require(parameters.all.first { $0.name == name }).tensor.floats().map(Double.init)
  }

  /// A lateral convolution of one output and its normalisation, by plain loops.
  private func slowLateral(
    _ map: Planes, _ name: String, output: Int, factor: Int, of parameters: Parameters
  ) throws -> [[Double]] {
    let weight = try values("\(name).conv.weight", of: parameters)
    func norm(_ part: String) throws -> Double {
      try values("\(name).bn.\(part)", of: parameters)[output]
    }
    let reach = factor / 2, size = 2 * reach + 1
    let scale = try norm("weight") / (norm("running_var") + 1e-5).squareRoot()
    let shift = try norm("bias") - norm("running_mean") * scale
    let (rows, columns) = (map[0].count, map[0][0].count)
    return stride(from: 0, to: rows, by: factor).map { y in
      stride(from: 0, to: columns, by: factor).map { x in
        var sum = 0.0
        for channel in map.indices {
          for dy in -reach...reach where (0..<rows).contains(y + dy) {
            for dx in -reach...reach where (0..<columns).contains(x + dx) {
              let kernel = ((output * map.count + channel) * size + dy + reach) * size + dx + reach
              sum += weight[kernel] * map[channel][y + dy][x + dx]
            }
          }
        }
        return sum * scale + shift
      }
    }
  }

  @Test(arguments: [(13, 10), (8, 16), (3, 5)])
  func itIsWhatPlainLoopsSay(rows: Int, columns: Int) throws {
    let parameters = Parameters(seed: 1)
    let fusion = try FeatureFusion(
      [coarse, fine], stride: 4, channels: 2, in: parameters.root)
    try redraw(parameters, seed: 7)
    let maps = try maps(rows: rows, columns: columns)
    let result = try fusion(maps, in: .inference)
    #expect(result.shape == [1, 2, (rows + 1) / 2, (columns + 1) / 2])
    let found = try planes(result)
    for output in 0..<2 {
      let sharp = try slowLateral(
        planes(maps.map(after: "decoder")), "decoder", output: output, factor: 2, of: parameters)
      let broad = try slowLateral(
        planes(maps.map(after: "context")), "context", output: output, factor: 1, of: parameters)
      let spread = slowResize([broad], height: sharp.count, width: sharp[0].count)[0]
      for (y, row) in sharp.enumerated() {
        for (x, value) in row.enumerated() {
          #expect(abs(found[output][y][x] - max(0, value + spread[y][x])) < 1e-5)
        }
      }
    }
    let folded = try planes(fusion.folded()(maps, in: .inference))
    for (one, other) in zip(found.joined().joined(), folded.joined().joined()) {
      #expect(abs(one - other) < 1e-5)
    }
  }

  @Test func coordinatesTellTheCentresOfCells() throws {
    let parameters = Parameters(seed: 1)
    let input = HeadInput(stage: "a", channels: 1, stride: 1)
    let fusion = try FeatureFusion(
      [input], stride: 1, channels: 2, coordinates: true, in: parameters.root)
    for parameter in parameters.all where parameter.name == "coordinates.weight" {
      // The column to the first channel, the row to the second; 2 keeps both above zero.
      try parameter.tensor.assign(Tensor([1, 0, 0, 1], shape: [2, 2, 1, 1]))
    }
    for parameter in parameters.all where parameter.name == "a.conv.weight" {
      try parameter.tensor.assign(Tensor([2, 2], shape: [2, 1, 1, 1]))
    }
    let found = try planes(
      fusion(FeatureMaps(.ones([1, 1, 2, 4]), after: "a"), in: .inference))
    for y in 0..<2 {
      for x in 0..<4 {
        #expect(abs(found[0][y][x] - 2 - [-0.75, -0.25, 0.25, 0.75][x]) < 1e-4)
        #expect(abs(found[1][y][x] - 2 - [-0.5, 0.5][y]) < 1e-4)
      }
    }
  }

  @Test func stridesThatDoNotFitAreRefused() throws {
    func make(_ strides: [Int], to stride: Int) throws {
      let inputs = strides.enumerated().map {
        HeadInput(stage: "s\($0.offset)", channels: 1, stride: $0.element)
      }
      _ = try FeatureFusion(inputs, stride: stride, channels: 1, in: Parameters(seed: 1).root)
    }
    try make([2, 16], to: 4)
    #expect(throws: BackboneError.self) { try make([8, 16], to: 4) }
    #expect(throws: BackboneError.self) { try make([2, 6], to: 4) }
    #expect(throws: BackboneError.self) { try make([], to: 4) }
  }

  @Test func aMissingOrForeignMapIsRefused() throws {
    let fusion = try FeatureFusion(
      [coarse, fine], stride: 4, channels: 2, in: Parameters(seed: 1).root)
    var maps = try maps()
    maps["context"] = try randomMap([1, 2, 4, 3], seed: 1)
    #expect(throws: BackboneError.self) { try fusion(maps, in: .inference) }
    maps["context"] = nil
    #expect(throws: BackboneError.self) { try fusion(maps, in: .inference) }
  }
}
