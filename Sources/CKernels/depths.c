// SPDX-License-Identifier: Apache-2.0
#include "CPictures.h"

#include "kernel.h"

CK_INLINE int ck_read_depths_as(const float *restrict numbers, size_t count,
                                const ck_depth_reading *reading, int inverse,
                                float *restrict metres) {
  const float scale = reading->scale, shift = reading->shift;
  const float least = reading->least, most = reading->most, farthest = 1 / most;
  int finite = 1;
  for (size_t i = 0; i < count; ++i) {
    const float value = scale * numbers[i] + shift;
    finite &= ck_is_finite(numbers[i]);
    if (inverse) {
      const float depth = 1 / value;
      metres[i] = value > farthest ? (depth > least ? depth : least) : most;
    } else {
      const float near = value > least ? value : least;
      metres[i] = near < most ? near : most;
    }
  }
  return finite;
}

CK_KERNEL int ck_read_depths(const float *numbers, size_t count, const ck_depth_reading *reading,
                             float *metres) {
  return reading->inverse ? ck_read_depths_as(numbers, count, reading, 1, metres)
                          : ck_read_depths_as(numbers, count, reading, 0, metres);
}
