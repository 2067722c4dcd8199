// SPDX-License-Identifier: Apache-2.0

internal import Layers
public import Specification
public import Tensors

/// What a flow network consists of, as the YAML file that trains it says.
///
/// ```yaml
/// input: {color: bgr, mean: [110, 109, 105], std: [72, 73, 70]}
/// network:
///   kind: flownet-s
///   width: 0.375         # 1, the paper's, where left out
///   normalised: false    # batch normalisation on the way down
///   finest: 2            # the finest level with a motion: 2, at a stride of 4, is the paper's
///   unit: 20             # pixels of the network's input that an output of 1 means
///   steps: [2]           # the frame divided by this: [1] in the paper, [2] in Deep Feature Flow
/// ```
///
/// Several steps run the same network several times, each on the reference as the motion found so
/// far carries it, and add what is left (Hur and Roth, CVPR 2019): `[4, 2]` finds fast things on a
/// small picture and their edges on a larger one.
public struct FlowNetSpecification: Hashable, Sendable {
  /// How pixels become the network's input; the same for both images.
  public var scaling: PixelScaling
  /// What the paper's numbers of channels are multiplied by; from YAML 0.05 to 4.
  public var width: Double
  /// Whether convolutions on the way down are followed by batch normalisation.
  public var isNormalised: Bool
  /// The finest level with a motion, at a stride of 2 to its power; from YAML 0 to 5.
  public var finest: Int
  /// Pixels of the network's input that an output of 1 means.
  public var unit: Float
  /// What the frame's sides are divided by in each pass, the first pass first.
  public var steps: [Int]

  /// The paper's network unless said otherwise.
  ///
  /// - Precondition: there is a step, and each divides by at least 1.
  public init(
    scaling: PixelScaling = Self.usualScaling, width: Double = 1, isNormalised: Bool = false,
    finest: Int = 2, unit: Float = 20, steps: [Int] = [1]
  ) {
    precondition(!steps.isEmpty && steps.allSatisfy { $0 >= 1 }, "steps \(steps)")
    (self.scaling, self.width, self.isNormalised) = (scaling, width, isNormalised)
    (self.finest, self.unit, self.steps) = (finest, unit, steps)
  }

  /// 0 to 1, less the means of the data it was first trained on.
  public static let usualScaling = PixelScaling(
    mean: SIMD3(0.45, 0.432, 0.411) * 255, scale: SIMD3(repeating: 1 / 255), order: .bgr)

  /// Reads a description from YAML text; keys other than `input` and `network` are for others.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(yaml: String) throws(SpecificationError) {
    try self.init(DescriptionReader(yaml: yaml))
  }

  /// Reads the keys `input` and `network`.
  package init(_ root: DescriptionReader) throws(SpecificationError) {
    let network = try root.group("network")
    try network.allow(["kind", "width", "normalised", "finest", "unit", "steps"])
    try network.check("kind", isOneOf: ["flownet-s"])
    if network.has("normalised") {
      try network.check("normalised", isOneOf: ["true", "false"])
    }
    if root.has("input") {
      let input = try root.group("input")
      try input.allow(["color", "mean", "std", "scale"])
      scaling = try input.scaling()
    } else {
      scaling = Self.usualScaling
    }
    width = network.has("width") ? try network.number("width", in: 0.05...4) : 1
    isNormalised = network.has("normalised") ? try network.string("normalised") == "true" : false
    finest = network.has("finest") ? try network.integer("finest", in: 0...5) : 2
    unit = network.has("unit") ? Float(try network.number("unit", in: 0.01...1000)) : 20
    steps = network.has("steps") ? try network.integers("steps", in: 1...16) : [1]
  }
}
