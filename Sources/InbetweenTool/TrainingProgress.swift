// SPDX-License-Identifier: Apache-2.0

internal import Experiments
internal import Foundation
internal import Outputs

/// Tells how far a training is: one line that redraws itself on a terminal, a line now and then
/// elsewhere.
struct TrainingProgress {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let clock = ContinuousClock()
  private var said: ContinuousClock.Instant?
  private var secondsPerStep: Double?

  mutating func show(_ report: TrainingRun.Report) {
    if report.scores.isEmpty { average(report.secondsPerStep) }
    let isDue = said.map { clock.now - $0 >= .seconds(30) } ?? true
    guard isTerminal || isDue || !report.scores.isEmpty else { return }
    said = clock.now
    if isTerminal && report.scores.isEmpty {
      write("\r\u{1B}[K\(line(report))")
    } else {
      write((isTerminal ? "\r\u{1B}[K" : "") + line(report) + "\n")
    }
  }

  func end() { if isTerminal { write("\n") } }

  /// Evaluations are not counted: they would spoil the estimate of what is left.
  private mutating func average(_ seconds: Double) {
    secondsPerStep = secondsPerStep.map { 0.9 * $0 + 0.1 * seconds } ?? seconds
  }

  private func line(_ report: TrainingRun.Report) -> String {
    let left = Double(report.steps - report.step) * (secondsPerStep ?? report.secondsPerStep)
    var line = "\(report.stage) \(report.step)/\(report.steps)"
    if report.loss.isFinite { line += String(format: ", loss %.4f", report.loss) }
    line += String(
      format: ", %.2f s a step, %.0f min left", secondsPerStep ?? report.secondsPerStep,
      (left / 60).rounded(.up))
    for (name, score) in report.scores.sorted(by: { $0.key < $1.key })
    where !name.contains("/iou/") {
      line += String(format: ", %@ %.4f", name, score)
    }
    return line
  }

  private func write(_ text: String) {
    StandardError.say(text)
  }
}
