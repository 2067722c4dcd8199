// SPDX-License-Identifier: Apache-2.0

public import Evaluation
internal import Foundation
public import Recipes
internal import Scheduler
public import Specification

extension Registries {
  /// What to say where a scheduler that asks for a rate of key frames got quite another one in a
  /// run; nil where it is met, as far as so many frames can tell.
  public func rateWarning(of scheduler: PartSpec, after speed: Speed) -> String? {
    guard case .rate(let wanted)? = target(of: scheduler) else { return nil }
    return rateWarning(
      of: scheduler, share: speed.keyframeRatio, frames: speed.frames, wanted: wanted)
  }

  func rateWarning(
    of scheduler: PartSpec, share: Double, frames: Int, wanted: Double
  ) -> String? {
    let isFar = share > 1.5 * wanted || 1.5 * share < wanted
    guard isFar, abs(share - wanted) * Double(frames) >= 3 else { return nil }
    let text = grammar.text(of: scheduler, as: schedulers.role)
    return String(
      format: "%@ asks for %.1f %% key frames, and %.1f %% of %d frames are: its score does not "
        + "tell more frames apart here", text, 100 * wanted, 100 * share, frames)
  }
}
