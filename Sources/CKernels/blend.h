// SPDX-License-Identifier: Apache-2.0
// Bilinear blending of one run of cells, in both layouts.
#pragma once

#include <string.h>

#include "kernel.h"

/// How a cell is made of its four taps.
typedef enum ck_making {
  ck_of_four,  // all of them count
  ck_of_some,  // some do
  ck_of_one    // the first alone does, as it is
} ck_making;

CK_INLINE ck_making ck_making_of(const float weight[4], int full) {
  return full ? ck_of_four : weight[0] == 1 ? ck_of_one : ck_of_some;
}

/// `size` neighbouring channels of one cell; `size` is a constant where it matters.
CK_INLINE void ck_blend_some(const float *const tap[4], const float weight[4], ck_making making,
                             float *restrict out, int32_t first, int32_t size) {
  const float *a = tap[0] + first, *b = tap[1] + first, *c = tap[2] + first, *d = tap[3] + first;
  float sum[16];
  if (making == ck_of_one) {
    memcpy(out + first, a, (size_t)size * sizeof(float));
    return;
  }
  if (making == ck_of_four) {
    for (int32_t i = 0; i < size; ++i) {
      sum[i] = ((weight[0] * a[i] + weight[1] * b[i]) + weight[2] * c[i]) + weight[3] * d[i];
    }
  } else {
    for (int32_t i = 0; i < size; ++i) sum[i] = weight[0] > 0 ? weight[0] * a[i] : 0;
    for (int32_t k = 1; k < 4; ++k) {
      if (!(weight[k] > 0)) continue;
      for (int32_t i = 0; i < size; ++i) sum[i] += weight[k] * tap[k][first + i];
    }
  }
  memcpy(out + first, sum, (size_t)size * sizeof(float));
}

/// All channels of one cell, in blocks; the last block overlaps the one before.
CK_INLINE void ck_blend_cell(const float *const tap[4], const float weight[4], ck_making making,
                             float *out, int32_t channels) {
  if (channels >= 16) {
    for (int32_t first = 0; first + 16 <= channels; first += 16) {
      ck_blend_some(tap, weight, making, out, first, 16);
    }
    if (channels % 16) ck_blend_some(tap, weight, making, out, channels - 16, 16);
  } else if (channels >= 8) {
    ck_blend_some(tap, weight, making, out, 0, 8);
    if (channels > 8) ck_blend_some(tap, weight, making, out, channels - 8, 8);
  } else if (channels >= 4) {
    ck_blend_some(tap, weight, making, out, 0, 4);
    if (channels > 4) ck_blend_some(tap, weight, making, out, channels - 4, 4);
  } else {
    for (int32_t first = 0; first < channels; ++first) {
      ck_blend_some(tap, weight, making, out, first, 1);
    }
  }
}

/// How many cells from `first` on are copies of cells that lie side by side.
CK_INLINE int32_t ck_copies(const ck_taps *taps, int32_t first, int32_t count) {
  int32_t end = first;
  while (end < count && taps->weight[0][end] == 1 && !taps->full[end] &&
         taps->offset[0][end] - taps->offset[0][first] == end - first) {
    ++end;
  }
  return end - first;
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
    const int32_t copies = ck_copies(taps, i, count);
    if (copies > 1) {
      memcpy(cell, tap[0], (size_t)copies * (size_t)channels * sizeof(float));
      i += copies - 1;
      continue;
    }
    switch (ck_making_of(weight, taps->full[i])) {
      case ck_of_four: ck_blend_cell(tap, weight, ck_of_four, cell, channels); break;
      case ck_of_some: ck_blend_cell(tap, weight, ck_of_some, cell, channels); break;
      case ck_of_one: ck_blend_cell(tap, weight, ck_of_one, cell, channels); break;
    }
  }
}

/// How neighbouring cells read one plane.
typedef enum ck_kind {
  ck_any,     // anyhow
  ck_smooth,  // four taps each, from neighbouring cells
  ck_copy     // one tap each, as it is, from neighbouring cells
} ck_kind;

/// A chunk of cells cut into runs of one kind.
typedef struct ck_runs {
  int32_t count;
  /// Where each run begins, and where the last one ends.
  int32_t begin[ck_chunk + 1];
  uint8_t kind[ck_chunk];
} ck_runs;

CK_INLINE ck_kind ck_kind_of(const ck_taps *taps, int32_t i) {
  return taps->full[i] ? ck_smooth : taps->weight[0][i] == 1 ? ck_copy : ck_any;
}

