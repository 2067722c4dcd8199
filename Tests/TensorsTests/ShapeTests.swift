// SPDX-License-Identifier: Apache-2.0
import Tensors
import Testing

@Test func shapesCountWithoutOverflow() {
  #expect(
    ([2, 3] as Shape).count == 6 && ([] as Shape).count == 1 && ([0, 5] as Shape).count == 0)
  #expect(([1 << 40, 1 << 40] as Shape).count == nil && ([-1, 2] as Shape).count == nil)
  #expect("\([1, 12, 360, 480] as Shape)" == "[1, 12, 360, 480]")
  #expect(([4, 5] as Shape)[-1] == 5 && ([4, 5] as Shape).rank == 2)
}

/// 0, 1, 2, … in a shape.
private func counting(_ shape: Shape) throws -> Tensor {
  try Tensor.range(to: Double(shape.dimensions.reduce(1, *))).reshaped(to: shape)
}

@Test func axesMoveWithTheirElements() throws {
  let tensor = try counting([2, 3])
  try expectEqual(tensor.transposed(), [0, 3, 1, 4, 2, 5], shape: [3, 2])
  let cube = try counting([2, 2, 3]).permuted(2, 0, 1)
  try expectEqual(cube, [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11], shape: [3, 2, 2])
  try expectEqual(tensor.flipped(axes: 1), [2, 1, 0, 5, 4, 3], shape: [2, 3])
  try expectEqual(tensor.flipped(axes: 0, 1), [5, 4, 3, 2, 1, 0], shape: [2, 3])
}

@Test func sizesChangeAndElementsStay() throws {
  let tensor = try counting([2, 3, 4])
  #expect(try tensor.reshaped(to: [4, -1]).shape == [4, 6])
  #expect(try tensor.flattened().shape == [24] && tensor.flattened(from: 1).shape == [2, 12])
  #expect(try tensor.flattened(from: 0, through: 1).shape == [6, 4])
  #expect(try tensor.unsqueezed(axis: -1).shape == [2, 3, 4, 1])
  #expect(try tensor.unsqueezed(axis: 0).squeezed(axis: 0).shape == [2, 3, 4])
  #expect(try counting([1, 2]).expanded(to: [3, 2]).floats() == [0, 1, 0, 1, 0, 1])
}

@Test func channelsLastKeepsValuesAndMovesMemory() throws {
  let tensor = try counting([1, 2, 2, 2])
  let last = try tensor.channelsLast()
  #expect(last.isChannelsLast && !last.isContiguous && !tensor.isChannelsLast)
  #expect(try last.floats() == tensor.floats() && last.contiguous().isContiguous)
}

@Test func partsJoinToTheWhole() throws {
  let tensor = try counting([2, 5])
  let parts = try tensor.split(sizes: [2, 3], axis: 1)
  try expectEqual(parts[0], [0, 1, 5, 6], shape: [2, 2])
  #expect(try Tensor.concatenate(parts, axis: 1).floats() == tensor.floats())
  let rows = try tensor.chunked(into: 2, axis: 0)
  #expect(try rows.map(\.shape) == [[1, 5], [1, 5]] && rows[1].floats() == [5, 6, 7, 8, 9])
  try expectEqual(Tensor.stack(rows, axis: 1), try tensor.floats(), shape: [1, 2, 5])
}

@Test func slicesTakeEveryStepFromTheirLowerBound() throws {
  let tensor = try counting([2, 5])
  try expectEqual(tensor.slice(axis: 1, 1..<5, step: 2), [1, 3, 6, 8], shape: [2, 2])
  try expectEqual(tensor.select(axis: 1, index: -1), [4, 9], shape: [2])
  let indices = try Tensor([4, 0, 4] as [Int64], shape: [3])
  try expectEqual(tensor.select(axis: 1, indices: indices), [4, 0, 4, 9, 5, 9], shape: [2, 3])
}

@Test func gatherAndScatterAreEachOthersTranspose() throws {
  let tensor = try counting([2, 3])
  let places = try Tensor([2, 0, 1, 1] as [Int64], shape: [2, 2])
  try expectEqual(tensor.gather(axis: 1, indices: places), [2, 0, 4, 4], shape: [2, 2])
  let values = try Tensor([10, 20, 30, 40], shape: [2, 2])
  let sum = try Tensor.zeros([2, 3]).scatterAdding(values, axis: 1, indices: places)
  try expectEqual(sum, [20, 0, 10, 0, 70, 0], shape: [2, 3])
}

@Test func classesBecomeRows() throws {
  let rows = try Tensor([1, 0] as [Int64], shape: [2]).oneHot(classes: 3)
  #expect(try rows.integers() == [0, 1, 0, 1, 0, 0] && rows.shape == [2, 3])
}

@Test func paddingGoesAroundByItsKind() throws {
  let tensor = try Tensor([1, 2, 3], shape: [1, 1, 1, 3])
  let zero = try tensor.padded(top: 1, bottom: 0, left: 0, right: 1)
  try expectEqual(zero, [0, 0, 0, 0, 1, 2, 3, 0], shape: [1, 1, 2, 4])
  let nine = try tensor.padded(top: 0, bottom: 0, left: 1, right: 0, with: .constant(9))
  try expectEqual(nine, [9, 1, 2, 3], shape: [1, 1, 1, 4])
  let replicate = try tensor.padded(top: 0, bottom: 1, left: 2, right: 1, with: .replicate)
  try expectEqual(replicate, [1, 1, 1, 2, 3, 3, 1, 1, 1, 2, 3, 3], shape: [1, 1, 2, 6])
  let reflect = try tensor.padded(top: 0, bottom: 0, left: 2, right: 2, with: .reflect)
  try expectEqual(reflect, [3, 2, 1, 2, 3, 2, 1], shape: [1, 1, 1, 7])
}
