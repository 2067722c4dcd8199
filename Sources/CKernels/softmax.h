// SPDX-License-Identifier: Apache-2.0
// What the losses share: exp and log that loops can be built of, and runs of cells plane by plane.
#pragma once

#include "CLosses.h"
#include "kernel.h"

#include <string.h>

/// Values of one run of cells in all channels: what fits the innermost cache.
enum { ck_run_values = 8192 };

CK_INLINE uint32_t ck_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

CK_INLINE float ck_from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/// exp of a number that is not above 0, to 1e-7 of itself; below -87 that of -87 (Cephes' expf).
CK_INLINE float ck_exp(float value) {
  const float shift = 12582912;  // 1.5 · 2²³: what is added to it loses its fraction
  const float x = value < -87 ? -87 : value;
  const float shifted = x * 1.44269504f + shift;
  const float whole = shifted - shift;
  const float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1;
  return p * ck_from_bits((ck_bits(shifted) << 23) + 0x3f800000);
}

/// log of a positive normal number; NaN for infinity and NaN (Cephes' logf).
CK_INLINE float ck_log(float value) {
  const uint32_t bits = ck_bits(value);
  const float half = ck_from_bits((bits & 0x007fffff) | 0x3f000000);
  const int small = half < 0.707106781f;
  const float exponent = (float)((int32_t)(bits >> 23) - 126 - small);
  const float m = (small ? half + half : half) - 1;
  const float z = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  p = p * m * z - exponent * 2.12194440e-4f - 0.5f * z;
  return m + p + exponent * 0.693359375f + (value - value);
}

/// Some cells of an image, channel after channel, `step` apart.
typedef struct ck_run {
  const float *values;
  ptrdiff_t step;
  int32_t channels, count;
} ck_run;

/// How many cells make a run: a multiple of sixteen.
CK_INLINE int32_t ck_run_length(ck_shape shape) {
  const int32_t fit = ck_run_values / shape.channels / ck_lanes * ck_lanes;
  return ck_smaller(fit, ck_chunk);
}

/// The `count` cells from cell `at` on; where their channels lie side by side, turned into `scratch`.
CK_INLINE ck_run ck_run_at(const float *values, ck_shape shape, ptrdiff_t at, int32_t count,
                           float *scratch) {
  const ptrdiff_t plane = (ptrdiff_t)shape.height * shape.width;
  if (shape.layout == ck_planar) return (ck_run){values + at, plane, shape.channels, count};
  const float *cells = values + at * shape.channels;
  for (int32_t channel = 0; channel < shape.channels; ++channel) {
    float *to = scratch + channel * count;
    for (int32_t i = 0; i < count; ++i) to[i] = cells[i * shape.channels + channel];
  }
  return (ck_run){scratch, count, shape.channels, count};
}

/// Where a run's results go: in place, or where channels lie side by side, first to `scratch`.
typedef struct ck_target {
  float *values;
  ptrdiff_t step;
} ck_target;

CK_INLINE ck_target ck_target_at(float *out, ck_shape shape, ptrdiff_t at, int32_t count,
                                 float *scratch) {
  const ptrdiff_t plane = (ptrdiff_t)shape.height * shape.width;
  return shape.layout == ck_planar ? (ck_target){out + at, plane} : (ck_target){scratch, count};
}

CK_INLINE void ck_put(ck_target target, ck_shape shape, ptrdiff_t at, int32_t count, float *out) {
  if (shape.layout == ck_planar) return;
  float *cells = out + at * shape.channels;
  for (int32_t i = 0; i < count; ++i) {
    for (int32_t channel = 0; channel < shape.channels; ++channel) {
      cells[i * shape.channels + channel] = target.values[channel * target.step + i];
    }
  }
}

CK_INLINE void ck_set(float *values, float value, int32_t count) {
  for (int32_t i = 0; i < count; ++i) values[i] = value;
}

/// The largest logit of each cell.
CK_INLINE void ck_find_tops(ck_run run, float *tops) {
  ck_set(tops, -__builtin_inff(), run.count);
  for (int32_t channel = 0; channel < run.channels; ++channel) {
    const float *x = run.values + channel * run.step;
    for (int32_t i = 0; i < run.count; ++i) tops[i] = x[i] > tops[i] ? x[i] : tops[i];
  }
}
