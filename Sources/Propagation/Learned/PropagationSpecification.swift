// SPDX-License-Identifier: Apache-2.0

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
///   centre: 0.99                   # each place's own share of its kernel before training
///   adapted: true                  # what the frame's own features tell is added (AdaptNet)
/// ```
///
/// Other kinds and what they say: `scaled-warp` (DFF) with `flow`, the folder of a flow network;
/// `displaced-convolution` (SDC-Net) with `size` and `channels`; `gated-recurrence` (GRFP) with
/// `after`, the stage of the scores; `tap-blend` (NetWarp) with `start`, `refined` and `earlier`,
/// the stages before the tap whose features are blended too; `difference` (Budget-Aware) with
/// `size`. Fusions follow a plain propagator, `behind: warp` or `copy`, and have a `branch`:
/// `correction` (Accel) with `start`, `error-guided` (DAVSS) with `channels`,
/// `attention` (CReFF of AR-Seg) with `size`. `independent` (DCFM) follows a copy and has no
/// branch: `after` names the early stage of the backbone that sees each frame, `channels` its
/// width. `decoder` follows a plain propagator too: the stages after the tap, trained for what is
/// propagated, take the place of the backbone's own on non-key frames.
/// ```yaml
/// branch:
///   network: ../camvid-light   # beside this file
///   through: decoder           # up to this stage; all of it if left out
///   scale: 0.5                 # what the sides of a picture are multiplied by
///   trained: true              # from that network's weights; else it stays as it is
/// ```
public struct PropagationSpecification: Sendable {
  /// What the trained part is called.
  public let name: String
  /// The folder, or file, of the backbone.
  public let backbone: String
  /// The stage of the backbone that is propagated; nil for the last one.
  public let tap: String?
  /// The estimator's name in a catalogue.
  public let flow: String
  /// What is trained, with what the paper lets one choose; paths are told from the folder.
  public private(set) var part: PartSpec
  let known: TrainablePropagations

  /// Reads a description; `folder` is where the files it names lie, `known` what it may name.
  ///
  /// - Throws: `SpecificationError` with the key that is missing, unknown or of the wrong type.
  public init(
    yaml: String, folder: String, in known: TrainablePropagations = .standard
  ) throws(SpecificationError) {
    try self.init(DescriptionReader(yaml: yaml), folder: folder, in: known)
  }

  /// What the `spec.yaml` of a model folder describes.
  ///
  /// - Throws: as `init(yaml:folder:in:)`, with the file's name.
  public init(
    _ folder: ModelFolder, in known: TrainablePropagations = .standard
  ) throws(SpecificationError) {
    self = try folder.read { (root) throws(SpecificationError) in
      try PropagationSpecification(root, folder: folder.path, in: known)
    }
  }

  package init(
    _ root: DescriptionReader, folder: String, in known: TrainablePropagations = .standard
  ) throws(SpecificationError) {
    try root.allow(["name", "about", "backbone", "tap", "flow", "propagation", "training"])
    name = try root.string("name")
    backbone = try root.path("backbone", in: folder)
    tap = root.has("tap") ? try root.string("tap") : nil
    flow = root.has("flow") ? try root.string("flow") : "dis:medium"
    part = try root.part("propagation", as: known.kinds.role, in: folder, by: known.grammar)
    self.known = known
  }

  /// The same, its branch seeing pictures whose sides are `scale` times as long, 0.05 to 1,
  /// whatever it was trained at.
  ///
  /// - Throws: `SpecificationError` where the part has no branch, or one without a scale.
  public func seeing(scale: Double) throws(SpecificationError) -> PropagationSpecification {
    guard part.parts["branch"] != nil else {
      throw SpecificationError(
        .badDescription, "\(part.kind) has no branch that could see pictures of another scale")
    }
    var specification = self
    specification.part.parts["branch"]?.options["scale"] = OptionValue(scale)
    specification.part = try known.grammar.canonical(specification.part, as: known.kinds.role)
    return specification
  }
}
