// SPDX-License-Identifier: Apache-2.0
#include "best.h"
#include "blend.h"

enum { ck_most_scores = 4096 };

/// A bit for each of sixteen lanes.
typedef _Bool ck_lane_marks __attribute__((ext_vector_type(16)));

/// Looks at some cells of a plane, `count` a multiple of sixteen.
CK_INLINE void ck_keep_plane(const float *scores, int32_t label, int32_t count, ck_best *best) {
  const ck_ints labels = (ck_ints)(label);
  for (int32_t first = 0; first < count; first += ck_lanes) {
    ck_keep(&best[first / ck_lanes], (const ck_floats *)(scores + first), &labels);
  }
}

/// The highest of sixteen scores, none of them NaN, in every lane.
CK_INLINE void ck_find_top(const ck_floats *scores, ck_floats *result) {
  ck_floats top = *scores, other;
#define CK_FOLD(...)                                            \
  other = __builtin_shufflevector(top, top, __VA_ARGS__);       \
  top = other > top ? other : top;
  CK_FOLD(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
  CK_FOLD(4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)
  CK_FOLD(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
  CK_FOLD(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)
#undef CK_FOLD
  *result = top;
}

/// The first lane with the highest score: the winner, where lanes are labels. A NaN never wins.
CK_INLINE uint8_t ck_winning_lane(const ck_floats *given) {
  const ck_floats least = (ck_floats)(-__builtin_inff());
  const ck_floats scores = *given > least ? *given : least;
  ck_floats top;
  ck_find_top(&scores, &top);
  const ck_lane_marks wins = __builtin_convertvector(scores == top, ck_lane_marks);
  uint16_t bits;
  memcpy(&bits, &wins, sizeof bits);
  return (uint8_t)__builtin_ctz(bits);
}

/// The winner among sixteen: the highest score, of equal ones the lowest label.
CK_INLINE uint8_t ck_winner(const ck_best *best) {
  ck_floats top;
  ck_find_top(&best->score, &top);
  const ck_ints wins = best->score == top;
  const ck_ints labels = wins ? best->label : (ck_ints)(255);
  return (uint8_t)__builtin_reduce_min(labels);
}

static const int32_t ck_count_up[ck_lanes] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// The winner among the channels of one cell; fifteen values beyond them must be readable if there are
/// fewer than sixteen.
CK_INLINE uint8_t ck_winner_of_cell(const float *scores, int32_t channels) {
  const ck_ints lanes = *(const ck_ints *)ck_count_up;
  ck_best best;
  ck_start(&best);
  if (channels <= ck_lanes) {
    const ck_floats score = lanes < channels ? *(const ck_floats *)scores : best.score;
    return ck_winning_lane(&score);
  }
  for (int32_t first = 0; first + ck_lanes <= channels; first += ck_lanes) {
    const ck_ints labels = lanes + first;
    ck_keep(&best, (const ck_floats *)(scores + first), &labels);
  }
  if (channels % ck_lanes) {
    const ck_ints labels = lanes + (channels - ck_lanes);
    ck_keep(&best, (const ck_floats *)(scores + channels - ck_lanes), &labels);
  }
  return ck_winner(&best);
}

/// The same, one score after another, `step` apart: for the last few cells of an array.
CK_INLINE uint8_t ck_winner_one_by_one(const float *scores, ptrdiff_t step, int32_t channels) {
  float top = -__builtin_inff();
  int32_t label = 0;
  for (int32_t channel = 0; channel < channels; ++channel) {
    const float score = scores[channel * step];
    if (score > top) {
      top = score;
      label = channel;
    }
  }
  return (uint8_t)label;
}

CK_INLINE void ck_store_labels(const ck_best *best, int32_t count, uint8_t *labels) {
  for (int32_t i = 0; i < count; ++i) {
    labels[i] = (uint8_t)((const int32_t *)&best[i / ck_lanes].label)[i % ck_lanes];
  }
}

CK_INLINE void ck_argmax_planes(const float *scores, ptrdiff_t plane, int32_t channels,
                                ptrdiff_t begin, ptrdiff_t end, uint8_t *labels) {
  enum { groups = 4, run = groups * ck_lanes };
  ptrdiff_t at = begin;
  for (; at + run <= end; at += run) {
    ck_best best[groups];
    for (int32_t group = 0; group < groups; ++group) ck_start(&best[group]);
    for (int32_t channel = 0; channel < channels; ++channel) {
      ck_keep_plane(scores + channel * plane + at, channel, run, best);
    }
    ck_store_labels(best, run, labels + at);
  }
  for (; at < end; ++at) labels[at] = ck_winner_one_by_one(scores + at, plane, channels);
}

CK_KERNEL void ck_argmax(const float *scores, ck_shape shape, uint8_t *labels, int32_t row_begin,
                         int32_t row_end) {
  const ptrdiff_t plane = (ptrdiff_t)shape.height * shape.width;
  const ptrdiff_t begin = (ptrdiff_t)row_begin * shape.width;
  const ptrdiff_t end = (ptrdiff_t)row_end * shape.width;
  if (shape.layout == ck_planar) {
    ck_argmax_planes(scores, plane, shape.channels, begin, end, labels);
    return;
  }
  // A vector taken at one of the last cells would reach beyond the array.
  const ptrdiff_t last = shape.channels < ck_lanes ? plane - ck_lanes : plane;
  for (ptrdiff_t at = begin; at < end; ++at) {
    const float *cell = scores + at * shape.channels;
    labels[at] = at < last ? ck_winner_of_cell(cell, shape.channels)
                           : ck_winner_one_by_one(cell, 1, shape.channels);
  }
}

CK_INLINE void ck_label_planes(const float *scores, ck_shape shape, const ck_taps *taps,
                               int32_t count, uint8_t *labels) {
  float run[ck_chunk] = {0};
  ck_best best[ck_chunk / ck_lanes];
  ck_runs runs;
  const int32_t cells = shape.height * shape.width;
  const int32_t padded = (count + ck_lanes - 1) / ck_lanes * ck_lanes;
  for (int32_t group = 0; group < padded / ck_lanes; ++group) ck_start(&best[group]);
  ck_cut(taps, count, &runs);
  for (int32_t channel = 0; channel < shape.channels; ++channel) {
    ck_blend_plane(scores + (ptrdiff_t)channel * cells, cells, taps, &runs, count, run);
    ck_keep_plane(run, channel, padded, best);
  }
  ck_store_labels(best, count, labels);
}

CK_INLINE void ck_label_cells(const float *scores, int32_t channels, const ck_taps *taps,
                              int32_t count, uint8_t *labels) {
  float run[ck_most_scores + ck_lanes];
  ck_blend_cells(scores, taps, channels, count, run);
  for (int32_t i = 0; i < ck_lanes; ++i) run[count * channels + i] = 0;
  for (int32_t i = 0; i < count; ++i) labels[i] = ck_winner_of_cell(run + i * channels, channels);
}

CK_KERNEL void ck_warp_argmax(const float *scores, ck_shape shape, const ck_motion *motion,
                              ck_border border, uint8_t *labels, int32_t row_begin,
                              int32_t row_end) {
  const ck_edges edges = {shape.height, shape.width, border};
  const int32_t most = shape.layout == ck_planar ? ck_chunk : ck_most_scores / shape.channels;
  const int32_t step = ck_smaller(ck_chunk, most);
  ck_places places;
  ck_taps taps;
  const int32_t end = row_end * shape.width;
  for (int32_t at = row_begin * shape.width; at < end; at += step) {
    const int32_t count = ck_smaller(step, end - at);
    ck_find(motion, edges, at, count, &places);
    ck_weigh(&places, edges, count, &taps);
    if (shape.layout == ck_planar) {
      ck_label_planes(scores, shape, &taps, count, labels + at);
    } else {
      ck_label_cells(scores, shape.channels, &taps, count, labels + at);
    }
  }
}
