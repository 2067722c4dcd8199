// SPDX-License-Identifier: Apache-2.0

internal import Backbone
internal import Foundation
internal import Layers

/// The two networks for rendered streets, which the package ships.
struct DemoNetworks {
  struct Network {
    let name: String
    let network: SegmentationNetwork
  }

  let heavy: Network, light: Network
  /// The folder of a head that finds objects behind the heavy one.
  let detector: String

  /// Reads both from the folder of models.
  init(models: String) throws {
    func network(_ name: String) throws -> Network {
      Network(name: name, network: try SegmentationNetwork(contentsOf: "\(models)/\(name)"))
    }
    detector = "\(models)/street-detector"
    (heavy, light) = (try network("street-heavy"), try network("street-light"))
  }

  var summary: String {
    String(
      format: "%@ (%.1f M parameters)", heavy.name,
      Double(heavy.network.parameters.count) / 1_000_000)
  }
}
