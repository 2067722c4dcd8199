// SPDX-License-Identifier: Apache-2.0

public import Layers
public import Tensors

/// A network that reads two images, one on top of the other, and gives the motion between them from
/// coarse to fine: FlowNet "simple" (Dosovitskiy et al., ICCV 2015, figure 2).
///
/// Ten convolutions bring the six channels down to a stride of 64; from there transposed ones lead
/// back up to 4, joining at each level what was seen on the way down and the motion found so far.
/// Parameters bear the names of the usual PyTorch port (`conv1.0.weight`, `predict_flow6.weight`,
/// `deconv5.0.weight`, `upsampled_flow6_to_5.weight`). At width 1 it has 38.7 million of them, at ½
/// 9.7 and at ⅜, which DVSNet (Xu et al., CVPR 2018) uses, 5.5.
///
/// As an option it goes on to strides 2 and 1 in the same way, which adds a 300th of the parameters
/// and sharpens the edges.
public struct FlowNetS: Sendable {
  /// The finest level with a motion: cells of 2 to its power pixels each way; the paper's is 2.
  public let finest: Int
  /// How many channels `concat` of the finest level has.
  public let finestChannels: Int
  package let contraction: [ContractionBlock]
  package let coarsest: Conv2d
  package let expansion: [ExpansionLevel]

  /// A network with `width` times the paper's channels, whose finest motion is that of level
  /// `finest`; `normalised` follows each convolution on the way down by batch normalisation.
  ///
  /// - Precondition: the width is positive and the finest level one of 0 to 5.
  public init(
    width: Double = 1, normalised: Bool = false, finest: Int = 2, in scope: ParameterScope
  ) throws {
    precondition(width > 0 && (0...5).contains(finest), "width \(width), finest level \(finest)")
    func scaled(_ channels: Int) -> Int { max(1, Int((Double(channels) * width).rounded())) }
    var (inputs, blocks, skips): (Int, [ContractionBlock], [Int]) = (6, [], [6])
    for (level, kernel, channels, isDoubled) in Self.plan {
      let outputs = scaled(channels)
      for name in ["conv\(level)"] + (isDoubled ? ["conv\(level)_1"] : []) {
        let isFirst = name.last != "1" || level == 1
        blocks.append(
          try ContractionBlock(
            name, inputs, outputs, kernel: isFirst ? kernel : 3, stride: isFirst ? 2 : 1,
            normalised: normalised, endsLevel: name.hasSuffix("_1") || !isDoubled, in: scope[name]))
        inputs = outputs
      }
      skips.append(inputs)
    }
    (contraction, self.finest) = (blocks, finest)
    coarsest = try Self.prediction(
      inputs, initialisation: .normal(deviation: Self.slightly), in: scope["predict_flow6"])
    var levels: [ExpansionLevel] = []
    for level in stride(from: 5, through: finest, by: -1) {
      let outputs = scaled(min(512, 16 << level))
      levels.append(
        try ExpansionLevel(level, inputs, outputs, skip: skips[level], in: scope))
      inputs = skips[level] + outputs + 2
    }
    (expansion, finestChannels) = (levels, inputs)
  }

  /// The stage that a parameter belongs to, as passes count their work: `conv3_1` or, for what
  /// gives the motion of a level, `level3`.
  public static func stage(ofParameter name: String) -> String {
    let part = name.prefix { $0 != "." }
    return part.hasPrefix("conv") ? String(part) : "level\(part.suffix(1))"
  }

  /// Level, kernel, channels at width 1, and whether a second convolution follows.
  private static let plan = [
    (1, Extent(7), 64, false), (2, Extent(5), 128, false), (3, Extent(5), 256, true),
    (4, Extent(3), 512, true), (5, Extent(3), 512, true), (6, Extent(3), 1024, true),
  ]

  static let initialisation = Initialisation.heNormalFanIn(slope: 0.1)

  /// ChangeScore of the first weights of what predicts a motion.
  ///
  /// Motion begins small, and each level with that of the one above; drawn like the other weights,
  /// as in the port, it would begin with tens of pixels that have to be unlearned.
  static let slightly = 0.001

  static func prediction(
    _ inputs: Int, initialisation: Initialisation, in scope: ParameterScope
  ) throws -> Conv2d {
    try Conv2d(inputs, 2, kernel: 3, bias: false, initialisation: initialisation, in: scope)
  }

