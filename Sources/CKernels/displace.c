// SPDX-License-Identifier: Apache-2.0
// Spatially displaced convolution (Reda et al., ECCV 2018), and its gradient to the features.
#include "displace.h"

/// `vectors` vectors of channels of one cell; a constant.
CK_INLINE void ck_gather(const float *features, ptrdiff_t channels, const ck_sources *sources,
                         int32_t vectors, float *out) {
  ck_floats sums[4] = {0, 0, 0, 0};
  for (int32_t t = 0; t < sources->count; ++t) {
    const float weight = sources->weight[t];
    const float *from = features + sources->cell[t] * channels;
#pragma clang loop unroll(full)
    for (int32_t q = 0; q < vectors; ++q) {
      sums[q] += weight * *(const ck_floats *)(from + q * ck_lanes);
    }
  }
  for (int32_t q = 0; q < vectors; ++q) *(ck_floats *)(out + q * ck_lanes) = sums[q];
}

/// Fewer than sixteen channels. A whole vector is read as long as the array goes on.
CK_INLINE void ck_gather_few(const float *features, ptrdiff_t channels, ptrdiff_t cells,
                             const ck_sources *sources, float *out) {
  ck_floats sum = 0;
  for (int32_t t = 0; t < sources->count; ++t) {
    const ptrdiff_t at = sources->cell[t] * channels;
    ck_floats values = 0;
    if (at + ck_lanes <= cells * channels) {
      values = *(const ck_floats *)(features + at);
    } else {
      for (int32_t i = 0; i < channels; ++i) values[i] = features[at + i];
    }
    sum += sources->weight[t] * values;
  }
  for (int32_t i = 0; i < channels; ++i) out[i] = sum[i];
}

CK_INLINE void ck_gather_cell(const float *features, ck_shape shape, const ck_sources *sources,
                              float *out) {
  const int32_t channels = shape.channels;
  if (channels < ck_lanes) {
    ck_gather_few(features, channels, (ptrdiff_t)shape.height * shape.width, sources, out);
    return;
  }
  int32_t first = 0;
  for (; first + 4 * ck_lanes <= channels; first += 4 * ck_lanes) {
    ck_gather(features + first, channels, sources, 4, out + first);
  }
  for (; first < channels; first += ck_lanes) {
    first = ck_smaller(first, channels - ck_lanes);  // the last sixteen overlap those before
    ck_gather(features + first, channels, sources, 1, out + first);
  }
}

CK_KERNEL void ck_displace(const float *features, ck_shape shape, const ck_displaced *given,
                           float *out, int32_t row_begin, int32_t row_end) {
  ck_sources sources;
  for (int32_t y = row_begin; y < row_end; ++y) {
    for (int32_t x = 0; x < shape.width; ++x) {
      const ck_cell_axes axes = ck_axes_at(given, shape, x, y);
      ck_find_sources(&axes, &sources);
      const ptrdiff_t at = ((ptrdiff_t)y * shape.width + x) * shape.channels;
      ck_gather_cell(features, shape, &sources, out + at);
    }
  }
}

CK_INLINE void ck_scatter(const float *gradient, ptrdiff_t channels, const ck_sources *sources,
                          int32_t begin, int32_t end, float *features) {
  for (int32_t t = 0; t < sources->count; ++t) {
    const float weight = sources->weight[t];
    float *restrict to = features + sources->cell[t] * channels;
    for (int32_t channel = begin; channel < end; ++channel) {
      to[channel] += weight * gradient[channel];
    }
  }
}

CK_KERNEL void ck_displace_features_gradient(const float *gradient, ck_shape shape,
                                             const ck_displaced *given, float *features_gradient,
                                             int32_t channel_begin, int32_t channel_end) {
  const ptrdiff_t channels = shape.channels, cells = (ptrdiff_t)shape.height * shape.width;
  ck_sources sources;
  for (ptrdiff_t cell = 0; cell < cells; ++cell) {
    float *to = features_gradient + cell * channels;
    for (int32_t channel = channel_begin; channel < channel_end; ++channel) to[channel] = 0;
  }
  for (int32_t y = 0; y < shape.height; ++y) {
    for (int32_t x = 0; x < shape.width; ++x) {
      const ck_cell_axes axes = ck_axes_at(given, shape, x, y);
      ck_find_sources(&axes, &sources);
      const float *from = gradient + ((ptrdiff_t)y * shape.width + x) * channels;
      ck_scatter(from, channels, &sources, channel_begin, channel_end, features_gradient);
    }
  }
}
