// SPDX-License-Identifier: Apache-2.0
#include "best.h"

/// Lays one row of scores out in planes, `plane` apart, its first and last cell once more on either side.
CK_INLINE void ck_lay_row(const float *scores, ck_shape shape, int32_t row, ptrdiff_t plane,
                          float *out) {
  const int32_t width = shape.width, inside = row < 0 ? 0 : ck_smaller(row, shape.height - 1);
  const ptrdiff_t cells = (ptrdiff_t)shape.height * width;
  for (int32_t channel = 0; channel < shape.channels; ++channel) {
    float *to = out + channel * plane;
    if (shape.layout == ck_planar) {
      memcpy(to + 1, scores + channel * cells + (ptrdiff_t)inside * width, sizeof(float) * width);
    } else {
      const float *from = scores + (ptrdiff_t)inside * width * shape.channels + channel;
      for (int32_t x = 0; x < width; ++x) to[1 + x] = from[(ptrdiff_t)x * shape.channels];
    }
    to[0] = to[1];
    for (ptrdiff_t x = width + 1; x < plane; ++x) to[x] = to[width];
  }
}

/// Where the cells of a phase lie between two of the source: from `first` (0 for the one before, 1 for the cell itself)
/// on, `share` of the way to the next.
typedef struct ck_phase {
  int32_t first;
  float share;
} ck_phase;

CK_INLINE ck_phase ck_phase_of(int32_t index, int32_t times) {
  const float place = ((float)index + 0.5f) / (float)times - 0.5f;
  return place < 0 ? (ck_phase){0, 1 + place} : (ck_phase){1, place};
}

CK_INLINE void ck_blend_rows(const float *upper, const float *lower, float share, ptrdiff_t count,
                             float *out) {
  for (ptrdiff_t i = 0; i < count; i += ck_lanes) {
    const ck_floats a = *(const ck_floats *)(upper + i), b = *(const ck_floats *)(lower + i);
    *(ck_floats *)(out + i) = a + share * (b - a);
  }
}

/// The labels of one row, whose scores lie blended in planes.
CK_INLINE void ck_label_row(const float *scores, ck_shape shape, ptrdiff_t plane, int32_t times,
                            uint8_t *labels, float *tops) {
  enum { groups = 4, run = groups * ck_lanes };
  for (int32_t index = 0; index < times; ++index) {
    const ck_phase phase = ck_phase_of(index, times);
    for (int32_t x = 0; x < shape.width; x += run) {
      ck_best best[groups];
      for (int32_t group = 0; group < groups; ++group) ck_start(&best[group]);
      for (int32_t channel = 0; channel < shape.channels; ++channel) {
        const float *from = scores + channel * plane + x + phase.first;
        const ck_ints label = (ck_ints)(channel);
        CK_UNROLL_GROUPS for (int32_t group = 0; group < groups; ++group) {
          const ck_floats a = *(const ck_floats *)(from + group * ck_lanes);
          const ck_floats b = *(const ck_floats *)(from + group * ck_lanes + 1);
          const ck_floats score = a + phase.share * (b - a);
          ck_keep(&best[group], &score, &label);
        }
      }
      const int32_t count = ck_smaller(run, shape.width - x);
      uint8_t *to = labels + (ptrdiff_t)x * times + index;
      for (int32_t i = 0; i < count; ++i) {
        to[(ptrdiff_t)i * times] =
            (uint8_t)((const int32_t *)&best[i / ck_lanes].label)[i % ck_lanes];
      }
      float *top = tops ? tops + (ptrdiff_t)x * times + index : 0;
      for (int32_t i = 0; top && i < count; ++i) {
        top[(ptrdiff_t)i * times] = ((const float *)&best[i / ck_lanes].score)[i % ck_lanes];
      }
    }
  }
}

ptrdiff_t ck_resized_plane(int32_t width) { return (width + 2 + 63) / 64 * 64 + 64 + ck_lanes; }

CK_KERNEL void ck_resized_argmax(const float *scores, ck_shape shape, int32_t times_down,
                                 int32_t times_across, float *memory, uint8_t *labels,
                                 float *tops, int32_t row_begin, int32_t row_end) {
  const ptrdiff_t plane = ck_resized_plane(shape.width), size = plane * shape.channels;
  float *rows[2] = {memory, memory + size}, *const blended = memory + 2 * size;
  // The source's row that lies in `rows[0]`; the next is in `rows[1]`.
  int32_t laid = INT32_MIN;
  for (int32_t y = row_begin; y < row_end; ++y) {
    const ck_phase phase = ck_phase_of(y % times_down, times_down);
    const int32_t row = y / times_down + phase.first - 1;
    if (row == laid + 1) {
      float *const upper = rows[1];
      rows[1] = rows[0];
      rows[0] = upper;
      ck_lay_row(scores, shape, row + 1, plane, rows[1]);
    } else if (row != laid) {
      ck_lay_row(scores, shape, row, plane, rows[0]);
      ck_lay_row(scores, shape, row + 1, plane, rows[1]);
    }
    laid = row;
    ck_blend_rows(rows[0], rows[1], phase.share, size, blended);
    const ptrdiff_t at = (ptrdiff_t)y * shape.width * times_across;
    ck_label_row(blended, shape, plane, times_across, labels + at, tops ? tops + at : 0);
  }
}
