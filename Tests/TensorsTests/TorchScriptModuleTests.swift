// SPDX-License-Identifier: Apache-2.0
import Foundation
import Tensors
import TestSupport
import Testing

private let espnet = sharedData?.appending(
  path: "models/espnet_p2q8_camvid_360x480.torchscript.pt")
private let fixtures = URL(filePath: #filePath).appending(path: "../../Fixtures/TorchScript")
  .standardized
private let net = fixtures.appending(path: "net.pt").path

private let allOptions: [TorchScriptModule.Options] = [
  [], .frozen, .optimized, .channelsLast, [.frozen, .optimized], [.frozen, .channelsLast],
  [.frozen, .optimized, .channelsLast],
]

@Test(arguments: allOptions.indices)
func everyPreparationGivesTheNetworksResult(index: Int) throws {
  let module = try TorchScriptModule(contentsOf: net, options: allOptions[index])
  // Weights of one, bias ½, running mean 1 and deviation 2: (sum of neighbours - ½) / 2.
  let image = try Tensor([1, 2, 3, 4], shape: [1, 1, 2, 2])
  for _ in 0..<3 {
    let outputs = try module(image)
    #expect(outputs.count == 1)
    try expectEqual(
      outputs[0], [Float](repeating: 4.75, count: 8), shape: [1, 2, 2, 2], within: 1e-4)
  }
}

@Test(arguments: allOptions.indices)
func tuplesAndListsComeInOrder(index: Int) throws {
  let module = try TorchScriptModule(contentsOf: net, options: allOptions[index])
  #expect(try Set(module.methods()) == ["forward", "pair", "parts", "number"])
  #expect(module.parameterCount == 2 * 9 + 2 + 2 + 2)
  let (x, y) = (try Tensor([1, 2], shape: [2]), try Tensor([5, 7], shape: [2]))
  let pair = try module(x, y, method: "pair")
  #expect(try pair.map { try $0.floats() } == [[6, 9], [-4, -5]])
  let parts = try module(y, method: "parts")
  #expect(try parts.map { try $0.item() } == [5, 7])
}

@Test func whatIsNotATensorIsRefused() throws {
  let module = try TorchScriptModule(contentsOf: net)
  let input = try Tensor([1], shape: [1])
  let number = try #require(throws: TensorError.self) { try module(input, method: "number") }
  #expect(number.code == .badType && number.message.contains("Int"))
  let unknown = try #require(throws: TensorError.self) { try module(input, method: "nothing") }
  #expect(unknown.code == .badArgument && unknown.message.contains("nothing"))
  let few = try #require(throws: TensorError.self) { try module(input, method: "pair") }
  #expect(!few.message.isEmpty)
}

@Test func aDictionarysValuesAreTakenByTheirKeys() throws {
  let module = try TorchScriptModule(contentsOf: fixtures.appending(path: "named.pt").path)
  let input = try Tensor([1, 2], shape: [2])
  #expect(try module.call("forward", [input], key: "aux")[0].floats() == [-1, -2])
  #expect(try module.call("forward", [input], key: "out")[0].floats() == [2, 4])
  // The only one needs no key.
  #expect(try module.call("single", [input])[0].floats() == [3, 6])
  for key in [nil, "other"] {
    let error = try #require(throws: TensorError.self) {
      try module.call("forward", [input], key: key)
    }
    #expect(error.code == .badArgument && error.message.contains("out, aux"), "\(error)")
  }
  let plain = try #require(throws: TensorError.self) {
    try TorchScriptModule(contentsOf: net).call("parts", [input], key: "out")
  }
  #expect(plain.message.contains("no dictionary"))
}

