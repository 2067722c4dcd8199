// SPDX-License-Identifier: Apache-2.0
#include "dis_patch.h"

/// A step that made the error grow is taken back only if it was longer than this, in pixels: the
/// blur between pixels draws the least error to whole pixels, but not the place where steps vanish.
static const float dis_trusted = 0.25f;

/// How a patch fits at one place: the variance of the difference times 64, and the step from there.
typedef struct dis_fit {
  float error, step_x, step_y;
} dis_fit;

/// Patches on one diagonal: the patch to the left and the one above are done before it.
typedef struct dis_batch {
  dis_template templates[ck_dis_stripe];
  float left[ck_dis_stripe], top[ck_dis_stripe];
  float dx[ck_dis_stripe], dy[ck_dis_stripe];
  float start_x[ck_dis_stripe], start_y[ck_dis_stripe];
  dis_fit fit[ck_dis_stripe];
  int32_t index[ck_dis_stripe];
  int32_t count;
} dis_batch;

CK_DIS_INLINE int32_t dis_place(int32_t index, int32_t step, int32_t size) {
  return dis_least(index * step, size - ck_dis_patch);
}

CK_DIS_INLINE void dis_fit_at(const ck_dis_level *level, const dis_template *patch, float x,
                              float y, dis_fit *fit) {
  const ck_dis_picture *reference = &level->reference;
  float right, below;
  const int32_t column =
      dis_split(x, 1 - ck_dis_patch, (float)(reference->width - 1), &right);
  const int32_t row = dis_split(y, 1 - ck_dis_patch, (float)(reference->height - 1), &below);
  dis_16 moved[dis_pairs];
  dis_sample(reference->pixels + row * reference->stride + column, reference->stride, right, below,
             moved);
  dis_16 sum[2], square[2], along_x[2], along_y[2];
  for (int k = 0; k < 2; ++k) {
    const dis_16 a = moved[k] - patch->pixels[k], b = moved[k + 2] - patch->pixels[k + 2];
    sum[k] = a + b;
    square[k] = a * a + b * b;
    along_x[k] = a * patch->answer_x[k] + b * patch->answer_x[k + 2];
    along_y[k] = a * patch->answer_y[k] + b * patch->answer_y[k + 2];
  }
  const dis_16 s = sum[0] + sum[1], q = square[0] + square[1];
  const dis_16 ax = along_x[0] + along_x[1], ay = along_y[0] + along_y[1];
  float sums[4];
  dis_sum_four(&s, &ax, &q, &ay, sums);
  fit->error = sums[1] - sums[0] * sums[0] * (1.0f / 64);
  fit->step_x = sums[2];
  fit->step_y = sums[3];
}

/// Reads a patch and works out its answers: gradients less their mean, times the inverse of their
/// structure tensor.
CK_DIS_INLINE void dis_read_template(const ck_dis_level *level, ck_dis_search_settings settings,
                                     int32_t column, int32_t row, dis_template *out) {
  const ptrdiff_t stride = level->current.stride;
  const ptrdiff_t at = row * stride + column;
  dis_16 sum_x = 0, sum_y = 0, xx = 0, yy = 0, xy = 0;
  dis_16 x[dis_pairs], y[dis_pairs];
  for (int k = 0; k < dis_pairs; ++k) {
    const ptrdiff_t first = at + 2 * k * stride, second = first + stride;
    dis_load_pair(level->current.pixels + first, level->current.pixels + second, &out->pixels[k]);
    dis_load_pair(level->gradient_x + first, level->gradient_x + second, &x[k]);
    dis_load_pair(level->gradient_y + first, level->gradient_y + second, &y[k]);
    sum_x += x[k];
    sum_y += y[k];
    xx += x[k] * x[k];
    yy += y[k] * y[k];
    xy += x[k] * y[k];
  }
  float sums[4], last[4];
  dis_sum_four(&sum_x, &xx, &sum_y, &yy, sums);
  dis_sum_four(&xy, &xy, &xy, &xy, last);
  const float mean_x = sums[0] / 64, mean_y = sums[1] / 64;
  const float a = sums[2] - 64 * mean_x * mean_x + settings.damping;
  const float c = sums[3] - 64 * mean_y * mean_y + settings.damping;
  const float b = last[0] - 64 * mean_x * mean_y;
  const float scale = settings.gain / (a * c - b * b);
  const float ixx = c * scale, ixy = -b * scale, iyy = a * scale;
  for (int k = 0; k < dis_pairs; ++k) {
    const dis_16 gx = x[k] - mean_x, gy = y[k] - mean_y;
    out->answer_x[k] = gx * ixx + gy * ixy;
    out->answer_y[k] = gx * ixy + gy * iyy;
  }
}

