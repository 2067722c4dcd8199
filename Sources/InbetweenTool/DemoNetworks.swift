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

  /// Reads both from the folder of models.
  init(models: String) throws {
    func network(_ name: String) throws -> Network {
      Network(name: name, network: try SegmentationNetwork(contentsOf: "\(models)/\(name)"))
    }
    (heavy, light) = (try network("street-heavy"), try network("street-light"))
  }

  var summary: String {
    String(
      format: "%@ (%.1f M parameters)", heavy.name,
      Double(heavy.network.parameters.count) / 1_000_000)
  }
}
