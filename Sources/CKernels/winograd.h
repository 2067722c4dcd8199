// SPDX-License-Identifier: Apache-2.0
// The transforms of F(4 × 4, 3 × 3) along one axis, sixteen channels at a time.
//
// The points are 0, ±a, ±b and infinity with a = 5/8, b = 3/2: their squares are exact in binary,
// and the error is half that of the usual 0, ±1, ±2 (root mean square 1.4e-6 of the output's
// deviation, against 3.2e-6; a plain sum of products has 0.4e-6).
#pragma once

#include "CWinograd.h"
#include "kernel.h"

// Sums of products are fused where the processor can: less work, and rounded less often.
#pragma STDC FP_CONTRACT ON

#define CK_UNROLL _Pragma("clang loop unroll(full)")

enum { ck_side = ck_tile_side, ck_reach = ck_tile_side + 2, ck_taps_side = 3 };

#define CK_A 0.625f
#define CK_B 1.5f
#define CK_AA (CK_A * CK_A)
#define CK_BB (CK_B * CK_B)

/// Each point's weights are divided by the product of its distances to the other points.
#define CK_SHARE_0 (1 / (CK_AA * CK_BB))
#define CK_SHARE_A (1 / (2 * CK_AA * (CK_AA - CK_BB)))
#define CK_SHARE_B (1 / (2 * CK_BB * (CK_BB - CK_AA)))

/// Six cells of the input at the six points.
CK_INLINE void ck_input_points(const ck_floats in[6], ck_floats out[6]) {
  const ck_floats even_a = in[4] - CK_BB * in[2], odd_a = CK_A * (in[3] - CK_BB * in[1]);
  const ck_floats even_b = in[4] - CK_AA * in[2], odd_b = CK_B * (in[3] - CK_AA * in[1]);
  out[0] = in[4] - (CK_AA + CK_BB) * in[2] + (CK_AA * CK_BB) * in[0];
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = in[5] - (CK_AA + CK_BB) * in[3] + (CK_AA * CK_BB) * in[1];
}

/// Four cells of output from the six points.
CK_INLINE void ck_output_cells(const ck_floats in[6], ck_floats out[4]) {
  const ck_floats sum_a = in[1] + in[2], difference_a = in[1] - in[2];
  const ck_floats sum_b = in[3] + in[4], difference_b = in[3] - in[4];
  out[0] = in[0] + sum_a + sum_b;
  out[1] = CK_A * difference_a + CK_B * difference_b;
  out[2] = CK_AA * sum_a + CK_BB * sum_b;
  out[3] = CK_AA * CK_A * difference_a + (CK_BB * CK_B * difference_b + in[5]);
}

/// The transpose of `ck_output_cells`: four cells of the output's gradient at the six points.
CK_INLINE void ck_gradient_points(const ck_floats in[4], ck_floats out[6]) {
  const ck_floats even_a = in[0] + CK_AA * in[2], odd_a = CK_A * (in[1] + CK_AA * in[3]);
  const ck_floats even_b = in[0] + CK_BB * in[2], odd_b = CK_B * (in[1] + CK_BB * in[3]);
  out[0] = in[0];
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = in[3];
}

/// Three weights at the six points.
CK_INLINE void ck_weight_points(const ck_floats in[3], ck_floats out[6]) {
  const ck_floats even_a = CK_SHARE_A * in[0] + (CK_SHARE_A * CK_AA) * in[2];
  const ck_floats even_b = CK_SHARE_B * in[0] + (CK_SHARE_B * CK_BB) * in[2];
  const ck_floats odd_a = (CK_SHARE_A * CK_A) * in[1], odd_b = (CK_SHARE_B * CK_B) * in[1];
  out[0] = CK_SHARE_0 * in[0];
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = in[2];
}

/// The transpose of `ck_weight_points`: the gradient of three weights from the six points.
CK_INLINE void ck_weight_gradients(const ck_floats in[6], ck_floats out[3]) {
  const ck_floats sum_a = CK_SHARE_A * (in[1] + in[2]), sum_b = CK_SHARE_B * (in[3] + in[4]);
  const ck_floats difference_a = in[1] - in[2], difference_b = in[3] - in[4];
  out[0] = CK_SHARE_0 * in[0] + (sum_a + sum_b);
  out[1] = (CK_SHARE_A * CK_A) * difference_a + (CK_SHARE_B * CK_B) * difference_b;
  out[2] = CK_AA * sum_a + (CK_BB * sum_b + in[5]);
}

/// Reads `count` floats, at most sixteen; the rest is 0.
CK_INLINE void ck_read_lanes(const float *from, int32_t count, ck_floats *to) {
  if (count >= ck_lanes) {
    *to = *(const ck_floats *)from;
    return;
  }
  float lanes[ck_lanes] = {0};
  for (int32_t i = 0; i < count; ++i) lanes[i] = from[i];
  *to = *(const ck_floats *)lanes;
}

CK_INLINE void ck_write_lanes(const ck_floats *from, int32_t count, float *to) {
  if (count >= ck_lanes) {
    *(ck_floats *)to = *from;
    return;
  }
  const float *lanes = (const float *)from;
  for (int32_t i = 0; i < count; ++i) to[i] = lanes[i];
}
