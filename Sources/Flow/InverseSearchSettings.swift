// SPDX-License-Identifier: Apache-2.0
internal import CKernels

/// What a preset of dense inverse search stands for.
struct InverseSearchSettings: Sendable {
  /// Halvings of the frame before the finest level that is searched.
  var finest: Int32
  /// Distance of neighbouring patches in pixels.
  var patchStep: Int32
  /// Most Gauss-Newton steps of a patch in each of the two passes.
  var steps: Int32
  /// Fixed-point iterations of the variational refinement, each of five sweeps of the solver.
  var refinements: Int32

  /// Steps are damped by half a squared grey level and a patch's 64 pixels are summed; OpenCV gets
  /// much the same effect by taking an eighth of each step.
  var search: ck_dis_search_settings {
    ck_dis_search_settings(steps: steps, gain: 1, damping: 400, least_step: 0.01)
  }

  /// The weights of OpenCV's refinement.
  var refine: ck_dis_refine_settings {
    ck_dis_refine_settings(smoothness: 20, brightness: 5, gradients: 10)
  }
}

extension DISFlow.Preset {
  var settings: InverseSearchSettings {
    switch self {
    case .ultrafast: InverseSearchSettings(finest: 2, patchStep: 4, steps: 2, refinements: 0)
    case .fast: InverseSearchSettings(finest: 2, patchStep: 4, steps: 2, refinements: 5)
    case .medium: InverseSearchSettings(finest: 1, patchStep: 3, steps: 3, refinements: 5)
    }
  }
}

/// The levels that frames of one size are searched on, the finest first.
struct InverseSearchLayout: Sendable, Equatable {
  let width: Int32, height: Int32
  /// Halvings of the frame at the first level.
  let finest: Int32
  let levels: [Size]

  struct Size: Sendable, Equatable {
    let width: Int32, height: Int32
  }

  /// The coarsest level is where a quarter of the longer side is a patch, or the shorter side is;
  /// frames smaller than a patch are extended to it.
  init(width: Int, height: Int, settings: InverseSearchSettings) {
    (self.width, self.height) = (Int32(width), Int32(height))
    let patch = Int32(ck_dis_patch)
    let (across, down) = (max(self.width, patch), max(self.height, patch))
    var coarsest: Int32 = 0
    while min(across, down) >> (coarsest + 1) >= patch
      && Double(max(across, down)) >= Double(4 * patch << coarsest) * 2.0.squareRoot()
    {
      coarsest += 1
    }
    finest = min(settings.finest, coarsest)
    levels = (finest...coarsest).map { Size(width: across >> $0, height: down >> $0) }
  }
}
