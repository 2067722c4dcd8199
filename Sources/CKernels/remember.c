// SPDX-License-Identifier: Apache-2.0
#include "blend.h"
#include "softmax.h"

/// Values of one run of cells in all channels.
enum { ck_memory_values = 4096 };

int32_t ck_most_remembered(void) { return ck_memory_values; }

/// How much of the earlier scores counts at each of `count` cells from cell `at` on.
CK_INLINE void ck_gate(const ck_memory *memory, ck_shape shape, const uint8_t *known,
                       const ck_taps *taps, int32_t at, int32_t count, float *gate) {
  const int32_t cells = shape.height * shape.width;
  const float scale = -1 / (memory->tolerance * (float)memory->picture_channels);
  float change[ck_chunk] = {0}, there[ck_chunk];
  ck_runs runs;
  ck_cut(taps, count, &runs);
  for (int32_t channel = 0; channel < memory->picture_channels; ++channel) {
    const ptrdiff_t plane = (ptrdiff_t)channel * cells;
    ck_blend_plane(memory->there + plane, cells, taps, &runs, count, there);
    const float *here = memory->here + plane + at;
    for (int32_t i = 0; i < count; ++i) change[i] += __builtin_fabsf(here[i] - there[i]);
  }
  for (int32_t i = 0; i < count; ++i) gate[i] = memory->weight * ck_exp(scale * change[i]);
  if (!known) return;
  for (int32_t i = 0; i < count; ++i) gate[i] = known[at + i] ? gate[i] : 0;
}

CK_INLINE void ck_mix(const float *own, const float *carried, float gate, float *out,
                      int32_t count) {
  for (int32_t i = 0; i < count; ++i) out[i] = own[i] + gate * (carried[i] - own[i]);
}

/// All channels of some cells, side by side; where there are enough, the last block of a cell overlaps
/// the one before.
CK_INLINE void ck_mix_cells(const float *own, const float *carried, const float *gate,
                            int32_t channels, int32_t count, float *restrict out) {
  for (int32_t i = 0; i < count; ++i) {
    const ptrdiff_t at = (ptrdiff_t)i * channels;
    if (channels < 8) {
      ck_mix(own + at, carried + at, gate[i], out + at, channels);
      continue;
    }
    for (int32_t first = 0; first + 8 <= channels; first += 8) {
      ck_mix(own + at + first, carried + at + first, gate[i], out + at + first, 8);
    }
    const ptrdiff_t last = at + channels - 8;
    if (channels % 8) ck_mix(own + last, carried + last, gate[i], out + last, 8);
  }
}

CK_INLINE void ck_mix_planes(const ck_memory *memory, ck_shape shape, const ck_taps *taps,
                             const float *gate, int32_t at, int32_t count, float *restrict out) {
  const int32_t cells = shape.height * shape.width;
  float carried[ck_chunk];
  ck_runs runs;
  ck_cut(taps, count, &runs);
  for (int32_t channel = 0; channel < shape.channels; ++channel) {
    const ptrdiff_t plane = (ptrdiff_t)channel * cells;
    ck_blend_plane(memory->before + plane, cells, taps, &runs, count, carried);
    const float *own = memory->own + plane + at;
    float *to = out + plane + at;
    for (int32_t i = 0; i < count; ++i) to[i] = own[i] + gate[i] * (carried[i] - own[i]);
  }
}

CK_KERNEL void ck_remember(const ck_memory *memory, ck_shape shape, const ck_motion *motion,
                           float *out, int32_t row_begin, int32_t row_end) {
  const ck_edges edges = {shape.height, shape.width, ck_border_clamp};
  const int32_t most = shape.layout == ck_planar ? ck_chunk : ck_memory_values / shape.channels;
  const int32_t step = ck_smaller(ck_chunk, most), end = row_end * shape.width;
  ck_places places;
  ck_taps taps;
  float gate[ck_chunk], carried[ck_memory_values];
  for (int32_t at = row_begin * shape.width; at < end; at += step) {
    const int32_t count = ck_smaller(step, end - at);
    ck_find(motion, edges, at, count, &places);
    ck_weigh(&places, edges, count, &taps);
    ck_gate(memory, shape, motion->known, &taps, at, count, gate);
    if (shape.layout == ck_planar) {
      ck_mix_planes(memory, shape, &taps, gate, at, count, out);
    } else {
      const ptrdiff_t first = (ptrdiff_t)at * shape.channels;
      ck_blend_cells(memory->before, &taps, shape.channels, count, carried);
      ck_mix_cells(memory->own + first, carried, gate, shape.channels, count, out + first);
    }
  }
}
