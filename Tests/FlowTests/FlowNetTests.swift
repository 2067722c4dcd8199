// SPDX-License-Identifier: Apache-2.0
import Flow
import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import Video

/// `FlowNetS` beside PyTorch's numbers (Scripts/golden/flownet.py) and the paper's shapes.
struct FlowNetTests {
  @Test(arguments: [("plain", false, 2), ("odd", false, 2), ("norm", true, 0)])
  func itGivesWhatPyTorchGives(name: String, normalised: Bool, finest: Int) throws {
    let folder = URL(filePath: #filePath).appending(path: "../../Fixtures/FlowNet").standardized
    let file = try SafetensorsFile(contentsOf: folder.path + "/\(name).safetensors")
    let parameters = Parameters(reading: file, prefix: "network.")
    let network = try FlowNetS(
      width: 1 / 64, normalised: normalised, finest: finest, in: parameters.root)
    let names = file.entries.map(\.name).filter { $0.hasPrefix("network.") }
    #expect(Set(parameters.all.map { "network.\($0.name)" }) == Set(names))
    let output = try network(file.tensor("images"), in: .inference)
    #expect(output.flows.map(\.level) == Array((finest...6).reversed()))
    let outputs = file.entries.map(\.name).filter { $0.hasPrefix("output.") }
    #expect(outputs.count == 9 - finest)
    for name in outputs {
      let wanted = try file.tensor(name)
      let given = try #require(output.taps[String(name.dropFirst("output.".count))])
      #expect(given.shape == wanted.shape)
      let scale = try wanted.abs().max().item()
      #expect(try (given - wanted).abs().max().item() < 1e-4 * scale, "\(name)")
    }
  }

  @Test func itHasThePapersNumbersOfParameters() throws {
    func count(_ width: Double, finest: Int = 2) throws -> Int {
      let parameters = Parameters(seed: 1)
      _ = try FlowNetS(width: width, finest: finest, in: parameters.root)
      return parameters.count
    }
    // What PyTorch counts in the port, its widths scaled.
    #expect(try count(0.375) == 5_462_296)
    #expect(try count(0.375, finest: 0) == 5_481_216)
  }

  @Test func levelsHalveRoundedUp() throws {
    let network = try FlowNetS(width: 1 / 32, in: Parameters(seed: 1).root)
    let output = try network(.zeros([2, 6, 70, 130]), in: .inference)
    #expect(
      output.flows.map(\.flow.shape)
        == [[2, 2, 2, 3], [2, 2, 3, 5], [2, 2, 5, 9], [2, 2, 9, 17], [2, 2, 18, 33]])
    #expect(output.taps["conv6_1"]?.shape == [2, 32, 2, 3])
    #expect(output.taps["concat2"]?.shape == [2, 4 + 2 + 2, 18, 33])
  }

  @Test func motionBeginsSmall() throws {
    let network = try FlowNetwork(
      FlowNetSpecification(width: 1 / 16, finest: 1), parameters: Parameters(seed: 2))
    let steps = try network.steps(
      from: .normal([1, 3, 64, 64], seed: 1), to: .normal([1, 3, 64, 64], seed: 2),
      in: .inference)
    let finest = try #require(steps.last?.levels.last)
    #expect(finest.stride == 2)
    let largest = try finest.motion.abs().max().item()
    #expect(largest > 0 && largest < 1)
  }

  @Test func gradientsEqualFiniteDifferences() throws {
    let parameters = Parameters(seed: 5)
    let network = try FlowNetS(width: 1 / 64, finest: 1, in: parameters.root)
    let images = try Tensor.normal([1, 6, 64, 64], seed: 6)
    func loss() throws -> Tensor {
      var total = try Tensor(0)
      for (_, flow) in try network(images, in: .training(seed: 1)).flows {
        total = try total + (flow * 10 - 1).power(2).mean()
      }
      return total
    }
    for name in ["conv1.0.weight", "conv4_1.0.bias", "deconv3.0.weight", "predict_flow2.weight"] {
      let tensor = try #require(parameters.all.first { $0.name == name }).tensor
      try tensor.setRequiresGradient(true)
      let gradient = try gradients(of: loss(), withRespectTo: [tensor])[0]
      try tensor.setRequiresGradient(false)
      // Along the gradient itself, where the slope is its squared length.
      let length = try gradient.norm().item()
      let (step, start) = (2e-3 / Double(length), try tensor + 0)
      try tensor.addInPlace(gradient, scale: step)
      let ahead = try loss().item()
      try tensor.addInPlace(gradient, scale: -2 * step)
      let behind = try loss().item()
      try tensor.assign(start)
      let slope = (ahead - behind) / Float(2 * step)
      #expect(abs(slope - length * length) < 0.05 * length * length, "\(name)")
    }
  }

