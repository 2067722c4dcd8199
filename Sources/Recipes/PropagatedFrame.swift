// SPDX-License-Identifier: Apache-2.0

package import Backbone
package import Layers
package import Propagation
internal import Tensors
package import Video

/// A frame that is no key, empty as its key is, behind a backbone: what it costs, the estimate of its motion left
/// out.
package final class PropagatedFrame {
  private let backbone: SegmentationNetwork
  private let tap: String
  private let size: PixelSize
  private let ledger: MACCounter
  /// What the frame's own pass through the backbone has given.
  private var seen: [Features]

  /// A frame whose work is counted in `ledger`, stage by stage.
  package init(
    _ backbone: SegmentationNetwork, tap: String?, of size: PixelSize,
    countedIn ledger: MACCounter
  ) {
    (self.backbone, self.size, self.ledger) = (backbone, size, ledger)
    self.tap = tap ?? backbone.stages[backbone.stages.count - 1].name
    seen = []
  }

  /// Carries a tensor of the key to the frame, and runs what comes after.
  package func run(_ part: TrainablePropagation) throws {
    let tapped = try backbone.index(ofStage: tap)
    let cached = try features(after: tap, of: .reference)
    let evidence = Evidence(
      motion: { (try .zeros([1, 2, $0, $1]), nil) }, picture: { _ in try self.picture() },
      features: { try self.features(after: $0, of: $1) })
    let pass = ForwardContext.counting(in: ledger)
    var result: Tensor
    switch part {
    case .propagator(let propagator):
      result = try propagator.carry(cached, given: evidence, in: pass)
      end("carry", result)
    case .fusion(let fusion, let propagator):
      result = try propagator(cached, given: evidence)
      if propagator is Warp { ledger.add(macs: 4 * result.count) }
      end("carry", result)
      result = try fusion.fuse(result, given: evidence, in: pass)
      end("fuse", result)
    }
    let rest = try backbone.run(
      tapped + 1..<backbone.stages.count, on: Features(result, skips: try skips()), in: pass)
    _ = try backbone.head(rest.main, size: size, in: pass)
  }

  private func end(_ name: String, _ result: Tensor) {
    let stride = Int((Double(size.width) / Double(result.shape[3])).rounded())
    ledger.end(name, stride: stride, giving: result)
  }

  /// Of the frame itself, as many as the tapped features have.
  private func skips() throws -> [Tensor] {
    let tapped = try backbone.run(
      0..<backbone.index(ofStage: tap) + 1, on: Features(picture()))
    for stage in backbone.stages where (seen.last?.skips.count ?? 0) < tapped.skips.count {
      _ = try features(after: stage.name, of: .current)
    }
    return seen.last { $0.skips.count == tapped.skips.count }?.skips ?? []
  }

  private func picture() throws -> Tensor { try .zeros([1, 3, size.height, size.width]) }

  private func features(after stage: String, of side: Evidence.Side) throws -> Tensor {
    let count = try backbone.index(ofStage: stage) + 1
    let input = Features(try picture())
    if side == .reference { return try backbone.run(0..<count, on: input).main }
    while seen.count < count {
      seen.append(
        try backbone.run(
          seen.count..<seen.count + 1, on: seen.last ?? input, in: .counting(in: ledger)))
    }
    return seen[count - 1].main
  }
}
