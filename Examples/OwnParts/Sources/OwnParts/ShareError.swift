// SPDX-License-Identifier: Apache-2.0

import Inbetween

/// A metric: how far predicted shares are from the true ones, on average or at worst.
struct ShareError: Metric {
  private let isWorst: Bool
  private var sum = 0.0
  private var worst = 0.0
  private var count = 0

  init(isWorst: Bool = false) { self.isWorst = isWorst }

  mutating func add(_ prediction: ClassShare, target: ClassShare?, trace _: FrameTrace) {
    guard let target else { return }
    let error = abs(prediction.share - target.share)
    (sum, worst, count) = (sum + error, max(worst, error), count + 1)
  }

  var values: [String: Double] {
    guard count > 0 else { return [:] }
    return isWorst ? ["share_error_worst": worst] : ["share_error": sum / Double(count)]
  }
}

extension Registries {
  mutating func registerShareError() {
    metrics.register(
      "share-error", "how far shares are off, on average or, with 'worst', at worst",
      options: [.flag("worst")]
    ) { options, _ in
      let isWorst = options.flag("worst")
      return MetricFactory { ShareError(isWorst: isWorst) }
    }
  }
}
