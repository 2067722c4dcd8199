// SPDX-License-Identifier: Apache-2.0
// Bilinear blending of one run of cells, in both layouts.
#pragma once

#include <string.h>

#include "kernel.h"

/// `size` neighbouring channels of one cell from four taps; `size` is a constant where it matters.
CK_INLINE void ck_blend_some(const float *const tap[4], const float weight[4], float *restrict out,
                             int32_t first, int32_t size) {
  const float *a = tap[0] + first, *b = tap[1] + first, *c = tap[2] + first, *d = tap[3] + first;
  for (int32_t i = 0; i < size; ++i) {
    out[first + i] = ((weight[0] * a[i] + weight[1] * b[i]) + weight[2] * c[i]) + weight[3] * d[i];
  }
}

/// All channels of one cell whose four taps count; the last block overlaps the one before.
CK_INLINE void ck_blend_full(const float *const tap[4], const float weight[4], float *out,
                             int32_t channels) {
  if (channels >= 16) {
    for (int32_t first = 0; first + 16 <= channels; first += 16) {
      ck_blend_some(tap, weight, out, first, 16);
    }
    if (channels % 16) ck_blend_some(tap, weight, out, channels - 16, 16);
  } else if (channels >= 8) {
    ck_blend_some(tap, weight, out, 0, 8);
    if (channels > 8) ck_blend_some(tap, weight, out, channels - 8, 8);
  } else if (channels >= 4) {
    ck_blend_some(tap, weight, out, 0, 4);
    if (channels > 4) ck_blend_some(tap, weight, out, channels - 4, 4);
  } else {
    for (int32_t first = 0; first < channels; ++first) ck_blend_some(tap, weight, out, first, 1);
  }
}

/// All channels of one cell where some tap is not to be counted.
CK_INLINE void ck_blend_part(const float *const tap[4], const float weight[4], float *restrict out,
                             int32_t channels) {
  if (weight[0] == 1) {
    memcpy(out, tap[0], (size_t)channels * sizeof(float));
    return;
  }
  for (int32_t i = 0; i < channels; ++i) out[i] = weight[0] > 0 ? weight[0] * tap[0][i] : 0;
  for (int32_t k = 1; k < 4; ++k) {
    if (!(weight[k] > 0)) continue;
    for (int32_t i = 0; i < channels; ++i) out[i] += weight[k] * tap[k][i];
  }
}

/// A run of cells, channels side by side: `out` receives `count` × `channels` values.
CK_INLINE void ck_blend_cells(const float *features, const ck_taps *taps, int32_t channels,
                              int32_t count, float *out) {
  for (int32_t i = 0; i < count; ++i) {
    const float *tap[4];
    float weight[4];
    for (int32_t k = 0; k < 4; ++k) {
      tap[k] = features + (ptrdiff_t)taps->offset[k][i] * channels;
      weight[k] = taps->weight[k][i];
    }
    float *cell = out + (ptrdiff_t)i * channels;
    if (taps->full[i]) {
      ck_blend_full(tap, weight, cell, channels);
    } else {
      ck_blend_part(tap, weight, cell, channels);
    }
  }
}

/// How sixteen neighbouring cells read one plane.
typedef enum ck_group {
  ck_scattered,  // anyhow
  ck_smooth,     // from neighbouring cells, with four taps each
  ck_shifted     // copies of neighbouring cells
} ck_group;

/// Looks at a run of cells sixteen at a time; what is left over counts as scattered.
CK_INLINE void ck_group_cells(const ck_taps *taps, int32_t count, ck_group *groups) {
  for (int32_t first = 0; first < count; first += ck_lanes) {
    ck_group *group = &groups[first / ck_lanes];
    *group = ck_scattered;
    if (first + ck_lanes > count) return;
    int together = 1, full = 1, copies = 1;
    for (int32_t i = first; i < first + ck_lanes; ++i) {
      together &= taps->offset[0][i] == taps->offset[0][first] + (i - first);
      full &= taps->full[i];
      copies &= taps->weight[0][i] == 1;
    }
    if (together) *group = full ? ck_smooth : copies ? ck_shifted : ck_scattered;
  }
}

CK_INLINE void ck_blend_smooth(const float *plane, const ck_taps *taps, int32_t first, float *out) {
  const float *a = plane + taps->offset[0][first], *b = plane + taps->offset[1][first];
  const float *c = plane + taps->offset[2][first], *d = plane + taps->offset[3][first];
  const float *w0 = &taps->weight[0][first], *w1 = &taps->weight[1][first];
  const float *w2 = &taps->weight[2][first], *w3 = &taps->weight[3][first];
  *(ck_floats *)out = ((*(const ck_floats *)w0 * *(const ck_floats *)a +
                        *(const ck_floats *)w1 * *(const ck_floats *)b) +
                       *(const ck_floats *)w2 * *(const ck_floats *)c) +
                      *(const ck_floats *)w3 * *(const ck_floats *)d;
}

/// -0, not 0, stands in for a tap that does not count: it is what a sum leaves as it is.
CK_INLINE void ck_blend_scattered(const float *plane, const ck_taps *taps, int32_t first,
                                  int32_t end, float *out) {
  for (int32_t i = first; i < end; ++i) {
    const float w0 = taps->weight[0][i], w1 = taps->weight[1][i];
    const float w2 = taps->weight[2][i], w3 = taps->weight[3][i];
    const float a = plane[taps->offset[0][i]], b = plane[taps->offset[1][i]];
    const float c = plane[taps->offset[2][i]], d = plane[taps->offset[3][i]];
    const float upper = (w0 > 0 ? w0 * a : 0) + (w1 > 0 ? w1 * b : -0.0f);
    out[i] = (upper + (w2 > 0 ? w2 * c : -0.0f)) + (w3 > 0 ? w3 * d : -0.0f);
  }
}

/// A run of cells of one plane: `out` receives `count` values.
CK_INLINE void ck_blend_plane(const float *plane, const ck_taps *taps, const ck_group *groups,
                              int32_t count, float *out) {
  for (int32_t first = 0; first < count; first += ck_lanes) {
    switch (groups[first / ck_lanes]) {
      case ck_smooth: ck_blend_smooth(plane, taps, first, out + first); break;
      case ck_shifted:
        memcpy(out + first, plane + taps->offset[0][first], ck_lanes * sizeof(float));
        break;
      case ck_scattered:
        ck_blend_scattered(plane, taps, first, ck_smaller(first + ck_lanes, count), out);
        break;
    }
  }
}
