// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Layers
internal import Specification
internal import Tensors
internal import Video

extension NetworkInspection {
  /// Runs a head on the features of an empty picture: what a frame costs whose features are known.
  init(headIn model: ModelFolder, size: PixelSize?) throws {
    let folder = try HeadFolder(model)
    let backbone = try NetworkFolder(at: folder.specification.backbone).loadOrDraw()
    let head = try model.loadOrDraw {
      try folder.specification.head(behind: backbone, parameters: $0)
    }
    let size = size ?? backbone.inputSize ?? Self.usualSize
    let ledger = MACCounter()
    try withoutGradients {
      let features = try FeatureMaps(
        of: backbone.input(for: Self.frame(of: size)), after: folder.specification.inputs,
        through: backbone)
      try head.run(on: features, size: size, in: .counting(in: ledger))
    }
    self.init(
      model, kind: head.kind, size: size, ledger: ledger,
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
