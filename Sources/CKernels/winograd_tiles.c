// SPDX-License-Identifier: Apache-2.0
// Tiles of images at Winograd's points, and back.
#include "winograd.h"

/// Some cells of one image, `side` × `side`, `dilation` apart; those outside it are marked.
typedef struct ck_cells {
  ptrdiff_t offset, down, right;
  uint32_t rows_inside, columns_inside;
  int is_inside;
} ck_cells;

/// Which of `side` numbers from `first` on, `step` apart, are at least 0 and below `size`.
CK_INLINE uint32_t ck_find_inside(int32_t first, int32_t step, int32_t size, int32_t side) {
  uint32_t marks = 0;
  for (int32_t i = 0; i < side; ++i) {
    const int64_t at = first + (int64_t)i * step;
    marks |= (uint32_t)(at >= 0 && at < size) << i;
  }
  return marks;
}

/// The cells of a tile and `before` more above and to its left.
CK_INLINE void ck_find_cells(const ck_tiling *tiling, int32_t tile, int32_t channels,
                             int32_t before, int32_t side, ck_cells *cells) {
  const int32_t *origin = tiling->origins + 2 * (tile % tiling->tiles_per_image);
  const int32_t row = origin[0] - before * tiling->dilation;
  const int32_t column = origin[1] - before * tiling->dilation;
  const ptrdiff_t image = tile / tiling->tiles_per_image;
  cells->offset = ((image * tiling->height + row) * tiling->width + column) * channels;
  cells->right = (ptrdiff_t)tiling->dilation * channels;
  cells->down = cells->right * tiling->width;
  cells->rows_inside = ck_find_inside(row, tiling->dilation, tiling->height, side);
  cells->columns_inside = ck_find_inside(column, tiling->dilation, tiling->width, side);
  const uint32_t all = (1u << side) - 1;
  cells->is_inside = cells->rows_inside == all && cells->columns_inside == all;
}

CK_INLINE int ck_holds(const ck_cells *cells, int32_t row, int32_t column) {
  return (cells->rows_inside >> row & cells->columns_inside >> column & 1) != 0;
}

/// Sixteen channels of cells that can be read one like the other: in their image, or copied from it.
typedef struct ck_view {
  const float *values;
  ptrdiff_t down, right;
} ck_view;

/// Copies cells, zeros in place of those outside and of channels from `count` on.
CK_INLINE void ck_copy_cells(const float *features, const ck_cells *cells, int32_t side,
                             int32_t count, ck_floats *out) {
  for (int32_t at = 0; at < side * side; ++at) {
    const int32_t row = at / side, column = at % side;
    const ptrdiff_t offset = cells->offset + row * cells->down + column * cells->right;
    out[at] = (ck_floats)(0);
    if (ck_holds(cells, row, column)) ck_read_lanes(features + offset, count, &out[at]);
  }
}

CK_INLINE void ck_view_cells(const float *features, const ck_cells *cells, int32_t side,
                             int32_t count, ck_floats *copy, ck_view *view) {
  if (cells->is_inside && count >= ck_lanes) {
    *view = (ck_view){features + cells->offset, cells->down, cells->right};
    return;
  }
  ck_copy_cells(features, cells, side, count, copy);
  *view = (ck_view){(const float *)copy, side * ck_lanes, ck_lanes};
}

/// Transforms the columns of `side` × `side` cells, then the rows; `side` is a constant where this
/// is inlined, 6 for input and 4 for a gradient.
CK_INLINE void ck_write_tile(const ck_view *view, const int32_t side, ptrdiff_t point, float *to) {
  ck_floats half[ck_reach][ck_reach], cells[ck_reach], line[ck_reach];
  CK_UNROLL for (int32_t x = 0; x < side; ++x) {
    CK_UNROLL for (int32_t y = 0; y < side; ++y) {
      cells[y] = *(const ck_floats *)(view->values + y * view->down + x * view->right);
    }
    side == ck_reach ? ck_input_points(cells, line) : ck_gradient_points(cells, line);
    CK_UNROLL for (int32_t y = 0; y < ck_reach; ++y) half[y][x] = line[y];
  }
  CK_UNROLL for (int32_t y = 0; y < ck_reach; ++y) {
    side == ck_reach ? ck_input_points(half[y], line) : ck_gradient_points(half[y], line);
    CK_UNROLL for (int32_t x = 0; x < ck_reach; ++x) {
      *(ck_floats *)(to + (y * ck_reach + x) * point) = line[x];
    }
  }
}

