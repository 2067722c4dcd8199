// SPDX-License-Identifier: Apache-2.0
// Sixteen vectors of sixteen: turned, or each added up, by the same four exchanges.
#pragma once

#include "kernel.h"

/// Of two vectors, blocks of `distance` lanes: the lower ones of each pair of blocks, or the upper.
#define CK_LOWER_8(a, b) \
  __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, \
                          16, 17, 18, 19, 20, 21, 22, 23)
#define CK_UPPER_8(a, b) \
  __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, \
                          24, 25, 26, 27, 28, 29, 30, 31)
#define CK_LOWER_4(a, b) \
  __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, \
                          8, 9, 10, 11, 24, 25, 26, 27)
#define CK_UPPER_4(a, b) \
  __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, \
                          12, 13, 14, 15, 28, 29, 30, 31)
#define CK_LOWER_2(a, b) \
  __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, \
                          8, 9, 24, 25, 12, 13, 28, 29)
#define CK_UPPER_2(a, b) \
  __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, \
                          10, 11, 26, 27, 14, 15, 30, 31)
#define CK_LOWER_1(a, b) \
  __builtin_shufflevector(a, b, 0, 16, 2, 18, 4, 20, 6, 22, \
                          8, 24, 10, 26, 12, 28, 14, 30)
#define CK_UPPER_1(a, b) \
  __builtin_shufflevector(a, b, 1, 17, 3, 19, 5, 21, 7, 23, \
                          9, 25, 11, 27, 13, 29, 15, 31)

#define CK_EXCHANGE(distance)                            \
  _Pragma("clang loop unroll(full)")                     \
  for (int32_t i = 0; i < ck_lanes; ++i) {               \
    if (i & distance) continue;                          \
    const ck_floats a = rows[i], b = rows[i + distance]; \
    rows[i] = CK_LOWER_##distance(a, b);                 \
    rows[i + distance] = CK_UPPER_##distance(a, b);      \
  }

/// Rows become columns.
CK_INLINE void ck_turn(ck_floats rows[ck_lanes]) {
  CK_EXCHANGE(8)
  CK_EXCHANGE(4)
  CK_EXCHANGE(2)
  CK_EXCHANGE(1)
}

#define CK_FOLD(distance)                                            \
  _Pragma("clang loop unroll(full)")                                 \
  for (int32_t i = 0; i < distance; ++i) {                           \
    const ck_floats a = rows[i], b = rows[i + distance];             \
    rows[i] = CK_LOWER_##distance(a, b) + CK_UPPER_##distance(a, b); \
  }

/// The first row becomes the sum of each row.
CK_INLINE void ck_sum_rows(ck_floats rows[ck_lanes]) {
  CK_FOLD(8)
  CK_FOLD(4)
  CK_FOLD(2)
  CK_FOLD(1)
}

/// The sum of one row, added up in the order of `ck_sum_rows`.
CK_INLINE float ck_sum(const ck_floats *values) {
  ck_floats row = *values;
  row = CK_LOWER_8(row, row) + CK_UPPER_8(row, row);
  row = CK_LOWER_4(row, row) + CK_UPPER_4(row, row);
  row = CK_LOWER_2(row, row) + CK_UPPER_2(row, row);
  row = CK_LOWER_1(row, row) + CK_UPPER_1(row, row);
  return row[0];
}
