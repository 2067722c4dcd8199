// SPDX-License-Identifier: Apache-2.0
// Where Winograd's tiles lie, in images and in memory.
#include "winograd.hpp"

#include <algorithm>
#include <cstdlib>

namespace ct::winograd {

Tiling::Tiling(const Images &images) : images(images) {
  const int64_t step = images.dilation * ck_tile_side;
  for (int64_t phase = 0; phase < images.dilation * images.dilation; ++phase) {
    for (int64_t y = phase / images.dilation; y < images.height; y += step) {
      for (int64_t x = phase % images.dilation; x < images.width; x += step) {
        origins.push_back(int32_t(y));
        origins.push_back(int32_t(x));
      }
    }
  }
}

ck_tiling Tiling::view() const {
  return {origins.data(), int32_t(per_image()), int32_t(images.height), int32_t(images.width),
          int32_t(images.dilation)};
}

/// How many tiles cover one side, over all phases.
static int64_t tiles_along(int64_t size, int64_t dilation) {
  int64_t tiles = 0;
  for (int64_t phase = 0; phase < std::min(size, dilation); ++phase)
    tiles += parts(size - phase, dilation * ck_tile_side);
  return tiles;
}

int64_t tiles_over(const Images &images) {
  return images.count * tiles_along(images.height, images.dilation) *
         tiles_along(images.width, images.dilation);
}

ck_taps_of_weights taps(const at::Tensor &weight) {
  return {weight.data_ptr<float>(), weight.stride(0), weight.stride(1), weight.stride(2),
          weight.stride(3)};
}

ck_taps_of_weights turned(const at::Tensor &weight) {
  const float *last = weight.data_ptr<float>() + 2 * (weight.stride(2) + weight.stride(3));
  return {last, weight.stride(1), weight.stride(0), -weight.stride(2), -weight.stride(3)};
}

// A row and a matrix are odd numbers of cache lines: neighbours must not fall into the same few
// places of a cache.
MatrixLayout::MatrixLayout(int64_t rows, int64_t columns)
    : row(columns > ck_panel ? rounded_up(columns, 32) + 16 : ck_panel),
      point(rows * row + (rows * row % 32 ? 0 : 16)) {}

namespace {

struct Kept {
  float *values = nullptr;
  int64_t size = 0;
  ~Kept() { std::free(values); }
};

}  // namespace

float *scratch(int64_t floats) {
  static thread_local Kept kept;
  if (floats <= kept.size) return kept.values;
  std::free(kept.values);
  kept.size = 0;
  kept.values = static_cast<float *>(std::aligned_alloc(64, size_t(rounded_up(floats, 16)) * 4));
  if (!kept.values) throw std::bad_alloc();
  kept.size = floats;
  return kept.values;
}

}  // namespace ct::winograd
