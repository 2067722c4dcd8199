// SPDX-License-Identifier: Apache-2.0
// Sums over neighbourhoods, from tensors: weights are N × H × W × k², features N × C × H × W.
#pragma once
#include "kernels.hpp"

namespace ct {

/// The radius of neighbourhoods of k × k taps.
/// - Throws: ct_bad_argument unless k is odd, and from 1 to 25.
CT_HIDDEN int64_t radius_of(int64_t size);

/// The radius of neighbourhoods of so many taps.
/// - Throws: ct_bad_shape unless that is the square of such a k.
CT_HIDDEN int64_t radius_of_taps(int64_t taps);

/// N × T × H × W as packed float32 N × H × W × T; one of N = 1 serves all of the grid's.
/// - Throws: ct_bad_shape, ct_bad_type.
CT_HIDDEN at::Tensor cell_by_cell(const at::Tensor &values, const Grid &grid, const char *name);

CT_HIDDEN at::Tensor local_sum(const at::Tensor &values, const at::Tensor &weights, int64_t radius);
/// `there` is of the layout of `here`.
CT_HIDDEN at::Tensor local_products(const at::Tensor &here, const at::Tensor &there,
                                    int64_t radius);
CT_HIDDEN at::Tensor local_turned(const at::Tensor &weights, int64_t radius);

/// Calls `body(cell, begin, end)` for the rows of each image's weights; `cell` is the first tap of
/// the image.
template <class Body>
void over_weights(const at::Tensor &weights, const Body &body) {
  const Grid grid{weights.size(0), weights.size(3), weights.size(1), weights.size(2),
                  ck_channels_last, true};
  if (weights.numel() == 0) return;
  over_images(grid, grid.height, grid.width * grid.channels,
              [&](int64_t image, int32_t begin, int32_t end) {
                body(image * grid.image(), begin, end);
              });
}

}  // namespace ct
