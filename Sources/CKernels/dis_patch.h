// SPDX-License-Identifier: Apache-2.0
// One patch of 8 × 8 pixels, two rows to a vector.
#pragma once

#include "dis.h"

enum { dis_pairs = ck_dis_patch / 2 };

/// What a patch of the current picture looks like, and how it answers to being moved.
typedef struct dis_template {
  dis_16 pixels[dis_pairs];
  /// Summed with the difference to the reference, these give the step towards it.
  dis_16 answer_x[dis_pairs], answer_y[dis_pairs];
} __attribute__((aligned(64))) dis_template;

CK_DIS_INLINE void dis_load_pair(const float *first, const float *second, dis_16 *out) {
  const dis_8 a = *(const dis_8 *)first, b = *(const dis_8 *)second;
  *out = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

/// Two rows of the reference between its columns.
CK_DIS_INLINE void dis_between_columns(const float *first, const float *second, float right,
                                       dis_16 *out) {
  dis_16 near, next;
  dis_load_pair(first, second, &near);
  dis_load_pair(first + 1, second + 1, &next);
  *out = near + right * (next - near);
}

/// A patch of the reference at `from`, moved by a fraction of a pixel to the right and down.
CK_DIS_INLINE void dis_sample(const float *from, ptrdiff_t stride, float right, float below,
                              dis_16 out[dis_pairs]) {
  dis_16 rows[dis_pairs + 1];
  for (int k = 0; k < dis_pairs; ++k) {
    dis_between_columns(from + 2 * k * stride, from + (2 * k + 1) * stride, right, &rows[k]);
  }
  const float *last = from + ck_dis_patch * stride;
  dis_between_columns(last, last, right, &rows[dis_pairs]);
  for (int k = 0; k < dis_pairs; ++k) {
    const dis_16 next = __builtin_shufflevector(rows[k], rows[k + 1], 8, 9, 10, 11, 12, 13, 14, 15,
                                                16, 17, 18, 19, 20, 21, 22, 23);
    out[k] = rows[k] + below * (next - rows[k]);
  }
}

/// The sums of four vectors, in the order first, third, second, fourth.
CK_DIS_INLINE void dis_sum_four(const dis_16 *a, const dis_16 *b, const dis_16 *c, const dis_16 *d,
                                float out[4]) {
  const dis_8 ta = a->lo + a->hi, tb = b->lo + b->hi, tc = c->lo + c->hi, td = d->lo + d->hi;
  const dis_8 x = __builtin_shufflevector(ta, tb, 0, 1, 2, 3, 8, 9, 10, 11) +
                  __builtin_shufflevector(ta, tb, 4, 5, 6, 7, 12, 13, 14, 15);
  const dis_8 y = __builtin_shufflevector(tc, td, 0, 1, 2, 3, 8, 9, 10, 11) +
                  __builtin_shufflevector(tc, td, 4, 5, 6, 7, 12, 13, 14, 15);
  const dis_8 z = __builtin_shufflevector(x, y, 0, 2, 8, 10, 4, 6, 12, 14) +
                  __builtin_shufflevector(x, y, 1, 3, 9, 11, 5, 7, 13, 15);
  *(dis_4 *)out = __builtin_shufflevector(z, z, 0, 2, 4, 6) +
                  __builtin_shufflevector(z, z, 1, 3, 5, 7);
}
