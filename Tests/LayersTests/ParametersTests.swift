// SPDX-License-Identifier: Apache-2.0

import Layers
import Tensors
import Testing

struct ParametersTests {
  @Test func theSameSeedGivesTheSameValues() throws {
    let (first, again, other) = (try draw(seed: 1), try draw(seed: 1), try draw(seed: 2))
    #expect(first == again)
    #expect(first["a.conv.weight"] != other["a.conv.weight"])
  }

  @Test func anotherLayerChangesNoOthersDraw() throws {
    let (without, with) = (try draw(seed: 1), try draw(seed: 1, withAnother: true))
    #expect(with.count == without.count + 1)
    for (name, values) in without { #expect(with[name] == values) }
  }

  @Test func twoParametersOfOneNameAreRefused() throws {
    let scope = Parameters(seed: 1).root["conv"]
    _ = try Conv2d(2, 2, kernel: 1, in: scope)
    let error = try #require(throws: LayerError.self) { try Conv2d(2, 2, kernel: 1, in: scope) }
    #expect(error.message == "two parameters are called 'conv.weight'")
  }

  @Test func statisticsAreNotCounted() throws {
    let parameters = Parameters(seed: 1)
    _ = try ConvolutionBlock(3, 5, kernel: 3, in: parameters.root)
    #expect(parameters.count == 3 * 5 * 9 + 2 * 5)
    #expect(parameters.all.map(\.kind) == [.weight, .offset, .offset, .statistic, .statistic])
    #expect(
      parameters.all.map(\.name) == [
        "conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var",
      ])
  }

  @Test(arguments: [ElementType.float32, .float16])
  func whatIsReadIsWhatWasWritten(type: ElementType) throws {
    let values = try Tensor.normal([2, 3, 1, 1], seed: 4).cast(to: type)
    let file = try self.file(["net.weight": values])
    let parameters = Parameters(reading: file, prefix: "net.")
    let layer = try Conv2d(3, 2, kernel: 1, bias: false, in: parameters.root)
    #expect(layer.weight.type == .float32)
    #expect(try layer.weight.floats() == values.cast(to: .float32).floats())
    try layer.weight.assign(.zeros([2, 3, 1, 1]))
    #expect(try file.tensor("net.weight").floats() == values.floats())
  }

  @Test func aBaseStandsInWhereItFitsAndMayDifferWhereThatIsSaid() throws {
    let file = try self.file(["a.weight": .ones([2, 3, 1, 1]), "b.weight": .ones([2, 5, 1, 1])])
    func draw(_ mayDiffer: @escaping @Sendable (String) -> Bool) throws -> Parameters {
      let parameters = Parameters(seed: 4)
      parameters.base(mayDiffer: mayDiffer) { file }
      for name in ["a", "b"] {
        _ = try Conv2d(3, 2, kernel: 1, bias: false, in: parameters.root[name])
      }
      return parameters
    }
    let parameters = try draw { $0 == "b.weight" }
    #expect(try parameters.all[0].tensor.floats() == [Float](repeating: 1, count: 6))
    #expect(try parameters.all[1].tensor.floats() != [Float](repeating: 1, count: 6))
    #expect(try parameters.isBased("a.weight"))
    #expect(try !parameters.isBased("b.weight") && !parameters.isBased("c.weight"))
    let error = try #require(throws: LayerError.self) { try draw { $0 == "a.weight" } }
    #expect(error.message.hasPrefix("'b.weight' is [2, 5, 1, 1] in the file"))
  }

  @Test func whatTheFileLacksIsNamed() throws {
    let parameters = Parameters(reading: try file(["weight": .zeros([2, 3, 1, 1])]))
    let error = try #require(throws: SafetensorsError.self) {
      try Conv2d(3, 2, kernel: 1, in: parameters.root)
    }
    #expect(error.description == "tensor \"bias\": the file has none of that name")
  }

  /// What is finite in the file and not as it is used: 1e300 in 64 bits, a variance below zero.
  @Test func whatBecomesNoNumberIsNamed() throws {
    let header =
      #"{"bias":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"#
      + #""weight":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}"#
    let numbers = [1.0, 1e300].flatMap {
      withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init)
    }
    let bytes = [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8) + numbers
    let wide = Parameters(reading: try SafetensorsFile(bytes: bytes))
    let tooLarge = try #require(throws: LayerError.self) { try BatchNorm2d(1, in: wide.root) }
    #expect(tooLarge.message.contains("'weight'") && tooLarge.message.contains("32 bits"))
    let file = try file([
      "weight": .ones([2]), "bias": .zeros([2]), "running_mean": .zeros([2]),
      "running_var": try Tensor([1, -5], shape: [2]),
    ])
    let negative = try #require(throws: LayerError.self) {
      try BatchNorm2d(2, in: Parameters(reading: file).root)
    }
    #expect(negative.message.contains("'running_var'"))
    #expect(negative.message.contains("below zero"))
  }

  @Test func aWrongShapeIsNamed() throws {
    let parameters = Parameters(reading: try file(["conv.weight": .zeros([2, 3, 3, 3])]))
    let error = try #require(throws: LayerError.self) {
      try Conv2d(3, 2, kernel: 1, in: parameters.root["conv"])
    }
    #expect(
      error.message == "'conv.weight' is [2, 3, 3, 3] in the file, the network needs [2, 3, 1, 1]")
  }

  @Test func wholeNumbersAreNoWeights() throws {
    let file = try file(["weight": Tensor([1, 2, 3] as [Int64], shape: [1, 3, 1, 1])])
    let error = try #require(throws: LayerError.self) {
      try Conv2d(3, 1, kernel: 1, in: Parameters(reading: file).root)
    }
    #expect(error.message == "'weight' is I64 in the file, not floating-point numbers")
  }

  @Test func whatIsLeftInTheFileIsTold() throws {
    let file = try file([
      "net.weight": .zeros([2, 3, 1, 1]), "net.more": .zeros([1]), "other": .zeros([1]),
      "net.bn.num_batches_tracked": .zeros([1]),
    ])
    let parameters = Parameters(reading: file, prefix: "net.")
    _ = try Conv2d(3, 2, kernel: 1, bias: false, in: parameters.root)
    #expect(parameters.unread == ["net.more"])
    #expect(Parameters(seed: 1).unread == [])
  }

  private func draw(seed: UInt64, withAnother: Bool = false) throws -> [String: [Float]] {
    let parameters = Parameters(seed: seed)
    if withAnother { _ = try Conv2d(4, 4, kernel: 1, bias: false, in: parameters.root["more"]) }
    _ = try ConvolutionBlock(3, 4, kernel: 3, in: parameters.root["a"])
    _ = try Conv2d(4, 2, kernel: 1, in: parameters.root["b"])
    return try Dictionary(
      uniqueKeysWithValues: parameters.all.map { ($0.name, try $0.tensor.floats()) })
  }

  private func file(_ tensors: [String: Tensor]) throws -> SafetensorsFile {
    try SafetensorsFile(bytes: SafetensorsFile.encode(tensors))
  }
}
