// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Tensors
import TestSupport
import Testing

@Test func aTensorGivesBackWhatItWasMadeOf() throws {
  let tensor = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
  #expect(tensor.shape == [2, 3] && tensor.rank == 2 && tensor.count == 6)
  #expect(tensor.type == .float32 && tensor.device == .cpu && tensor.isContiguous)
  #expect(try tensor.floats() == [1, 2, 3, 4, 5, 6])
  #expect(try Tensor([250, 7] as [UInt8], shape: [2]).bytes() == [250, 7])
  #expect(try Tensor([1 << 40, -1] as [Int64], shape: [1, 2]).integers() == [1 << 40, -1])
}

@Test func emptyAndScalarTensorsAreTensors() throws {
  let empty = try Tensor([] as [Float], shape: [0, 3])
  #expect(try empty.count == 0 && empty.floats() == [])
  let scalar = try Tensor(2.5)
  #expect(try scalar.rank == 0 && scalar.item() == 2.5)
}

@Test func readingConverts() throws {
  let tensor = try Tensor([1.75, 2.5] as [Float], shape: [2])
  #expect(try tensor.integers() == [1, 2] && tensor.bytes() == [1, 2])
  #expect(try tensor.transposed(0, 0).cast(to: .float16).floats() == [1.75, 2.5])
}

@Test(arguments: ElementType.allCases)
func castsKeepSmallWholeNumbers(type: ElementType) throws {
  let tensor = try Tensor([0, 1, 5, 120] as [Float], shape: [4]).cast(to: type)
  #expect(try tensor.type == type && tensor.floats() == [0, 1, 5, 120])
}

@Test func halvesRoundToTheNearest() throws {
  let value: Float = 1 + 0x1p-11 + 0x1p-13
  #expect(try Tensor(value).cast(to: .float16).item() == 1 + 0x1p-10)
  #expect(try Tensor(1 + 0x1p-9).cast(to: .bfloat16).item() == 1)
}

@Test func constantsAndRanges() throws {
  #expect(try Tensor.zeros([2]).floats() == [0, 0] && Tensor.ones([1, 2]).floats() == [1, 1])
  #expect(try Tensor.full([2], of: 7, type: .int64).integers() == [7, 7])
  #expect(try Tensor.range(to: 3).floats() == [0, 1, 2])
  #expect(try Tensor.range(from: 5, to: 0, by: -2, type: .int64).integers() == [5, 3, 1])
}

@Test func theSameSeedGivesTheSameDraws() throws {
  let first = try Tensor.normal([1000], mean: 3, deviation: 2, seed: 5)
  let second = try Tensor.normal([1000], mean: 3, deviation: 2, seed: 5)
  let other = try Tensor.normal([1000], mean: 3, deviation: 2, seed: 6)
  #expect(try first.floats() == second.floats() && first.floats() != other.floats())
  #expect(try abs(first.mean().item() - 3) < 0.3 && abs(first.variance().item() - 4) < 0.8)
  let uniform = try Tensor.uniform([1000], in: -1..<2, seed: 1)
  #expect(try uniform.min().item() >= -1 && uniform.max().item() < 2)
  #expect(try abs(uniform.mean().item() - 0.5) < 0.1)
}

@Test func elementsInStorageOrderAreReadInPlace() throws {
  let tensor = try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
  let columns = try tensor.transposed().withUnsafeBytes { [Float]($0.bindMemory(to: Float.self)) }
  #expect(columns == [1, 3, 2, 4])
  let first = try tensor.withUnsafeBytes { $0.baseAddress }
  #expect(try first == tensor.withUnsafeBytes { $0.baseAddress })
}

/// Memory that says when it goes.
private final class Memory: Sendable {
  nonisolated(unsafe) let floats: UnsafeMutablePointer<Float>
  let released: Released
  init(_ values: [Float], _ released: Released) {
    floats = .allocate(capacity: values.count)
    floats.initialize(from: values, count: values.count)
    self.released = released
  }
  deinit {
    floats.deallocate()
    released.flag.store(true, ordering: .sequentiallyConsistent)
  }
}

private final class Released: Sendable {
  let flag = Atomic(false)
  var now: Bool { flag.load(ordering: .sequentiallyConsistent) }
}

@Test func aViewKeepsItsMemoryUntilTheLastTensorOverItGoes() throws {
  let released = Released()
  var view: Tensor?
  do {
    let memory = Memory([1, 2, 3, 4, 5, 6], released)
    view = try Tensor(viewing: memory.floats, owner: memory, shape: [2, 3], type: .float32)
    memory.floats[0] = 9
  }
  #expect(!released.now)
  var row = try view?.select(axis: 0, index: 0)
  view = nil
  #expect(try !released.now && row?.floats() == [9, 2, 3])
  row = nil
  #expect(released.now)
}

@Test func aViewFollowsItsStrides() throws {
  let memory = Memory([1, 2, 3, 4, 5, 6], Released())
  let view = try Tensor(
    viewing: memory.floats, owner: memory, shape: [3, 2], strides: [1, 3], type: .float32)
  #expect(try view.floats() == [1, 4, 2, 5, 3, 6])
}

@Test func aViewThatFailsLetsItsOwnerGo() throws {
  let released = Released()
  do {
    let memory = Memory([1], released)
    #expect(throws: TensorError.self) {
      try Tensor(
        viewing: memory.floats, owner: memory, shape: [1], strides: [1, 1], type: .float32)
    }
  }
  #expect(released.now)
}

@Test func threadsAreSetAndTold() throws {
  steadyThreads.lock()
  defer { steadyThreads.unlock() }
  let before = try TorchRuntime.threads()
  try TorchRuntime.setThreads(1)
  #expect(try TorchRuntime.threads() == 1)
  try TorchRuntime.setThreads(before)
  let description = try TorchRuntime.description()
  #expect(description.contains("LibTorch: ") && description.contains("oneDNN: "))
}
