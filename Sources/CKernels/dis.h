// SPDX-License-Identifier: Apache-2.0
// What the stages of dense inverse search share.
#pragma once

#include "CDis.h"

#ifndef CK_DIS_KERNEL
#if defined(__x86_64__) && defined(__linux__)
#define CK_DIS_KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CK_DIS_KERNEL
#endif
#endif
#define CK_DIS_INLINE static inline __attribute__((always_inline))

#pragma clang fp contract(fast)

/// Values at any address; narrower processors take them in parts.
typedef float dis_4 __attribute__((ext_vector_type(4), aligned(4), may_alias));
typedef float dis_8 __attribute__((ext_vector_type(8), aligned(4), may_alias));
typedef float dis_16 __attribute__((ext_vector_type(16), aligned(4), may_alias));

typedef int32_t dis_ints __attribute__((ext_vector_type(16), aligned(4), may_alias));

enum { dis_lanes = 16 };

// Macros: as functions, they would pass vectors that narrower processors cannot take in one piece.
#define dis_load(from) (*(const dis_16 *)(from))
#define dis_store(to, value) (*(dis_16 *)(to) = (value))
/// Every second value of two vectors, from the first or from the second one on.
#define dis_even(a, b)                                                                             \
  __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define dis_odd(a, b)                                                                              \
  __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)

CK_DIS_INLINE int32_t dis_least(int32_t a, int32_t b) { return a < b ? a : b; }
CK_DIS_INLINE int32_t dis_most(int32_t a, int32_t b) { return a > b ? a : b; }

/// Where a patch or pixel reads: the whole part within limits, and the fraction above it.
CK_DIS_INLINE int32_t dis_split(float place, float least, float most, float *fraction) {
  float held = place > least ? place : least;  // not a number gives `least`
  held = held < most ? held : most;
  const int32_t whole = (int32_t)(held + 64.0f) - 64;  // rounds down: held > -64
  *fraction = held - (float)whole;
  return whole;
}