CK_INLINE void ck_write_tiles(const float *features, int32_t channels, const ck_tiling *tiling,
                              int32_t begin, int32_t end, const int32_t side,
                              const ck_matrices *out) {
  ck_floats copy[ck_tile_points];
  for (int32_t tile = begin; tile < end; ++tile) {
    ck_cells cells;
    ck_find_cells(tiling, tile, channels, side == ck_reach, side, &cells);
    float *to = out->values + (tile - begin) * out->row;
    for (int32_t channel = 0; channel < channels; channel += ck_lanes) {
      ck_view view;
      ck_view_cells(features + channel, &cells, side, channels - channel, copy, &view);
      ck_write_tile(&view, side, out->point, to + channel);
    }
  }
}

CK_KERNEL void ck_tiles_of_input(const float *features, int32_t channels, const ck_tiling *tiling,
                                 int32_t begin, int32_t end, const ck_matrices *out) {
  ck_write_tiles(features, channels, tiling, begin, end, ck_reach, out);
}

CK_KERNEL void ck_tiles_of_gradient(const float *gradient, int32_t channels,
                                    const ck_tiling *tiling, int32_t begin, int32_t end,
                                    const ck_matrices *out) {
  ck_write_tiles(gradient, channels, tiling, begin, end, ck_side, out);
}

/// The 4 × 4 cells of sixteen channels, `from` at the first point.
CK_INLINE void ck_output_tile(const float *from, ptrdiff_t point, const ck_floats *bias,
                              float *out, ptrdiff_t down, ptrdiff_t right) {
  ck_floats half[ck_side][ck_reach], line[ck_reach], cells[ck_side];
  CK_UNROLL for (int32_t x = 0; x < ck_reach; ++x) {
    CK_UNROLL for (int32_t y = 0; y < ck_reach; ++y) {
      line[y] = *(const ck_floats *)(from + (y * ck_reach + x) * point);
    }
    ck_output_cells(line, cells);
    CK_UNROLL for (int32_t y = 0; y < ck_side; ++y) half[y][x] = cells[y];
  }
  CK_UNROLL for (int32_t y = 0; y < ck_side; ++y) {
    ck_output_cells(half[y], cells);
    CK_UNROLL for (int32_t x = 0; x < ck_side; ++x) {
      *(ck_floats *)(out + y * down + x * right) = cells[x] + *bias;
    }
  }
}

/// Writes those cells that are in the image, and `count` channels of each.
CK_INLINE void ck_keep_cells(const ck_floats *tile, const ck_cells *cells, int32_t count,
                             float *out) {
  for (int32_t at = 0; at < ck_side * ck_side; ++at) {
    const int32_t row = at / ck_side, column = at % ck_side;
    if (!ck_holds(cells, row, column)) continue;
    float *to = out + cells->offset + row * cells->down + column * cells->right;
    ck_write_lanes(&tile[at], count, to);
  }
}

CK_KERNEL void ck_output_of_tiles(const ck_matrices *tiles, const ck_tiling *tiling, int32_t begin,
                                  int32_t end, const float *bias, float *out, int32_t channels,
                                  int32_t first, int32_t count) {
  ck_floats copy[ck_side * ck_side];
  for (int32_t tile = begin; tile < end; ++tile) {
    ck_cells cells;
    ck_find_cells(tiling, tile, channels, 0, ck_side, &cells);
    for (int32_t at = 0; at < count; at += ck_lanes) {
      const float *from = tiles->values + (tile - begin) * tiles->row + at;
      float *to = out + first + at;
      ck_floats offset = (ck_floats)(0);
      if (bias) ck_read_lanes(bias + first + at, count - at, &offset);
      if (cells.is_inside && count - at >= ck_lanes) {
        ck_output_tile(from, tiles->point, &offset, to + cells.offset, cells.down, cells.right);
        continue;
      }
      ck_output_tile(from, tiles->point, &offset, (float *)copy, ck_side * ck_lanes, ck_lanes);
      ck_keep_cells(copy, &cells, count - at, to);
    }
  }
}