/// The coarser level's motion at the middle of a patch, twice as long.
CK_DIS_INLINE void dis_inherit(const ck_dis_level *level, int32_t column, int32_t row, float *dx,
                               float *dy) {
  const ck_dis_flow *from = &level->coarser;
  *dx = *dy = 0;
  if (!from->dx) return;
  const float x = (float)(column + ck_dis_patch / 2) * 0.5f - 0.25f;
  const float y = (float)(row + ck_dis_patch / 2) * 0.5f - 0.25f;
  float right, below;
  const int32_t c = dis_split(x, 0, (float)(from->width - 1), &right);
  const int32_t r = dis_split(y, 0, (float)(from->height - 1), &below);
  const ptrdiff_t here = r * from->stride + c;
  const ptrdiff_t next = c + 1 < from->width ? 1 : 0;
  const ptrdiff_t down = r + 1 < from->height ? from->stride : 0;
  const float w00 = (1 - right) * (1 - below), w01 = right * (1 - below);
  const float w10 = (1 - right) * below, w11 = right * below;
  *dx = 2 * (w00 * from->dx[here] + w01 * from->dx[here + next] + w10 * from->dx[here + down] +
             w11 * from->dx[here + down + next]);
  *dy = 2 * (w00 * from->dy[here] + w01 * from->dy[here + next] + w10 * from->dy[here + down] +
             w11 * from->dy[here + down + next]);
}

/// Tries one more starting point for every patch of the batch, the motion of `neighbour`, unless it
/// is the one it has. (To leave out those close by as well costs accuracy.)
CK_DIS_INLINE void dis_try(const ck_dis_level *level, dis_batch *batch,
                           const int32_t neighbour[ck_dis_stripe]) {
  int32_t listed[ck_dis_stripe], count = 0;
  float dx[ck_dis_stripe], dy[ck_dis_stripe];
  for (int32_t i = 0; i < batch->count; ++i) {
    dx[i] = level->patch_dx[neighbour[i]];
    dy[i] = level->patch_dy[neighbour[i]];
    listed[count] = i;
    const int untried = batch->fit[i].error == __FLT_MAX__;
    count += untried | (dx[i] != batch->dx[i]) | (dy[i] != batch->dy[i]);
  }
  dis_fit fit[ck_dis_stripe];
  for (int32_t n = 0; n < count; ++n) {
    const int32_t i = listed[n];
    dis_fit_at(level, &batch->templates[i], batch->left[i] + dx[i], batch->top[i] + dy[i], &fit[n]);
  }
  for (int32_t n = 0; n < count; ++n) {
    const int32_t i = listed[n];
    const int better = fit[n].error < batch->fit[i].error;
    batch->dx[i] = better ? dx[i] : batch->dx[i];
    batch->dy[i] = better ? dy[i] : batch->dy[i];
    batch->fit[i].error = better ? fit[n].error : batch->fit[i].error;
    batch->fit[i].step_x = better ? fit[n].step_x : batch->fit[i].step_x;
    batch->fit[i].step_y = better ? fit[n].step_y : batch->fit[i].step_y;
  }
}

/// Steps down the error until it grows, the steps get small or there have been enough of them.
CK_DIS_INLINE void dis_descend(const ck_dis_level *level, ck_dis_search_settings settings,
                               dis_batch *batch) {
  int32_t live[ck_dis_stripe], count = batch->count;
  for (int32_t i = 0; i < count; ++i) {
    live[i] = i;
    batch->start_x[i] = batch->dx[i];
    batch->start_y[i] = batch->dy[i];
    batch->dx[i] -= batch->fit[i].step_x;
    batch->dy[i] -= batch->fit[i].step_y;
  }
  for (int32_t step = 1; step < settings.steps && count > 0; ++step) {
    dis_fit fit[ck_dis_stripe];
    for (int32_t n = 0; n < count; ++n) {
      const int32_t i = live[n];
      dis_fit_at(level, &batch->templates[i], batch->left[i] + batch->dx[i],
                 batch->top[i] + batch->dy[i], &fit[n]);
    }
    int32_t left = 0;
    for (int32_t n = 0; n < count; ++n) {
      const int32_t i = live[n];
      const int better = fit[n].error < batch->fit[i].error;
      const float before_x = batch->fit[i].step_x, before_y = batch->fit[i].step_y;
      const int far = before_x * before_x + before_y * before_y > dis_trusted * dis_trusted;
      const int back = far & (better == 0);
      const float x = back ? -before_x : fit[n].step_x;
      const float y = back ? -before_y : fit[n].step_y;
      batch->dx[i] -= x;
      batch->dy[i] -= y;
      batch->fit[i] = fit[n];
      const int moving = (__builtin_fabsf(x) > settings.least_step) |
                         (__builtin_fabsf(y) > settings.least_step);
      live[left] = i;
      left += better & moving;
    }
    count = left;
  }
}