  @Test(arguments: [[1], [2], [3], [4, 2], [2, 1]])
  func aConstantMotionComesOutInPixelsOfTheFrame(steps: [Int]) throws {
    // What the network says is (0.3, -0.2) everywhere; a step adds that in its own pixels.
    let unit: Float = 20
    let sum = Float(steps.reduce(0, +))
    let wanted = SIMD2<Float>(0.3 * unit * sum, -0.2 * unit * sum)
    let network = try constant(FlowNetSpecification(width: 1 / 64, unit: unit, steps: steps))
    for (width, height) in [(128, 64), (97, 65), (61, 130)] {
      let picture = Image(width: width, height: height, channels: 3, repeating: 90)
      let frame = Frame(index: 0, time: 0, pixels: picture)
      let motion = try NetworkFlow(network).motion(from: frame, to: frame)
      #expect((motion.width, motion.height) == (width, height))
      for (x, y) in [(0, 0), (width - 1, height - 1), (width / 2, height / 3)] {
        let (dx, dy) = motion[x: x, y: y]
        #expect(abs(dx - wanted.x) < 1e-3 && abs(dy - wanted.y) < 1e-3, "(\(dx), \(dy))")
      }
    }
  }

  /// A network of zeros, but for a bias of 1 that becomes the finest motion.
  private func constant(_ specification: FlowNetSpecification) throws -> FlowNetwork {
    let parameters = Parameters(seed: 1)
    let network = try FlowNetwork(specification, parameters: parameters)
    for parameter in parameters.all {
      try parameter.tensor.assign(.zeros(parameter.tensor.shape))
      if parameter.name == "conv2.0.bias" {
        try parameter.tensor.assign(.ones(parameter.tensor.shape))
      }
      guard parameter.name == "predict_flow2.weight" else { continue }
      // The middle of the first joined channel, for dx and for dy.
      var weights = [Float](repeating: 0, count: parameter.tensor.count)
      (weights[4], weights[weights.count / 2 + 4]) = (0.3, -0.2)
      try parameter.tensor.assign(Tensor(weights, shape: parameter.tensor.shape))
    }
    return network
  }

  @Test func aSecondStepSeesTheReferenceAsTheFirstCarriesIt() throws {
    // Two steps of a network that gives the same motion each time, beside one step on a reference
    // that is carried by hand.
    let specification = FlowNetSpecification(width: 1 / 32, unit: 4, steps: [1, 1])
    let parameters = Parameters(seed: 8)
    let network = try FlowNetwork(specification, parameters: parameters)
    // Motion at the start is too small to matter.
    for parameter in parameters.all where parameter.name.hasPrefix("predict_flow") {
      try parameter.tensor.assign(.normal(parameter.tensor.shape, deviation: 0.3, seed: 4))
    }
    let (here, there) = (
      try Tensor.normal([1, 3, 64, 64], seed: 1), try Tensor.normal([1, 3, 64, 64], seed: 2)
    )
    let steps = try network.steps(from: here, to: there, in: .inference)
    let first = try steps[0].motion(height: 64, width: 64, in: .inference)
    let carried = try there.warped(along: first)
    let alone = try network.steps(from: here, to: carried, in: .inference)[0]
    let sum = try first.averagePool(4, stride: 4) + #require(alone.levels.last).motion
    let both = try #require(steps[1].levels.last).motion
    #expect(try first.abs().max().item() > 0.5)
    #expect(try (sum - both).abs().max().item() < 1e-3)
  }

  @Test func itsWorkIsCounted() throws {
    let network = NetworkFlow(
      try FlowNetwork(
        FlowNetSpecification(width: 1 / 64), parameters: Parameters(seed: 1)))
    let picture = Image(width: 64, height: 64, channels: 3, repeating: 9)
    let frame = Frame(index: 0, time: 0, pixels: picture)
    let ledger = MACCounter()
    _ = try network.motion(from: frame, to: frame, in: .counting(in: ledger))
    // Channels 1, 2, 4, 8, 8 and 16 on the way down; each product is outputs × kernel × inputs.
    let down =
      1024 * 49 * 6 + 256 * 2 * 25 + 64 * 4 * (25 * 2 + 9 * 4) + 16 * 8 * 9 * (4 + 8)
      + 4 * 8 * 9 * (8 + 8) + 16 * 9 * (8 + 16)
    let up =
      1 * 16 * 16 * (8 + 0) + 4 * 18 * 16 * 4 + 16 * 14 * 16 * 2 + 64 * 8 * 16 * 1
      + (1 + 4 + 16 + 64) * 2 * 16 * 2
    let predictions = 2 * 9 * (16 + 4 * 18 + 16 * 14 + 64 * 8 + 256 * 5)
    let interpolation = 4 * 2 * 64 * 64
    #expect(ledger.macs == down + up + predictions + interpolation)
  }
}
