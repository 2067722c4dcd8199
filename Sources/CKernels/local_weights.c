// SPDX-License-Identifier: Apache-2.0
// What is done to the weights of each cell's neighbourhood.
#include "CLocal.h"
#include "softmax.h"

/// The taps of one cell, and the rows and columns of them that lie inside.
typedef struct ck_reach {
  int32_t size, top, bottom, left, right;
} ck_reach;

CK_INLINE ck_reach ck_reach_at(int32_t x, int32_t y, int32_t height, int32_t width,
                               int32_t radius) {
  const int32_t size = 2 * radius + 1;
  const int32_t below = height - y + radius, beyond = width - x + radius;
  return (ck_reach){size, y < radius ? radius - y : 0, ck_smaller(size, below),
                    x < radius ? radius - x : 0, ck_smaller(size, beyond)};
}

CK_INLINE int ck_reaches(ck_reach reach, int32_t u, int32_t v) {
  return (u >= reach.top) & (u < reach.bottom) & (v >= reach.left) & (v < reach.right);
}

CK_INLINE float ck_sum_inside(const float *weights, ck_reach reach) {
  float sum = 0;
  for (int32_t u = reach.top; u < reach.bottom; ++u) {
    for (int32_t v = reach.left; v < reach.right; ++v) sum += weights[u * reach.size + v];
  }
  return sum;
}

/// Σ values · factors, or of the values alone, in sixteen partial sums.
CK_INLINE float ck_total(const float *values, const float *factors, int32_t taps) {
  float lanes[ck_lanes] = {0}, sum = 0;
  for (int32_t t = 0; t < taps; t += ck_lanes) {
    const int32_t count = ck_smaller(ck_lanes, taps - t);
    for (int32_t i = 0; i < count; ++i) {
      lanes[i] += factors ? values[t + i] * factors[t + i] : values[t + i];
    }
  }
  for (int32_t i = 0; i < ck_lanes; ++i) sum += lanes[i];
  return sum;
}

CK_INLINE void ck_clear_outside(float *weights, ck_reach reach, float value) {
  const int32_t all = reach.bottom - reach.top + reach.right - reach.left;
  if (all == 2 * reach.size) return;
  for (int32_t u = 0; u < reach.size; ++u) {
    for (int32_t v = 0; v < reach.size; ++v) {
      if (!ck_reaches(reach, u, v)) weights[u * reach.size + v] = value;
    }
  }
}

CK_KERNEL void ck_local_shares(const float *weights, int32_t height, int32_t width,
                               int32_t radius, float *shares, int32_t row_begin,
                               int32_t row_end) {
  const int32_t taps = (2 * radius + 1) * (2 * radius + 1);
  for (int32_t y = row_begin; y < row_end; ++y) {
    for (int32_t x = 0; x < width; ++x) {
      const ck_reach reach = ck_reach_at(x, y, height, width, radius);
      const ptrdiff_t at = ((ptrdiff_t)y * width + x) * taps;
      const float sum = ck_sum_inside(weights + at, reach);
      for (int32_t t = 0; t < taps; ++t) shares[at + t] = sum != 0 ? weights[at + t] / sum : 0;
      ck_clear_outside(shares + at, reach, 0);
    }
  }
}

/// gradient(t) - Σ shares · gradient, the part of it that leaves the sum as it is.
CK_INLINE void ck_centre(const float *shares, int32_t taps, float *gradient) {
  const float sum = ck_total(shares, gradient, taps);
  for (int32_t t = 0; t < taps; ++t) gradient[t] -= sum;
}

CK_KERNEL void ck_local_shares_gradient(const float *weights, const float *shares, int32_t height,
                                        int32_t width, int32_t radius, float *gradient,
                                        int32_t row_begin, int32_t row_end) {
  const int32_t taps = (2 * radius + 1) * (2 * radius + 1);
  for (int32_t y = row_begin; y < row_end; ++y) {
    for (int32_t x = 0; x < width; ++x) {
      const ck_reach reach = ck_reach_at(x, y, height, width, radius);
      const ptrdiff_t at = ((ptrdiff_t)y * width + x) * taps;
      const float sum = ck_sum_inside(weights + at, reach);
      ck_centre(shares + at, taps, gradient + at);
      for (int32_t t = 0; t < taps; ++t) gradient[at + t] = sum != 0 ? gradient[at + t] / sum : 0;
      ck_clear_outside(gradient + at, reach, 0);
    }
  }
}

CK_INLINE void ck_soften(float *scores, int32_t taps) {
  float top = scores[0];
  for (int32_t t = 1; t < taps; ++t) top = scores[t] > top ? scores[t] : top;
  for (int32_t t = 0; t < taps; ++t) scores[t] = ck_exp(scores[t] - top);
  const float sum = ck_total(scores, 0, taps);
  for (int32_t t = 0; t < taps; ++t) scores[t] /= sum;
}

CK_KERNEL void ck_local_softmax(int32_t height, int32_t width, int32_t radius, int inside,
                                float *scores, int32_t row_begin, int32_t row_end) {
  const int32_t taps = (2 * radius + 1) * (2 * radius + 1);
  for (int32_t y = row_begin; y < row_end; ++y) {
    for (int32_t x = 0; x < width; ++x) {
      const ck_reach reach = ck_reach_at(x, y, height, width, radius);
      float *own = scores + ((ptrdiff_t)y * width + x) * taps;
      if (inside) ck_clear_outside(own, reach, -__builtin_inff());
      ck_soften(own, taps);
      if (inside) ck_clear_outside(own, reach, 0);
    }
  }
}

CK_KERNEL void ck_local_softmax_gradient(const float *weights, int32_t height, int32_t width,
                                         int32_t radius, float *gradient, int32_t row_begin,
                                         int32_t row_end) {
  (void)height;
  const int32_t taps = (2 * radius + 1) * (2 * radius + 1);
  const ptrdiff_t end = (ptrdiff_t)row_end * width;
  for (ptrdiff_t cell = (ptrdiff_t)row_begin * width; cell < end; ++cell) {
    const float *own = weights + cell * taps;
    float *to = gradient + cell * taps;
    ck_centre(own, taps, to);
    for (int32_t t = 0; t < taps; ++t) to[t] *= own[t];
  }
}

CK_KERNEL void ck_local_turned(const float *weights, int32_t height, int32_t width, int32_t radius,
                               float *turned, int32_t row_begin, int32_t row_end) {
  const int32_t size = 2 * radius + 1, taps = size * size;
  for (int32_t y = row_begin; y < row_end; ++y) {
    for (int32_t x = 0; x < width; ++x) {
      const ck_reach reach = ck_reach_at(x, y, height, width, radius);
      float *to = turned + ((ptrdiff_t)y * width + x) * taps;
      for (int32_t t = 0; t < taps; ++t) to[t] = 0;
      for (int32_t u = reach.top; u < reach.bottom; ++u) {
        for (int32_t v = reach.left; v < reach.right; ++v) {
          const ptrdiff_t there = (ptrdiff_t)(y + u - radius) * width + x + v - radius;
          to[u * size + v] = weights[there * taps + (taps - 1 - (u * size + v))];
        }
      }
    }
  }
}
