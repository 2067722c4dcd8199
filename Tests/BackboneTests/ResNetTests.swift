// SPDX-License-Identifier: Apache-2.0

import Backbone
import Layers
import Tensors
import Testing

struct ResNetTests {
  @Test(arguments: [ResNet.Depth.eighteen, .fifty], [8, 16, 32])
  func aNarrowNetworkIsTorchvisions(depth: ResNet.Depth, stride: Int) throws {
    let (golden, parameters, network) = try read(depth, stride: stride)
    try golden.expect(network.output(golden.tensor("input")), is: "stride\(stride)")
    try golden.expect(network.folded().output(golden.tensor("input")), is: "stride\(stride)")
    let own = ["input", "stride", "gradient", "after", "direction"]
    #expect(parameters.unread.allSatisfy { name in own.contains { name.hasPrefix($0) } })
  }

  @Test(arguments: [(ResNet.Depth.eighteen, 16), (.fifty, 8)])
  func itIsTrainedAsInTorchvision(depth: ResNet.Depth, stride: Int) throws {
    let (golden, parameters, network) = try read(depth, stride: stride)
    try golden.expectTraining(of: parameters, network.output, prefix: "encoder.")
  }

  /// Dilation gives, at more places, what striding gave: Chen et al., 2015, "atrous".
  @Test(arguments: [(33, 47), (64, 40)])
  func dilatedBottlenecksComputeTheSameAtMorePlaces(size: (Int, Int)) throws {
    let image = try Tensor.normal([1, 3, size.0, size.1], seed: 2)
    func output(_ stride: Int) throws -> Tensor {
      try ResNet(.fifty, width: 0.0625, outputStride: stride, in: Parameters(seed: 5).root)
        .output(image)
    }
    let coarse = try output(32)
    for factor in [2, 4] {
      let fine = try output(32 / factor)
      let places = try fine.slice(axis: 2, 0..<fine.shape[2], step: factor)
        .slice(axis: 3, 0..<fine.shape[3], step: factor)
      #expect(places.shape == coarse.shape)
      #expect(try places.distance(from: coarse) < 1e-4)
    }
  }

  /// Of what torchvision 0.29 has without the classifier; `Scripts/golden/networks.py` prints them.
  @Test(arguments: [
    (ResNet.Depth.eighteen, 11_176_512, 0x1FFD_66DC_98BF_80D7 as UInt64),
    (.thirtyFour, 21_284_672, 0x3830_31AC_CB74_6511),
    (.fifty, 23_508_032, 0x5D01_5959_A523_89F2),
    (.hundredAndOne, 42_500_160, 0x74D9_E333_B254_53B1),
  ])
  func namesAndShapesAreTorchvisions(depth: ResNet.Depth, count: Int, digest: UInt64) throws {
    let parameters = Parameters(seed: 1)
    _ = try ResNet(depth, in: parameters.root)
    #expect(parameters.count == count)
    let lines = parameters.all.map { "\($0.name) \($0.tensor.shape)\n" }
    #expect(hash(lines.sorted().joined()) == digest)
  }

  /// 1.814 and 4.089 thousand millions (torchvision's tables, less the classifier's).
  @Test(arguments: [
    (ResNet.Depth.eighteen, 1_814_073_344 - 512_000), (.fifty, 4_089_184_256 - 2_048_000),
  ])
  func workIsThatOfTheLiterature(depth: ResNet.Depth, expected: Int) throws {
    let ledger = MACCounter()
    let network = try ResNet(depth, in: Parameters(seed: 1).root)
    _ = try network.output(.zeros([1, 3, 224, 224]), .counting(in: ledger))
    #expect(ledger.macs == expected)
  }

  private func read(
    _ depth: ResNet.Depth, stride: Int
  ) throws -> (Golden, Parameters, ResNet) {
    let golden = try Golden("resnet\(depth.rawValue)")
    let parameters = Parameters(reading: golden.file)
    let network = try ResNet(
      depth, width: 1 / 32.0, outputStride: stride, in: parameters.root["encoder"])
    return (golden, parameters, network)
  }
}

extension Encoder {
  /// What the last stage gives.
  fileprivate func output(_ image: Tensor, _ pass: ForwardContext = .inference) throws -> Tensor {
    try stages.indices.reduce(image) { try run(stage: $1, on: $0, in: pass) }
  }

  fileprivate func output(_ image: Tensor) throws -> Tensor { try output(image, .inference) }
}

/// FNV-1a, 64 bits.
private func hash(_ text: String) -> UInt64 {
  text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
}
