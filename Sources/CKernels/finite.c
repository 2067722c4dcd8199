// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "kernel.h"

/// What is no number, and infinity, have all bits of the exponent: without their signs they are the
/// largest integers.
CK_INLINE void ck_keep_larger(const float *values, ck_ints *largest) {
  ck_ints bits;
  memcpy(&bits, values, sizeof bits);
  bits &= 0x7FFFFFFF;
  *largest = bits > *largest ? bits : *largest;
}

CK_KERNEL int ck_all_finite(const float *values, size_t count) {
  ck_ints first = (ck_ints)(0), second = (ck_ints)(0);
  size_t i = 0;
  for (; i + 2 * ck_lanes <= count; i += 2 * ck_lanes) {
    ck_keep_larger(values + i, &first);
    ck_keep_larger(values + i + ck_lanes, &second);
  }
  int finite = 1;
  for (; i < count; ++i) finite &= ck_is_finite(values[i]);
  for (int lane = 0; lane < ck_lanes; ++lane) {
    finite &= first[lane] < 0x7F800000 && second[lane] < 0x7F800000;
  }
  return finite;
}
