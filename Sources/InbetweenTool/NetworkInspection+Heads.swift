// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Layers
internal import Tensors
internal import Video

extension NetworkInspection {
  /// Runs a head on the features of an empty picture: what a frame costs whose features are known.
  init(headIn path: String, size: PixelSize?) throws {
    let folder = try HeadFolder(at: path)
    let stored = try NetworkFolder(at: folder.specification.backbone)
    let backbone = try stored.isTrained ? stored.network() : stored.drawnNetwork()
    let head =
      try folder.isTrained
      ? folder.head(behind: backbone)
      : folder.specification.head(behind: backbone, parameters: Parameters(seed: 1))
    let size = size ?? backbone.inputSize ?? Self.usualSize
    let ledger = MACCounter()
    try withoutGradients {
      let features = try FeatureMaps(
        of: backbone.input(for: Self.frame(of: size)), after: folder.specification.inputs,
        through: backbone)
      try head.run(on: features, size: size, in: .counting(in: ledger))
    }
    self.init(
      path, kind: head.kind, trained: folder.isTrained, size: size, ledger: ledger,
      parameters: head.parameters, stage: { _ in "head" })
  }
}

extension StoredHead {
  fileprivate var kind: String {
    switch self {
    case .depth: "depth"
    case .detection: "detection"
    }
  }
}
