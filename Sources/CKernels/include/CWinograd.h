// SPDX-License-Identifier: Apache-2.0
// The steps of a 3 × 3 convolution by Winograd's minimal filtering, F(4 × 4, 3 × 3): Lavin and
// Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, section 4.3.
//
// An output tile of 4 × 4 cells reads 6 × 6. Brought to 36 points, where convolution is a product
// of one number with another, it takes 36 products instead of 144; over all tiles and channels,
// each point is one matrix product. With a dilation of d, the cells of a tile lie d apart.
//
// As everywhere in CKernels: nothing is allocated, nothing fails, and ranges that do not overlap
// may run at the same time. Features are channels last and dense. A number that is not finite may
// spoil all of a tile that reads it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /// Cells of a tile's side, the points of its transform, and the widest product in one call.
  ck_tile_side = 4,
  ck_tile_points = 36,
  ck_panel = 32,
  /// Rows of a product come in multiples of this.
  ck_rows_together = 8,
};

/// The tiles of a batch of images, counted image by image.
typedef struct ck_tiling {
  /// Row and column of the first cell of each tile of one image, alternating.
  const int32_t *origins;
  int32_t tiles_per_image, height, width, dilation;
} ck_tiling;

/// One matrix for each of the 36 points: `point` elements from one to the next, `row` from row to
/// row.
typedef struct ck_matrices {
  float *values;
  ptrdiff_t point, row;
} ck_matrices;

/// Weights, each at `values[output * o + input * i + row * y + column * x]`; steps may be negative.
typedef struct ck_taps_of_weights {
  const float *values;
  ptrdiff_t output, input, row, column;
} ck_taps_of_weights;

/// The input of tiles `begin` up to `end`, padded with zeros, at the points: matrix rows are tiles
/// from `begin` on, columns channels. Columns up to the next multiple of 16 are set to 0.
void ck_tiles_of_input(const float *features, int32_t channels, const ck_tiling *tiling,
                       int32_t begin, int32_t end, const ck_matrices *out);

/// The same of the gradient with respect to the output, as the weights' gradient needs it.
void ck_tiles_of_gradient(const float *gradient, int32_t channels, const ck_tiling *tiling,
                          int32_t begin, int32_t end, const ck_matrices *out);

/// Weights at the points: matrix rows are the `inputs`, columns up to 32 `outputs`, the rest 0.
void ck_points_of_weights(const ck_taps_of_weights *weights, int32_t inputs, int32_t outputs,
                          const ck_matrices *out);

/// Output cells from what the products of tiles `begin` up to `end` came to. Of `channels`, the
/// `count` (at most 32) from `first` on are written; `bias`, one for each of all, may be null.
void ck_output_of_tiles(const ck_matrices *tiles, const ck_tiling *tiling, int32_t begin,
                        int32_t end, const float *bias, float *out, int32_t channels,
                        int32_t first, int32_t count);

/// The gradient with respect to weights that lie output × row × column × input (`inputs` of them):
/// matrix rows are outputs, columns `count` inputs, at most 32. Added to `out` or put in its place.
void ck_weights_of_points(const ck_matrices *points, int32_t outputs, int32_t count, int adds,
                          float *out, int32_t inputs);

/// The sizes of a product, of points `begin` up to `end`: `rows` a multiple of 8, `columns` 16 or
/// 32.
typedef struct ck_product {
  int32_t begin, end, rows, columns, steps;
  /// Whether the left matrix is read transposed, and whether the product is added to what is there.
  int transposed, adds;
} ck_product;

/// out = left × right, or += with `adds`, where `left` is rows × steps and `right` steps × columns.
void ck_multiply(const ck_product *sizes, const ck_matrices *left, const ck_matrices *right,
                 const ck_matrices *out);

/// Whether there are 32 registers of 16 floats each, as with AVX-512.
int ck_has_wide_registers(void);

#ifdef __cplusplus
}
#endif
