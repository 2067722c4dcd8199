// SPDX-License-Identifier: Apache-2.0

internal import Layers
package import Specification
public import Video

/// What a segmentation network consists of, as the YAML file that trains it says.
///
/// ```yaml
/// input: {color: bgr, mean: [110, 109, 105], std: [72, 73, 70]}
/// classes: camvid11
/// network:
///   encoder: {kind: resnet, depth: 18, width: 0.75, stride: 16}   # or kind: light
///   context: {kind: pyramid, channels: 128, bins: [1, 2, 3, 6]}   # or atrous, or linear
///   decoder:                           # finer features to join, coarse to fine; may be left out
///     - {stride: 8, channels: 96}
///     - {stride: 4, channels: 64}
///   score_heads: [layer3, layer2]      # or, in its place: stages of the encoder whose own scores
///                                      # are added, coarse to fine, as in FCN-8s
///   void: learned                      # one more score, for no class; may be left out
/// ```
public struct NetworkSpecification: Hashable, Sendable {
  /// How pixels become the network's input.
  public let input: InputContract
  /// The classes that it scores.
  public let classes: ClassList
  /// What turns the image into features.
  public let encoder: EncoderKind
  /// What looks at the surroundings, at the coarsest stride.
  public let context: ContextKind
  /// Channels of what the context gives.
  public let contextChannels: Int
  /// The finer features that the decoder joins, coarse to fine; none without a decoder.
  public let joins: [Join]
  /// The encoder's stages whose own scores are added to coarser ones, coarse to fine, each before
  /// the encoder's last; none without heads, and none beside a decoder.
  public let scoreHeads: [String]
  /// Whether void is learned as one more class, after the others: pixels that the network takes for
  /// none of them then are labelled void.
  public let learnsVoid: Bool

  /// How many scores a pixel has.
  public var scoreCount: Int { classes.count + (learnsVoid ? 1 : 0) }

  /// The label that is left out of training: void, or what lies outside the picture where void is
  /// learned.
  public var ignoredLabel: UInt8 { learnsVoid ? 255 : classes.void ?? 255 }

  /// Finer features that the decoder joins, and how many channels it gives there.
  public struct Join: Hashable, Sendable {
    /// The stride of the encoder's features that are joined.
    public let stride: Int
    /// Channels of what the decoder gives there.
    public let channels: Int

    /// A step of the decoder; the encoder needs a stage of this stride.
    public init(stride: Int, channels: Int) {
      (self.stride, self.channels) = (stride, channels)
    }
  }

  /// A specification of these parts; void can be learned only as the number after the classes, and
  /// stages have heads of scores only where there is no decoder.
  public init(
    input: InputContract, classes: ClassList, encoder: EncoderKind, context: ContextKind,
    contextChannels: Int, joins: [Join], scoreHeads: [String] = [], learnsVoid: Bool = false
  ) {
    (self.input, self.classes, self.encoder) = (input, classes, encoder)
    (self.context, self.contextChannels, self.joins) = (context, contextChannels, joins)
    precondition(joins.isEmpty || scoreHeads.isEmpty, "heads of scores beside a decoder")
    self.scoreHeads = scoreHeads
    precondition(!learnsVoid || classes.void.map(Int.init) == classes.count, "no void to learn")
    self.learnsVoid = learnsVoid
  }

  /// Reads the keys `input`, `classes` and `network`.
  package init(_ root: DescriptionReader) throws(SpecificationError) {
    input = try InputContract(root.group("input"))
    classes = try ClassList(classesOf: root)
    let network = try root.group("network")
    try network.allow(["encoder", "context", "decoder", "score_heads", "void"])
    if network.has("void") { try network.check("void", isOneOf: ["learned", "ignored"]) }
    learnsVoid = network.has("void") ? try network.string("void") == "learned" : false
    guard !learnsVoid || classes.void.map(Int.init) == classes.count else {
      throw network.complaint("void", "can be learned where it is the number after the classes")
    }
    encoder = try EncoderKind(network.group("encoder"))
    let context = try network.group("context")
    contextChannels = try context.integer("channels", in: 1...4096)
    self.context = try ContextKind(context)
    joins = try network.groups("decoder").map { (join) throws(SpecificationError) in
      try join.allow(["stride", "channels"])
      return Join(
        stride: try join.integer("stride", in: 1...32),
        channels: try join.integer("channels", in: 1...4096))
    }
    scoreHeads = network.strings("score_heads") ?? []
    guard !network.has("score_heads") || !scoreHeads.isEmpty else {
      throw network.complaint("score_heads", "must be a list of names of the encoder's stages")
    }
    guard joins.isEmpty || scoreHeads.isEmpty else {
      throw network.complaint("score_heads", "cannot stand beside decoder: give one of the two")
    }
  }
}

/// Which encoder a network has.
public enum EncoderKind: Hashable, Sendable {
  /// A `ResNet` of a depth, a factor of its channels and an output stride.
  case resNet(ResNet.Depth, width: Double, stride: Int)
  /// A `LightNet` of a factor of its channels and an output stride.
  case light(width: Double, stride: Int)

  func make(in scope: ParameterScope) throws -> any LayeredEncoder {
    switch self {
    case .resNet(let depth, let width, let stride):
      try ResNet(depth, width: width, outputStride: stride, in: scope)
    case .light(let width, let stride):
      try LightNet(width: width, outputStride: stride, in: scope)
    }
  }

  fileprivate init(_ reader: DescriptionReader) throws(SpecificationError) {
    try reader.check("kind", isOneOf: ["resnet", "light"])
    let isResNet = try reader.string("kind") == "resnet"
    try reader.allow(["kind", "width", "stride"] + (isResNet ? ["depth"] : []))
    let width = reader.has("width") ? try reader.number("width", in: 0.05...4) : 1
    let stride = reader.has("stride") ? try reader.integer("stride", in: 8...32) : 32
    guard [8, 16, 32].contains(stride) else {
      throw SpecificationError(.badDescription, "an encoder's stride is 8, 16 or 32, not \(stride)")
    }
    guard isResNet else {
      self = .light(width: width, stride: stride)
      return
    }
    let number = try reader.integer("depth", in: 1...1000)
    guard let depth = ResNet.Depth(rawValue: number) else {
      let known = ResNet.Depth.allCases.map { "\($0.rawValue)" }.joined(separator: ", ")
      throw SpecificationError(.badDescription, "no ResNet-\(number); there are \(known)")
    }
    self = .resNet(depth, width: width, stride: stride)
  }
}

extension ContextKind {
  fileprivate init(_ reader: DescriptionReader) throws(SpecificationError) {
    try reader.check("kind", isOneOf: ["linear", "pyramid", "atrous"])
    switch try reader.string("kind") {
    case "pyramid":
      try reader.allow(["kind", "channels", "bins"])
      self = .pyramid(bins: try reader.integers("bins", in: 1...64))
    case "atrous":
      try reader.allow(["kind", "channels", "rates"])
      self = .atrous(rates: try reader.integers("rates", in: 1...64))
    default:
      try reader.allow(["kind", "channels"])
      self = .linear
    }
  }
}
