// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Layers
public import Specification

/// What is trained to propagate features behind a backbone, as one YAML file says.
///
/// ```yaml
/// name: camvid-variant
/// backbone: ../camvid-resnet18     # behind which it was trained, beside this file
/// tap: context                     # the stage that is propagated; the last one if left out
/// flow: dis:medium                 # the motion along which it was trained
/// propagation:
///   kind: variant-convolution      # LLVSS
///   after: layer1                  # the stage whose features of both frames tell the kernels
///   size: 9
///   channels: 64
/// ```
///
/// Other kinds and what they say: `scaled-warp` (DFF) with `flow`, the folder of a flow network;
/// `displaced-convolution` (SDC-Net) with `size` and `channels`; `gated-recurrence` (GRFP) with
/// `after`, the stage of the scores; `tap-blend` (NetWarp) with `start` and `refined`; `difference`
/// (Budget-Aware) with `size`. Fusions follow a plain propagator, `behind: warp` or `copy`, and
/// have a `branch`: `correction` (Accel) with `start`, `error-guided` (DAVSS) with `channels`,
/// `attention` (CReFF of AR-Seg) with `size`.
/// ```yaml
/// branch:
///   network: ../camvid-light   # beside this file
///   through: decoder           # up to this stage; all of it if left out
///   scale: 0.5                 # what the sides of a picture are multiplied by
///   trained: true              # from that network's weights; else it stays as it is
/// ```
public struct PropagationSpecification: Sendable {
  public let name: String
  /// The folder, or file, of the backbone.
  public let backbone: String
  public let tap: String?
  /// The estimator's name in a catalogue.
  public let flow: String
  public let kind: Kind

  /// What is trained, with what the paper lets one choose.
  public enum Kind: Sendable, Hashable {
    case scaledWarp(flow: String)
    case displacedConvolution(size: Int, channels: Int)
    case variantConvolution(after: String, size: Int, channels: Int)
    case gatedRecurrence(after: String)
    case tapBlend(start: Double, refined: Bool)
    case difference(size: Int)
    case correction(BranchSpecification, behind: Carrier, start: CorrectiveFusion.Start)
    case errorGuided(BranchSpecification, behind: Carrier, channels: Int)
    case attention(BranchSpecification, behind: Carrier, size: Int)
  }

  /// What propagates before a fusion.
  public enum Carrier: String, Sendable, Hashable, CaseIterable {
    case copy, warp

    var propagator: any Propagator {
      switch self {
      case .copy: Copy()
      case .warp: Warp()
      }
    }
  }

  /// Which network looks at every frame.
  public struct BranchSpecification: Sendable, Hashable {
    /// The folder.
    public let network: String
    public let stage: String?
    public let scale: Double
    public let isTrained: Bool
  }

  /// Reads a description; `folder` is where the files it names lie.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(yaml: String, folder: String) throws(SpecificationError) {
    try self.init(DescriptionReader(yaml: yaml), folder: folder)
  }

  package init(_ root: DescriptionReader, folder: String) throws(SpecificationError) {
    try root.allow(["name", "about", "backbone", "tap", "flow", "propagation", "training"])
    name = try root.string("name")
    backbone = try root.path("backbone", in: folder)
    tap = root.has("tap") ? try root.string("tap") : nil
    flow = root.has("flow") ? try root.string("flow") : "dis:medium"
    kind = try Kind(root.group("propagation"), folder: folder)
  }
}

extension PropagationSpecification.Kind {
  private static let known = [
    "scaled-warp", "displaced-convolution", "variant-convolution", "gated-recurrence",
    "tap-blend", "difference", "correction", "error-guided", "attention",
  ]

  fileprivate init(_ reader: DescriptionReader, folder: String) throws(SpecificationError) {
    typealias Branch = PropagationSpecification.BranchSpecification
    try reader.check("kind", isOneOf: Self.known)
    let kind = try reader.string("kind")
    func allow(_ keys: String...) throws(SpecificationError) { try reader.allow(["kind"] + keys) }
    func size(_ range: ClosedRange<Int>, usual: Int) throws(SpecificationError) -> Int {
      let size = try reader.integer("size", in: range, usual: usual)
      guard size % 2 == 1 else { throw reader.complaint("size", "must be odd, not \(size)") }
      return size
    }
    func channels(usual: Int) throws(SpecificationError) -> Int {
      try reader.integer("channels", in: 1...4096, usual: usual)
    }
    func carrier() throws(SpecificationError) -> PropagationSpecification.Carrier {
      try reader.choice("behind", usual: .warp)
    }
    switch kind {
    case "scaled-warp":
      try allow("flow")
      self = .scaledWarp(flow: try reader.path("flow", in: folder))
    case "displaced-convolution":
      try allow("size", "channels")
      self = .displacedConvolution(
        size: try size(3...25, usual: 5), channels: try channels(usual: 16))
    case "variant-convolution":
      try allow("after", "size", "channels")
      self = .variantConvolution(
        after: try reader.string("after"), size: try size(3...25, usual: 9),
        channels: try channels(usual: 64))
    case "gated-recurrence":
      try allow("after")
      self = .gatedRecurrence(after: try reader.string("after"))
    case "tap-blend":
      try allow("start", "refined")
      self = .tapBlend(
        start: try reader.number("start", in: 0...1, usual: 1),
        refined: try reader.truth("refined", usual: true))
    case "difference":
      try allow("size")
      self = .difference(size: try size(1...25, usual: 7))
    case "correction":
      try allow("branch", "behind", "start")
      self = .correction(
        try Branch(reader.group("branch"), folder: folder), behind: try carrier(),
        start: try reader.choice("start", usual: .propagated))
    case "error-guided":
      try allow("branch", "behind", "channels")
      self = .errorGuided(
        try Branch(reader.group("branch"), folder: folder), behind: try carrier(),
        channels: try channels(usual: 32))
    default:
      try allow("branch", "behind", "size")
      self = .attention(
        try Branch(reader.group("branch"), folder: folder), behind: try carrier(),
        size: try size(1...25, usual: 7))
    }
  }
}

extension PropagationSpecification.BranchSpecification {
  fileprivate init(_ reader: DescriptionReader, folder: String) throws(SpecificationError) {
    try reader.allow(["network", "through", "scale", "trained"])
    network = try reader.path("network", in: folder)
    stage = reader.has("through") ? try reader.string("through") : nil
    scale = try reader.number("scale", in: 0.05...1, usual: 1)
    isTrained = try reader.truth("trained", usual: false)
  }
}

extension DescriptionReader {
  fileprivate func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, usual: Choice
  ) throws(SpecificationError) -> Choice where Choice.RawValue == String {
    guard has(key) else { return usual }
    try check(key, isOneOf: Choice.allCases.map(\.rawValue))
    return Choice(rawValue: try string(key)) ?? usual
  }

  fileprivate func truth(_ key: String, usual: Bool) throws(SpecificationError) -> Bool {
    guard has(key) else { return usual }
    try check(key, isOneOf: ["true", "false"])
    return try string(key) == "true"
  }
}