  /// What the network makes of N × 6 × H × W: the current image, then the reference.
  ///
  /// Any size will do: a level has half as many rows and columns as the one below it, rounded up,
  /// and what comes from above is cut to that.
  public func callAsFunction(
    _ images: Tensor, in pass: ForwardContext
  ) throws(TensorError) -> FlowNetOutput {
    var (features, output, skips) = (images, FlowNetOutput(), [images])
    for block in contraction {
      features = try block(features, in: pass)
      output.taps[block.name] = features
      pass.ledger?.end(block.name, stride: 1 << skips.count, giving: features)
      if block.endsLevel { skips.append(features) }
    }
    var flow = try coarsest(features, in: pass)
    output.add(flow, level: 6)
    pass.ledger?.end("level6", stride: 1 << 6, giving: flow)
    for level in expansion {
      features = try level.join(features, flow, with: skips[level.level], in: pass)
      flow = try level.prediction(features, in: pass)
      output.taps["concat\(level.level)"] = features
      output.add(flow, level: level.level)
      pass.ledger?.end("level\(level.level)", stride: 1 << level.level, giving: flow)
    }
    return output
  }
}

/// What a pass through `FlowNetS` gives.
public struct FlowNetOutput: Sendable {
  /// The motion at each level, coarse to fine, in the network's unit: N × 2 × H × W, (dx, dy),
  /// where a cell is 2 to the power of the level pixels wide.
  public private(set) var flows: [(level: Int, flow: Tensor)] = []
  /// Everything else worth reading, by name: `conv1` … `conv6_1` on the way down, `concat5` …
  /// `concat2` on the way up, `predict_flow6` … `predict_flow2`.
  ///
  /// Schedulers read `conv6_1` (DVSNet); scale fields are predicted from `concat2` (Deep Feature
  /// Flow).
  public internal(set) var taps: [String: Tensor] = [:]

  mutating func add(_ flow: Tensor, level: Int) {
    flows.append((level, flow))
    taps["predict_flow\(level)"] = flow
  }
}

/// A convolution on the way down, with its rectifier: `NAME.0` and, where it is normalised,
/// `NAME.1`.
package struct ContractionBlock: Sendable {
  let name: String
  /// Whether what it gives is joined on the way up.
  package let endsLevel: Bool
  package let layers: Sequential

  fileprivate init(
    _ name: String, _ inputs: Int, _ outputs: Int, kernel: Extent, stride: Extent,
    normalised: Bool, endsLevel: Bool, in scope: ParameterScope
  ) throws {
    let convolution = try Conv2d(
      inputs, outputs, kernel: kernel, stride: stride, bias: !normalised,
      initialisation: FlowNetS.initialisation, in: scope[0])
    var layers: [any Layer] = [convolution]
    if normalised { layers.append(try BatchNorm2d(outputs, in: scope[1])) }
    (self.name, self.endsLevel) = (name, endsLevel)
    self.layers = Sequential(layers + [LeakyReLU(slope: 0.1)])
  }

  func callAsFunction(_ input: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor {
    try layers(input, in: pass)
  }
}

/// One level on the way up.
package struct ExpansionLevel: Sendable {
  package let level: Int
  package let prediction: Conv2d
  package let features: ConvTranspose2d
  package let flow: ConvTranspose2d

  /// From the level above, with `inputs` channels, to this one, where `skip` channels are joined.
  fileprivate init(
    _ level: Int, _ inputs: Int, _ outputs: Int, skip: Int, in scope: ParameterScope
  ) throws {
    self.level = level
    features = try ConvTranspose2d(
      inputs, outputs, kernel: 4, stride: 2, padding: 1, bias: false,
      initialisation: FlowNetS.initialisation, in: scope["deconv\(level)"][0])
    flow = try ConvTranspose2d(
      2, 2, kernel: 4, stride: 2, padding: 1, bias: false,
      initialisation: .bilinear, in: scope["upsampled_flow\(level + 1)_to_\(level)"])
    prediction = try FlowNetS.prediction(
      skip + outputs + 2, initialisation: .passingLast(deviation: FlowNetS.slightly),
      in: scope["predict_flow\(level)"])
  }

  /// What was seen on the way down, what comes from above, and its motion, as one tensor.
  func join(
    _ above: Tensor, _ flowAbove: Tensor, with skip: Tensor, in pass: ForwardContext
  ) throws(TensorError) -> Tensor {
    let up = try features(above, in: pass).leakyRelu(slope: 0.1).cut(like: skip)
    let moved = try flow(flowAbove, in: pass).cut(like: skip)
    return try .concatenate([skip.cast(to: up.type), up, moved.cast(to: up.type)], axis: 1)
  }
}

extension Tensor {
  /// The first rows and columns, as many as `other` has.
  fileprivate func cut(like other: Tensor) throws(TensorError) -> Tensor {
    try cut(height: other.shape[2], width: other.shape[3])
  }

  /// The first `height` rows and `width` columns.
  func cut(height: Int, width: Int) throws(TensorError) -> Tensor {
    var result = self
    if shape[2] > height { result = try result.slice(axis: 2, 0..<height) }
    if shape[3] > width { result = try result.slice(axis: 3, 0..<width) }
    return result
  }
}