/// Where LibTorch is Debian's 1.13, the file is too new, and the way out is told; else it runs.
@Test func aFileThatIsTooNewIsToldSo() throws {
  let path = fixtures.appending(path: "attention.pt").path
  guard try TorchRuntime.description().contains("LibTorch: 1.") else {
    let module = try TorchScriptModule(contentsOf: path)
    // One row attends to itself alone.
    #expect(try module(Tensor([1, 2], shape: [1, 1, 2]))[0].floats() == [1, 2])
    return
  }
  let error = try #require(throws: TensorError.self) { try TorchScriptModule(contentsOf: path) }
  #expect(error.code == .badFile && error.message.contains("aten::scaled_dot_product_attention"))
  #expect(error.message.contains("Scripts/install-engines torch"), "\(error)")
}

@Test func whatTorchExportWritesIsRefusedByName() throws {
  let error = try #require(throws: TensorError.self) {
    try TorchScriptModule(contentsOf: fixtures.appending(path: "exported.pt2").path)
  }
  #expect(error.code == .badFile && error.message.contains("torch.export.save"), "\(error)")
}

@Test func resultsCarryNoGradient() throws {
  let image = try Tensor.ones([1, 1, 2, 2]).requiringGradient()
  #expect(try !TorchScriptModule(contentsOf: net)(image)[0].requiresGradient)
}

/// The counter adds its input to a buffer of its own; no addition may be lost.
@Test(arguments: allOptions.indices)
func callsOfAProgramThatWritesToItselfTakeTurns(index: Int) throws {
  let path = fixtures.appending(path: "counter.pt").path
  let counter = try TorchScriptModule(contentsOf: path, options: allOptions[index])
  let one = try Tensor([1], shape: [1])
  DispatchQueue.concurrentPerform(iterations: 4) { _ in
    for _ in 0..<250 { #expect(throws: Never.self) { try counter(one) } }
  }
  let seen = try counter(one)[0].floats()
  #expect(seen.count == 8192 && seen.allSatisfy { $0 == 1001 })
}

@Test func filesThatAreNoArchiveAreRefused() throws {
  let archive = try Data(contentsOf: URL(filePath: net))
  let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let contents: [String: Data] = [
    "empty": Data(), "text": Data("not a network\n".utf8), "short": Data("PK\u{3}\u{4}".utf8),
    "half": archive.prefix(archive.count / 2), "cut": archive.dropLast(10),
    "zeros": Data(archive.prefix(64)) + Data(count: 4096),
  ]
  for (name, data) in contents {
    let file = folder.appending(path: name)
    try data.write(to: file)
    let error = try #require(throws: TensorError.self, "\(name)") {
      try TorchScriptModule(contentsOf: file.path)
    }
    #expect(error.code == .badFile && error.message.contains(name), "\(error)")
  }
  for path in [fixtures.appending(path: "weights.pth").path, fixtures.path, "/nowhere"] {
    let error = try #require(throws: TensorError.self) { try TorchScriptModule(contentsOf: path) }
    #expect(error.code == .badFile && !error.message.contains("\n"), "\(error)")
  }
}

@Test(.timeLimit(.minutes(15))) func aPipeInPlaceOfAnArchiveIsRefused() throws {
  try withTemporaryFolder { folder in
    let path = folder.appending(path: "pipe.pt").path
    #expect(mkfifo(path, 0o600) == 0)
    let error = try #require(throws: TensorError.self) { try TorchScriptModule(contentsOf: path) }
    #expect(error.code == .badFile && error.message == "\(path) is not a regular file")
  }
}

@Test(.enabled(if: espnet != nil, "shared data is not there"))
func aNetworkOthersMadeGivesTheSameHoweverItIsPrepared() throws {
  let path = try #require(espnet).path
  let input = try Tensor.normal([1, 3, 360, 480], seed: 1)
  let plain = try TorchScriptModule(contentsOf: path, options: [])(input)
  #expect(plain.map(\.shape) == [[1, 12, 360, 480]])
  let expected = try plain[0].floats()
  for options in [[.frozen, .optimized], [.frozen, .channelsLast]] as [TorchScriptModule.Options] {
    let output = try TorchScriptModule(contentsOf: path, options: options)(input)
    #expect(try distance(output[0].floats(), expected) < 1e-2)
  }
}
