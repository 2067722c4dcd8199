// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import Testing

private func failure(_ body: () throws -> Any?) throws -> TensorError {
  try #require(throws: TensorError.self) { _ = try body() }
}

@Test func shapesThatDoNotFitAreBothNamed() throws {
  let (left, right) = (try Tensor.zeros([2, 3]), try Tensor.zeros([4, 5]))
  let image = try Tensor.zeros([1, 2, 3, 3])
  let attempts: [() throws -> Any?] = [
    { try left + right }, { try left.matmul(right) }, { try left.reshaped(to: [4, 5]) },
    { try left.expanded(to: [4, 5]) }, { try Tensor.concatenate([left, right], axis: 0) },
    { try Tensor.stack([left, right]) }, { try left.filled(with: 0, where: right) },
    { try Tensor.choose(where: left, left, otherwise: right) },
  ]
  for attempt in attempts {
    let error = try failure(attempt)
    #expect(error.code == .badShape, "\(error)")
    #expect(error.message.contains("[2, 3]") && error.message.contains("[4, 5]"), "\(error)")
  }
  let error = try failure { try image.conv2d(Tensor.zeros([4, 3, 1, 1])) }
  #expect(error.code == .badShape && error.operation.hasPrefix("conv2d"))
  #expect(error.message.contains("[1, 2, 3, 3]") && error.message.contains("[4, 3, 1, 1]"))
}

@Test func theOperationIsNamedAsSwiftSpellsIt() throws {
  let error = try failure { try Tensor.zeros([2]) + Tensor.zeros([3]) }
  #expect(error.operation == "+(_:_:)" && "\(error)".hasPrefix("+(_:_:): [2] and [3]"))
}

@Test func theTypeIsBad() throws {
  #expect(try failure { try Tensor.zeros([2], type: .int64).requiringGradient() }.code == .badType)
}

@Test func anArgumentIsBad() throws {
  let tensor = try Tensor.zeros([2])
  let attempts: [() throws -> Any?] = [
    { try tensor.slice(axis: 0, 1..<4) }, { try tensor.sum(axes: [3]) },
    { try tensor.select(axis: 0, index: 2) }, { try tensor.permuted(0, 1) },
    { try Tensor.range(from: 0, to: 1, by: 0) }, { try tensor.dropout(1, seed: 0) },
    { try Tensor.concatenate([], axis: 0) }, { try TorchRuntime.setThreads(0) },
    { try tensor.conv2d(tensor, groups: 0) }, { try tensor.backward() },
    { try tensor.largest(3) }, { try tensor.oneHot(classes: 2) },
  ]
  for attempt in attempts {
    let error = try failure(attempt)
    #expect(error.code == .badArgument || error.code == .badShape, "\(error)")
    #expect(!error.message.contains("\n") && !error.message.isEmpty)
  }
  #expect(try failure { try tensor.slice(axis: 0, 1..<4) }.code == .badArgument)
}

@Test func tooMuchMemoryIsRefusedBeforeItIsAskedFor() throws {
  let shapes: [Shape] = [[1 << 40], [1 << 40, 1 << 40], [Int.max, 2]]
  for shape in shapes {
    #expect(try failure { try Tensor.zeros(shape) }.code == .outOfMemory)
  }
  #expect(try failure { try Tensor.normal([1 << 30, 1 << 30], seed: 0) }.code == .outOfMemory)
  #expect(try failure { try Tensor.zeros([-1]) }.code == .badShape)
  let image = try Tensor.zeros([1, 1, 1, 1])
  let huge = try failure { try image.resizedNearest(height: 1 << 30, width: 1 << 30) }
  #expect(huge.code == .outOfMemory)
}

@Test func valuesThatDoNotFillAShapeAreRefused() throws {
  let error = try failure { try Tensor([1, 2, 3] as [Float], shape: [2, 2]) }
  #expect(error.code == .badShape && error.message == "3 values do not fill [2, 2]")
}

@Test func aMissingDeviceIsTold() throws {
  let error = try failure { try Tensor.zeros([1]).to(.cuda(12345)) }
  #expect(error.code == .noDevice)
}

@Test func aMissingBackendIsTold() throws {
  let nowhere = try failure { try TorchRuntime.probe("/nowhere/100%s%n.so") }
  #expect(nowhere.code == .backendMissing && nowhere.message.contains("/nowhere/100%s%n.so"))
  let other = try failure { try TorchRuntime.probe("libm.so.6") }
  #expect(other.code == .backendMissing && other.message.contains("not a backend of this package"))
}

@Test func aMessageWithAPercentSignSurvives() throws {
  let error = try failure { try TorchScriptModule(contentsOf: "/nowhere/50%d%s%n.pt") }
  #expect(error.code == .badFile && error.message.contains("/nowhere/50%d%s%n.pt"))
}
