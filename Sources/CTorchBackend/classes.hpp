// SPDX-License-Identifier: Apache-2.0
// Logits and labels, checked against each other and brought to what the kernels take.
#pragma once
#include "kernels.hpp"

namespace ct {

/// Labels of N × H × W cells of some classes; `ignored` marks void.
struct Labels {
  at::Tensor value;
  int64_t classes, ignored;

  /// - Throws: ct_bad_shape, ct_bad_type where they are no labels.
  CT_HIDDEN void check() const;
  /// Packed bytes, 255 where void; at most 255 classes, on the CPU.
  /// - Throws: ct_bad_argument for a number that is neither a class nor void.
  CT_HIDDEN at::Tensor bytes() const;
  /// int64, on any device, the number of classes where void.
  /// - Throws: as `bytes`.
  CT_HIDDEN at::Tensor numbers() const;
};

/// - Throws: ct_bad_shape where the labels are not the logits' without their channels.
CT_HIDDEN Labels labels_of(const at::Tensor &logits, const at::Tensor &labels, int64_t ignored);

/// Whether the kernels take logits of so many classes.
inline bool suits_kernels(const at::Tensor &logits, int64_t most = ck_most_classes) {
  return logits.is_cpu() && logits.size(1) <= most;
}

inline at::Tensor empty_cells(const Grid &grid, const at::Tensor &like) {
  return at::empty({grid.count, grid.height, grid.width}, like.options().dtype(at::kFloat));
}

/// The gradient of a number with respect to one value a cell, packed.
inline at::Tensor cell_gradient(const at::Tensor &gradient) {
  return gradient.to(at::kFloat).contiguous();
}

}  // namespace ct
