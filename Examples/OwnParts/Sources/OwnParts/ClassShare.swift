// SPDX-License-Identifier: Apache-2.0

import Inbetween

/// A prediction of one's own: which share of a picture is of one class.
struct ClassShare: Sendable, Hashable {
  let share: Double

  /// Of a map of class ids.
  init(of id: UInt8, in labels: [UInt8]) {
    share = Double(labels.count { $0 == id }) / Double(max(1, labels.count))
  }
}

/// A head: the share of the cells whose best score is that of a class.
struct ShareHead: Head {
  let id: Int
  let inputs: [String] = []

  func callAsFunction(_ features: FeatureMaps, size _: PixelSize) throws -> ClassShare {
    ClassShare(of: UInt8(id), in: try features.only().argmaxLabels().bytes())
  }
}

/// The task: the head, and what it is measured by.
struct ShareTask: PredictionTask {
  let id: Int
  let name = "share"
  let files: [String] = []

  func head(behind _: any Backbone) -> any Head<ClassShare> { ShareHead(id: id) }

  func metrics() -> [any Metric<ClassShare, ClassShare>] { [ShareError()] }

  func drawn(
    _: ClassShare, over picture: Image, mark _: Overlay.Mark?, opacity _: Double
  ) -> Image { picture }
}

/// The ground truth of the task: the same of a clip's labels.
struct ShareClip: Clip {
  let tiles: PanningTiles
  var name: String { tiles.name }
  var count: Int { tiles.count }
  let isStored = false

  func frame(at index: Int) -> Frame { tiles.frame(at: index) }

  func target(at index: Int) -> ClassShare? {
    tiles.labels(at: index).map { ClassShare(of: 1, in: $0.bytes) }
  }
}

extension Registries {
  mutating func registerClassShare() {
    heads.register(
      "share", "which share of the picture is of the class with this ID",
      options: [.optional("id", .integer(0...254), standard: 1)]
    ) { options, _ in ShareTask(id: options.integer("id")) }
  }
}
