// SPDX-License-Identifier: Apache-2.0
// 3 × 3 convolutions of stride 1 by Winograd's minimal filtering, in LibTorch's threads.
#pragma once
#include "CWinograd.h"
#include "backend.hpp"

namespace ct::winograd {

/// A batch of images and how far apart the cells are that weights look at; as many zeros lie around
/// each image.
struct Images {
  int64_t count, height, width, dilation;
};

/// The tiles that cover a batch of images: for each of dilation × dilation phases its own.
class Tiling {
 public:
  explicit Tiling(const Images &images);

  int64_t count() const { return images.count * per_image(); }
  ck_tiling view() const;

 private:
  int64_t per_image() const { return int64_t(origins.size() / 2); }

  Images images;
  std::vector<int32_t> origins;
};

/// How many tiles cover a batch of images.
CT_HIDDEN int64_t tiles_over(const Images &images);

/// Weights out × in × 3 × 3, in any layout.
CT_HIDDEN ck_taps_of_weights taps(const at::Tensor &weight);

/// The weights that carry a gradient back to the input: turned round, and in for out.
CT_HIDDEN ck_taps_of_weights turned(const at::Tensor &weight);

/// The convolution of `input` into `out`, both channels last; `bias` may be null. In what order
/// sums are taken depends on sizes only, not on threads.
CT_HIDDEN void convolve(const Tiling &tiling, const float *input, int64_t inputs,
                        const ck_taps_of_weights &weights, int64_t outputs, const float *bias,
                        float *out);

/// The gradient with respect to weights, which lie output × 3 × 3 × input, from the input and the
/// gradient with respect to the output, both channels last.
CT_HIDDEN void weight_gradient(const Tiling &tiling, const float *input, int64_t inputs,
                               const float *gradient, int64_t outputs, float *out);

// What both of these need.

/// From `begin` up to `end`.
struct Range {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

/// The columns of a product, in panels that one call works out.
struct Panels {
  int64_t columns;

  int64_t count() const { return (columns + ck_panel - 1) / ck_panel; }
  int32_t first(int64_t panel) const { return int32_t(panel * ck_panel); }
  int32_t size(int64_t panel) const {
    return int32_t(columns - first(panel) < ck_panel ? columns - first(panel) : ck_panel);
  }
  /// What is worked out: 16 or all 32.
  int32_t width(int64_t panel) const {
    return size(panel) > ck_panel / 2 ? ck_panel : ck_panel / 2;
  }
};

inline int64_t rounded_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

inline int64_t parts(int64_t size, int64_t part) { return (size + part - 1) / part; }

/// Where one matrix of `rows` × `columns` for each point has its elements.
struct MatrixLayout {
  MatrixLayout(int64_t rows, int64_t columns);
  int64_t size() const { return ck_tile_points * point; }
  ck_matrices at(float *values) const { return {values, ptrdiff_t(point), ptrdiff_t(row)}; }

  int64_t row, point;
};

/// `matrices` from a row and a column on.
inline ck_matrices from(const ck_matrices &matrices, int64_t row, int64_t column) {
  return {matrices.values + row * matrices.row + column, matrices.point, matrices.row};
}

/// At least so many floats, which stay with the calling thread: their pages need not be mapped anew
/// for each convolution. What an earlier call gave is no longer valid.
CT_HIDDEN float *scratch(int64_t floats);

}  // namespace ct::winograd
