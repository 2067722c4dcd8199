// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "dis_patch.h"
#include "dis_rows.h"

int32_t ck_dis_patch_count(int32_t size, int32_t step) {
  return (size - ck_dis_patch + step - 1) / step + 1;
}

/// Adds one patch to the rows from `begin` up to `end`; `weights` holds the sums of the weights.
CK_DIS_INLINE void dis_add_patch(const ck_dis_level *level, int32_t column, int32_t row, float dx,
                                 float dy, float *weights, int32_t begin, int32_t end) {
  const ck_dis_picture *reference = &level->reference, *current = &level->current;
  const ck_dis_flow *flow = &level->flow[0];
  float right, below;
  const int32_t c = dis_split((float)column + dx, 1 - ck_dis_patch, (float)(reference->width - 1),
                              &right);
  const int32_t r = dis_split((float)row + dy, 1 - ck_dis_patch, (float)(reference->height - 1),
                              &below);
  dis_16 moved[dis_pairs];
  dis_sample(reference->pixels + r * reference->stride + c, reference->stride, right, below, moved);
  for (int k = 0; k < dis_pairs; ++k) {
    dis_16 pixels;
    const float *from = current->pixels + (row + 2 * k) * current->stride + column;
    dis_load_pair(from, from + current->stride, &pixels);
    dis_16 gap = __builtin_elementwise_abs(moved[k] - pixels);
    gap = __builtin_elementwise_max(gap, (dis_16)1.0f);
    const dis_16 weight = 1.0f / gap;
    for (int half = 0; half < 2; ++half) {
      const int32_t y = row + 2 * k + half;
      if (y < begin || y >= end) continue;
      const dis_8 w = half ? weight.hi : weight.lo;
      const ptrdiff_t at = y * flow->stride + column;
      *(dis_8 *)(flow->dx + at) += w * dx;
      *(dis_8 *)(flow->dy + at) += w * dy;
      *(dis_8 *)(weights + at) += w;
    }
  }
}

CK_DIS_KERNEL void ck_dis_densify(const ck_dis_level *level, int32_t row_begin, int32_t row_end) {
  const ck_dis_flow flow = level->flow[0];
  float *weights = level->flow[1].dx;
  const ptrdiff_t begin = row_begin * flow.stride, end = row_end * flow.stride;
  memset(flow.dx + begin, 0, sizeof(float) * (size_t)(end - begin));
  memset(flow.dy + begin, 0, sizeof(float) * (size_t)(end - begin));
  memset(weights + begin, 0, sizeof(float) * (size_t)(end - begin));
  for (int32_t r = 0; r < level->patch_rows; ++r) {
    const int32_t row = dis_least(r * level->patch_step, flow.height - ck_dis_patch);
    if (row + ck_dis_patch <= row_begin || row >= row_end) continue;
    for (int32_t c = 0; c < level->patch_columns; ++c) {
      const int32_t column = dis_least(c * level->patch_step, flow.width - ck_dis_patch);
      const int32_t index = r * level->patch_columns + c;
      dis_add_patch(level, column, row, level->patch_dx[index], level->patch_dy[index], weights,
                    row_begin, row_end);
    }
  }
  for (int32_t y = row_begin; y < row_end; ++y) {
    float *restrict dx = flow.dx + y * flow.stride, *restrict dy = flow.dy + y * flow.stride;
    const float *restrict weight = weights + y * flow.stride;
    for (int32_t x = 0; x < flow.width; ++x) {
      const float scale = 1 / weight[x];
      dx[x] *= scale;
      dy[x] *= scale;
    }
  }
}

/// Spreads a run of values: out[x * spread] lies `offset` cells from the value x.
CK_DIS_INLINE void dis_spread(const float *dx, const float *dy, float offset, int32_t begin,
                              int32_t end, ptrdiff_t spread, float *restrict out) {
  const int32_t next = offset < 0 ? -1 : 1;
  const float part = __builtin_fabsf(offset);
  for (int32_t x = begin; x < end; ++x) {
    out[2 * x * spread] = dx[x] + part * (dx[x + next] - dx[x]);
    out[2 * x * spread + 1] = dy[x] + part * (dy[x + next] - dy[x]);
  }
}

CK_DIS_KERNEL void ck_dis_enlarge(ck_dis_flow flow, int32_t shift, int32_t width, int32_t height,
                                  float *displacements, int32_t row_begin, int32_t row_end) {
  enum { chunk = 256 };
  const int32_t factor = 1 << shift;
  float dx[chunk + 2], dy[chunk + 2];
  for (int32_t y = row_begin; y < row_end; ++y) {
    float part;
    ptrdiff_t above, below;
    dis_find_rows(flow, shift, y, &above, &below, &part);
    float *out = displacements + (ptrdiff_t)y * width * 2;
    for (int32_t first = 0; first < flow.width && first * factor < width; first += chunk) {
      const int32_t count = dis_least(chunk, flow.width - first);
      const int32_t begin = first > 0 ? -1 : 0, end = count + (first + count < flow.width);
      dis_between_rows(flow.dx + above + first + begin, flow.dx + below + first + begin, part,
                       (float)factor, end - begin, dx + 1 + begin);
      dis_between_rows(flow.dy + above + first + begin, flow.dy + below + first + begin, part,
                       (float)factor, end - begin, dy + 1 + begin);
      if (first == 0) dx[0] = dx[1], dy[0] = dy[1];
      if (first + count == flow.width) dx[count + 1] = dx[count], dy[count + 1] = dy[count];
      for (int32_t i = 0; i < factor; ++i) {
        const float offset = ((float)i + 0.5f) / (float)factor - 0.5f;
        const int32_t room = (width - i + factor - 1) / factor - first;
        dis_spread(dx + 1, dy + 1, offset, 0, dis_least(count, room), factor,
                   out + 2 * ((ptrdiff_t)first * factor + i));
      }
    }
    for (int32_t x = flow.width * factor; x < width; ++x) {
      out[2 * x] = out[2 * x - 2];
      out[2 * x + 1] = out[2 * x - 1];
    }
  }
}
