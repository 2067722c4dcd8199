// SPDX-License-Identifier: Apache-2.0
// Sums over the neighbourhood of each cell, with weights of its own: spatially variant convolution,
// local attention, spatially displaced convolution, and what their gradients are made of.
//
// The rules of CKernels.h hold. A neighbourhood of radius r has k = 2r + 1 rows and columns, and k²
// taps in row-major order: tap (u + r) · k + (v + r) of cell (x, y) is the cell (x + v, y + u). Weights
// and products by tap lie cell after cell: height × width × k². A tap outside the image has the value
// 0. No array is copied tap by tap; a few hundred KiB on the stack hold the rows in use.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "CKernels.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /// The largest radius: 25 × 25 taps.
  ck_most_radius = 12,
};

/// out(c, p) = Σ_t weights(p, t) · values(c, p + t), the taps added one after the other, for the given
/// rows.
void ck_local_sum(const float *values, ck_shape shape, const float *weights, int32_t radius,
                  float *out, int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// products(p, t) = Σ_c here(c, p) · there(c, p + t), for the given rows: similarities, or the gradient
/// of `ck_local_sum` with respect to its weights. Both arrays have the shape, layout included.
void ck_local_products(const float *here, const float *there, ck_shape shape, int32_t radius,
                       float *products, int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// turned(p, t) = weights(p + t, -t), for the given rows: with the turned weights `ck_local_sum` of a
/// gradient is the gradient with respect to the values.
void ck_local_turned(const float *weights, int32_t height, int32_t width, int32_t radius,
                     float *turned, int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// Each cell's weights divided by the sum of those whose taps lie inside; the others become 0, and all
/// do where that sum is 0.
void ck_local_shares(const float *weights, int32_t height, int32_t width, int32_t radius,
                     float *shares, int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// The gradient of `ck_local_shares`, in place: `gradient` comes with respect to the shares and leaves
/// with respect to the weights.
void ck_local_shares_gradient(const float *weights, const float *shares, int32_t height,
                              int32_t width, int32_t radius, float *gradient, int32_t row_begin,
                              int32_t row_end) CK_NOEXCEPT;

/// The soft-max of each cell's taps, in place; `inside`: of those that lie inside, the others get 0.
void ck_local_softmax(int32_t height, int32_t width, int32_t radius, int inside, float *scores,
                      int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// The gradient of `ck_local_softmax`, in place: `weights` is what it gave.
void ck_local_softmax_gradient(const float *weights, int32_t height, int32_t width, int32_t radius,
                               float *gradient, int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// Where each cell reads, and how its neighbourhood there is weighed: tap (u, v) by
/// vertical(u) · horizontal(v). The kernels are height × width × k, `size` = k from 1 to 25, odd.
typedef struct ck_displaced {
  ck_motion motion;
  ck_border border;
  const float *vertical, *horizontal;
  int32_t size;
} ck_displaced;

/// out(c, p) = Σ_u Σ_v vertical(p, u) · horizontal(p, v) · features(c, p + motion(p) + (v, u)),
/// bilinear, for the given rows; the channels of a cell lie side by side.
///
/// Kernels of one tap of 1 give what `ck_warp` gives, and zero motion what `ck_local_sum` gives with
/// the product of the kernels, to the last bit.
void ck_displace(const float *features, ck_shape shape, const ck_displaced *given, float *out,
                 int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// The gradient with respect to the features, for the given channels, which are overwritten.
void ck_displace_features_gradient(const float *gradient, ck_shape shape,
                                   const ck_displaced *given, float *features_gradient,
                                   int32_t channel_begin, int32_t channel_end) CK_NOEXCEPT;

/// The gradients with respect to the motion (2 × height × width) and both kernels (height × width ×
/// k), for the given rows. Where a place is whole the former is that to the right and below.
void ck_displace_taps_gradient(const float *gradient, const float *features, ck_shape shape,
                               const ck_displaced *given, float *motion_gradient,
                               float *vertical_gradient, float *horizontal_gradient,
                               int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

#ifdef __cplusplus
}
#endif