/// Marks the cells that do not read on where the one before left off.
CK_INLINE void ck_find_breaks(const ck_taps *taps, int32_t count, uint8_t *breaks) {
  breaks[0] = 1;
  for (int32_t i = 1; i < count; ++i) {
    const int alike = (taps->full[i] == taps->full[i - 1]) &
                      ((taps->weight[0][i] == 1) == (taps->weight[0][i - 1] == 1));
    const int next = taps->offset[0][i] == taps->offset[0][i - 1] + 1;
    breaks[i] = !(alike & next);
  }
}

/// Runs too short to be worth their own are put together as cells that read anyhow.
CK_INLINE void ck_cut(const ck_taps *taps, int32_t count, ck_runs *runs) {
  enum { short_run = 4 };
  uint8_t breaks[ck_chunk + 1];
  ck_find_breaks(taps, count, breaks);
  breaks[count] = 1;
  runs->count = 0;
  for (int32_t i = 0, next; i < count; i = next) {
    for (next = i + 1; !breaks[next];) ++next;
    const ck_kind kind = next - i < short_run ? ck_any : ck_kind_of(taps, i);
    if (kind == ck_any && runs->count > 0 && runs->kind[runs->count - 1] == ck_any) continue;
    runs->begin[runs->count] = i;
    runs->kind[runs->count++] = (uint8_t)kind;
  }
  runs->begin[runs->count] = count;
}

/// Sixteen cells whose taps lie side by side.
///
/// Every product is rounded, as in `ck_blend_any`: which of the two a cell goes through depends on
/// where its chunk begins, and so on the number of threads, and what comes of it must not.
CK_INLINE void ck_blend_smooth(const float *plane, const ck_taps *taps, int32_t first, float *out) {
#pragma clang fp contract(off)
  const float *a = plane + taps->offset[0][first], *b = plane + taps->offset[1][first];
  const float *c = plane + taps->offset[2][first], *d = plane + taps->offset[3][first];
  const float *w0 = &taps->weight[0][first], *w1 = &taps->weight[1][first];
  const float *w2 = &taps->weight[2][first], *w3 = &taps->weight[3][first];
  *(ck_floats *)out = ((*(const ck_floats *)w0 * *(const ck_floats *)a +
                        *(const ck_floats *)w1 * *(const ck_floats *)b) +
                       *(const ck_floats *)w2 * *(const ck_floats *)c) +
                      *(const ck_floats *)w3 * *(const ck_floats *)d;
}

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpass-failed"  // a sanitizer keeps the loop as it is

/// Any cells, one by one.
///
/// -0, not 0, stands in for a tap that does not count: it is what a sum leaves as it is.
CK_INLINE void ck_blend_any(const float *plane, const ck_taps *taps, int32_t begin, int32_t end,
                            float *restrict out) {
#pragma clang fp contract(off)
#pragma clang loop vectorize(enable)
  for (int32_t i = begin; i < end; ++i) {
    const float w0 = taps->weight[0][i], w1 = taps->weight[1][i];
    const float w2 = taps->weight[2][i], w3 = taps->weight[3][i];
    const float a = plane[taps->offset[0][i]], b = plane[taps->offset[1][i]];
    const float c = plane[taps->offset[2][i]], d = plane[taps->offset[3][i]];
    const float upper = (w0 > 0 ? w0 * a : 0) + (w1 > 0 ? w1 * b : -0.0f);
    out[i] = (upper + (w2 > 0 ? w2 * c : -0.0f)) + (w3 > 0 ? w3 * d : -0.0f);
  }
}

#pragma clang diagnostic pop

/// A chunk of one plane of `cells` cells: `out` receives `count` values.
///
/// Sixteen are made at a time where so many can be read and written, though a run may be shorter:
/// what is written beyond its end is overwritten by the runs that follow.
CK_INLINE void ck_blend_plane(const float *plane, int32_t cells, const ck_taps *taps,
                              const ck_runs *runs, int32_t count, float *out) {
  for (int32_t run = 0; run < runs->count; ++run) {
    const int32_t end = runs->begin[run + 1];
    const ck_kind kind = (ck_kind)runs->kind[run];
    int32_t i = runs->begin[run];
    if (kind == ck_any) {
      ck_blend_any(plane, taps, i, end, out);
      continue;
    }
    const int32_t reach = taps->offset[3][i] - i + ck_lanes;
    const int32_t most = ck_smaller(count - ck_lanes, cells - reach);
    for (; i < end && i <= most; i += ck_lanes) {
      if (kind == ck_smooth) {
        ck_blend_smooth(plane, taps, i, out + i);
      } else {
        memcpy(out + i, plane + taps->offset[0][i], ck_lanes * sizeof(float));
      }
    }
    ck_blend_any(plane, taps, i, end, out);
  }
}
