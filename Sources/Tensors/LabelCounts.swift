// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// Adds how often each class was taken for each other one to `counts`, classes × (classes + 1).
///
/// Rows are the truth, columns the prediction; the last column holds predictions that are no class. A
/// truth that is no class (void) is left out.
///
/// - Throws: `.badShape` where the labels differ in number, or the counts are not of that size.
public func countConfusion(
  of predicted: UnsafeRawBufferPointer, against truth: UnsafeRawBufferPointer, classes: Int,
  in counts: inout [Int64]
) throws(TensorError) {
  let operation: StaticString = #function
  guard predicted.count == truth.count, (1...256).contains(classes),
    counts.count == classes * (classes + 1)
  else {
    throw TensorError(
      .badShape, in: operation,
      "\(predicted.count) labels against \(truth.count), of \(classes) classes, do not go into "
        + "\(counts.count) counts")
  }
  let predictions = predicted.bindMemory(to: UInt8.self).baseAddress
  let truths = truth.bindMemory(to: UInt8.self).baseAddress
  try check(operation) { failure in
    counts.withUnsafeMutableBufferPointer {
      ct_confusion(
        truths, predictions, truth.count, Int32(classes), $0.baseAddress, &failure)
    }
  }
}