/// Keeps what was found, unless it is further than a patch from where it began.
CK_DIS_INLINE void dis_keep(const ck_dis_level *level, const dis_batch *batch) {
  for (int32_t i = 0; i < batch->count; ++i) {
    const float x = batch->dx[i] - batch->start_x[i], y = batch->dy[i] - batch->start_y[i];
    const int near = x * x + y * y <= (float)(ck_dis_patch * ck_dis_patch);
    level->patch_dx[batch->index[i]] = near ? batch->dx[i] : batch->start_x[i];
    level->patch_dy[batch->index[i]] = near ? batch->dy[i] : batch->start_y[i];
  }
}

/// One pass over a stripe, diagonal by diagonal: forwards with candidates from the left and above,
/// backwards from the right and below.
CK_DIS_INLINE void dis_pass(const ck_dis_level *level, ck_dis_search_settings settings,
                            int32_t first, int32_t rows, int backwards, dis_batch *batch) {
  const int32_t columns = level->patch_columns, way = backwards ? -1 : 1;
  for (int32_t diagonal = 0; diagonal < columns + rows - 1; ++diagonal) {
    int32_t own[ck_dis_stripe], beside[ck_dis_stripe], over[ck_dis_stripe];
    batch->count = 0;
    for (int32_t r = dis_most(0, diagonal - columns + 1); r < rows && r <= diagonal; ++r) {
      const int32_t c = diagonal - r, i = batch->count++;
      const int32_t column = backwards ? columns - 1 - c : c;
      const int32_t row = first + (backwards ? rows - 1 - r : r);
      const int32_t left = dis_place(column, level->patch_step, level->current.width);
      const int32_t top = dis_place(row, level->patch_step, level->current.height);
      const int32_t index = row * columns + column;
      batch->index[i] = own[i] = index;
      beside[i] = c > 0 ? index - way : index;
      over[i] = r > 0 ? index - way * columns : index;
      batch->left[i] = (float)left;
      batch->top[i] = (float)top;
      batch->fit[i].error = __FLT_MAX__;
      batch->dx[i] = batch->dy[i] = batch->fit[i].step_x = batch->fit[i].step_y = 0;
      if (!backwards) {
        dis_inherit(level, left, top, &level->patch_dx[index], &level->patch_dy[index]);
      }
      dis_read_template(level, settings, left, top, &batch->templates[i]);
    }
    dis_try(level, batch, own);
    dis_try(level, batch, beside);
    dis_try(level, batch, over);
    dis_descend(level, settings, batch);
    dis_keep(level, batch);
  }
}

int32_t ck_dis_stripe_count(int32_t patch_rows) {
  return (patch_rows + ck_dis_stripe - 1) / ck_dis_stripe;
}

CK_DIS_INLINE int32_t dis_stripe_begin(int32_t patch_rows, int32_t stripe) {
  const int32_t count = (patch_rows + ck_dis_stripe - 1) / ck_dis_stripe;
  return (int32_t)((int64_t)patch_rows * stripe / count);
}

CK_DIS_KERNEL void ck_dis_search(const ck_dis_level *level, ck_dis_search_settings settings,
                                 int32_t stripe_begin, int32_t stripe_end) {
  dis_batch batch;
  for (int32_t stripe = stripe_begin; stripe < stripe_end; ++stripe) {
    const int32_t first = dis_stripe_begin(level->patch_rows, stripe);
    const int32_t rows = dis_stripe_begin(level->patch_rows, stripe + 1) - first;
    for (int pass = 0; pass < 2; ++pass) dis_pass(level, settings, first, rows, pass, &batch);
  }
}
