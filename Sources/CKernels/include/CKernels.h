// SPDX-License-Identifier: Apache-2.0
// The inner loops of propagation: warping, labelling, reading pixels, counting.
//
// Every function runs on the calling thread over a range of rows or channels, allocates nothing and
// cannot fail; ranges that do not overlap may run at the same time, and how the work is cut never
// changes a bit of the result. Nothing outside the described arrays is read or written, whatever the
// motion says. Arrays are dense unless strides are given, and counted in elements, not bytes.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "CDis.h"
#include "CFields.h"
#include "CPictures.h"
#include "CWinograd.h"

#ifdef __cplusplus
#define CK_NOEXCEPT noexcept
extern "C" {
#else
#define CK_NOEXCEPT
#endif

/// What lies outside the grid: the nearest cell of the edge, or zero (each tap outside counts 0).
typedef enum ck_border { ck_border_clamp = 0, ck_border_zero = 1 } ck_border;

/// How the channels of an array lie: plane after plane, or all channels of a cell side by side.
typedef enum ck_layout { ck_planar = 0, ck_channels_last = 1 } ck_layout;

/// The sizes of one array of features; all at least 1, width and height at most 2^24, and a plane
/// below 2^30 cells.
typedef struct ck_shape {
  int32_t channels, height, width;
  ck_layout layout;
} ck_shape;

/// Where each cell reads: cell (x, y) reads (x + dx, y + dy), in cells of this very grid.
///
/// dx is `values[x * column + y * row]`, dy the same `+ component`: height × width × 2 and
/// 2 × height × width both fit. A cell whose motion is not finite, or whose `known` mark is 0, reads
/// its own place. `known` (height × width) may be null: all of it is.
typedef struct ck_motion {
  const float *values;
  ptrdiff_t column, row, component;
  const uint8_t *known;
} ck_motion;

/// out(p) = features(p + motion(p)), bilinear, for the rows from `row_begin` up to `row_end`.
///
/// A tap of weight 0 is not looked at: zero motion copies bit for bit, a whole-cell shift is exact.
void ck_warp(const float *features, ck_shape shape, const ck_motion *motion, ck_border border,
             float *out, int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// The gradient of `ck_warp` with respect to the features, for the given channels: `gradient` is with
/// respect to `out`; `features_gradient`, of the same shape, is overwritten in those channels.
void ck_warp_features_gradient(const float *gradient, ck_shape shape, const ck_motion *motion,
                               ck_border border, float *features_gradient, int32_t channel_begin,
                               int32_t channel_end) CK_NOEXCEPT;

/// The gradient of `ck_warp` with respect to the motion, for the given rows.
///
/// `motion_gradient` is 2 × height × width. At a whole-cell place, where the two sides differ, it is
/// the derivative to the right and down; it is 0 where the place is clamped or the motion unknown.
void ck_warp_motion_gradient(const float *gradient, const float *features, ck_shape shape,
                             const ck_motion *motion, ck_border border, float *motion_gradient,
                             int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// Labels (height × width) carried along the motion from the nearest cell, halves to the right and
/// down; `outside` is what a place beyond a `ck_border_zero` edge gives.
void ck_warp_labels(const uint8_t *labels, int32_t height, int32_t width, const ck_motion *motion,
                    ck_border border, uint8_t outside, uint8_t *out, int32_t row_begin,
                    int32_t row_end) CK_NOEXCEPT;

/// The channel with the highest score at each cell, the lowest such channel where several tie; a NaN
/// never wins, and where no score is above -∞ it is channel 0. At most 256 channels.
void ck_argmax(const float *scores, ck_shape shape, uint8_t *labels, int32_t row_begin,
               int32_t row_end) CK_NOEXCEPT;

/// The labels of scores that are interpolated, half-pixel centres, to a grid of `times_down` and `times_across` as many
/// cells each way, without the array between them: `row_begin` and `row_end` count its rows. Equal scores as for
/// `ck_argmax`; `memory` is 3 · channels · `ck_resized_plane` floats. At most 256 channels.
/// `tops`, which may be null, receives the highest scores.
void ck_resized_argmax(const float *scores, ck_shape shape, int32_t times_down,
                       int32_t times_across, float *memory, uint8_t *labels, float *tops,
                       int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// Floats from one channel of a row to the next in what `ck_resized_argmax` is given as memory.
ptrdiff_t ck_resized_plane(int32_t width) CK_NOEXCEPT;

/// `ck_argmax` of what `ck_warp` gives, without the array between them. At most 256 channels.
void ck_warp_argmax(const float *scores, ck_shape shape, const ck_motion *motion, ck_border border,
                    uint8_t *labels, int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// A frame's scores and what they are mixed with: those of an earlier frame, and pictures of both, planes
/// of one channel each, from 0 to 255.
typedef struct ck_memory {
  const float *own, *before, *here, *there;
  int32_t picture_channels;
  float weight, tolerance;
} ck_memory;

/// out = own + g · (carried - own): `carried` is what `ck_warp` gives of `before`, and g = weight ·
/// exp(-change / tolerance), where change is the mean over the channels of the pictures of
/// |here - there|, `there` carried too; g is 0 where the motion is not known.
///
/// Own and earlier scores are of one shape, and so is `out`; the pictures lie on the same grid. Places
/// outside read the nearest cell. Channels that lie side by side are at most `ck_most_remembered()`.
void ck_remember(const ck_memory *memory, ck_shape shape, const ck_motion *motion, float *out,
                 int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

int32_t ck_most_remembered(void) CK_NOEXCEPT;

/// Cells of a plane: at least one each way.
typedef struct ck_extent {
  int32_t height, width;
} ck_extent;

/// Means over windows of one plane, one for each cell of `out`: of whole cells, so many that they cover
/// the plane; where the sizes do not divide, neighbours share a row or a column.
void ck_window_means(const float *plane, ck_extent from, ck_extent to, float *out,
                     int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// How samples become numbers: (sample - mean) / deviation * scale, by output channel.
typedef struct ck_affine {
  float mean[3], deviation[3], scale[3];
} ck_affine;

/// Three-channel 8-bit pixels (height × width × 3; `stride` bytes from row to row) as numbers.
///
/// `reversed`: the channels of `out` are those of the pixels back to front (BGR gives RGB).
void ck_pixels(const uint8_t *pixels, ptrdiff_t stride, int32_t height, int32_t width,
               const ck_affine *affine, int reversed, ck_layout layout, float *out,
               int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// Whether none of `count` values is infinite or no number.
int ck_all_finite(const float *values, size_t count) CK_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#include "CLocal.h"
#include "CLosses.h"
