// SPDX-License-Identifier: Apache-2.0
// What CKernels takes, from tensors, and its ranges over LibTorch's threads.
#pragma once
#include "CKernels.h"
#include "backend.hpp"
#include "parallel.hpp"

#include <algorithm>

namespace ct {

/// The sizes of N × C × H × W features, checked against what the kernels can count.
struct Grid {
  int64_t count, channels, height, width;
  ck_layout layout;
  bool on_cpu;

  ck_shape shape() const {
    return {int32_t(channels), int32_t(height), int32_t(width), layout};
  }
  int64_t cells() const { return height * width; }
  int64_t image() const { return channels * cells(); }
};

CT_HIDDEN void require_cpu(const at::Tensor &tensor);

/// Whether no element is infinite or no number.
CT_HIDDEN bool all_finite(const at::Tensor &tensor);

/// - Throws: ct_bad_shape for another number of axes, or more than the kernels can count.
CT_HIDDEN Grid grid_of(const at::Tensor &features);

/// Dense float32, in the layout it has; what is in none is put in planes.
CT_HIDDEN at::Tensor dense(const at::Tensor &features);

inline at::MemoryFormat format(ck_layout layout) {
  return layout == ck_planar ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast;
}

/// Motion and its known marks, brought to the grid's sizes, ready to be read image by image. No marks
/// at all: everything is known.
struct Motion {
  at::Tensor values, known;
  ck_motion of(int64_t image) const;
};

CT_HIDDEN at::Tensor motion_values(const at::Tensor &motion, const Grid &grid);
CT_HIDDEN at::Tensor known_marks(ct_tensor_ref known, const Grid &grid);

inline ck_border border_of(ct_border_kind kind) {
  return kind == ct_border_zero ? ck_border_zero : ck_border_clamp;
}

/// Calls `body(image, begin, end)` for parts of `size` rows or channels of each image, in LibTorch's
/// threads. Parts of one image do not overlap. `work` is what one row or channel costs, in elements.
template <class Body>
void over_images(const Grid &grid, int64_t size, int64_t work, const Body &body) {
  const int64_t all = grid.count * size, several = 4 * workers();
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(work, 1));
  const int64_t part = std::max(grain, (all + several - 1) / several);
  in_threads((all + part - 1) / part, [&](int64_t job, int32_t) {
    int64_t begin = job * part;
    const int64_t end = std::min(begin + part, all);
    while (begin < end) {
      const int64_t image = begin / size, first = begin % size;
      const int64_t last = std::min(size, first + end - begin);
      body(image, int32_t(first), int32_t(last));
      begin += last - first;
    }
  });
}

}  // namespace ct
