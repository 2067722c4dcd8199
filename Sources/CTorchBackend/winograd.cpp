// SPDX-License-Identifier: Apache-2.0
#include "winograd.hpp"

#include <algorithm>

#include "parallel.hpp"

namespace ct::winograd {

namespace {

/// So many tiles that their points stay in the cache of one core.
constexpr int64_t tiles_of_job = 24;

struct Convolution {
  ck_tiling tiling;
  int64_t tiles;
  const float *input;
  int64_t inputs;
  ck_taps_of_weights weights;
  Panels outputs;
  const float *bias;
  float *out;

  MatrixLayout points() const { return {inputs, ck_panel}; }
  MatrixLayout tiles_at_points() const { return {tiles_of_job, inputs}; }
  MatrixLayout products() const { return {tiles_of_job, ck_panel}; }
  int64_t size_of_job() const { return tiles_at_points().size() + products().size(); }
};

}  // namespace

/// The points of the weights of one panel of outputs, from input `first` on.
static void weigh(const Convolution &one, int64_t panel, int64_t first, int64_t count,
                  const ck_matrices &points) {
  auto weights = one.weights;
  weights.values += one.outputs.first(panel) * weights.output + first * weights.input;
  const auto out = from(points, first, 0);
  ck_points_of_weights(&weights, int32_t(count), one.outputs.size(panel), &out);
}

/// Some panels of outputs of some tiles: from the input, which stays in cache, through all steps.
static void convolve_tiles(const Convolution &one, Range tiles, Range panels, float *points,
                           float *memory) {
  const auto left = one.tiles_at_points().at(memory);
  const auto products = one.products().at(memory + one.tiles_at_points().size());
  const int32_t begin = int32_t(tiles.begin), end = int32_t(tiles.end);
  const int32_t rows = int32_t(rounded_up(tiles.size(), ck_rows_together));
  ck_tiles_of_input(one.input, int32_t(one.inputs), &one.tiling, begin, end, &left);
  for (int64_t panel = panels.begin; panel < panels.end; ++panel) {
    const auto right = one.points().at(points);
    const ck_product sizes{0, ck_tile_points, rows, one.outputs.width(panel), int32_t(one.inputs),
                           0, 0};
    ck_multiply(&sizes, &left, &right, &products);
    ck_output_of_tiles(&products, &one.tiling, begin, end, one.bias, one.out,
                       int32_t(one.outputs.columns), one.outputs.first(panel),
                       one.outputs.size(panel));
    points += one.points().size();
  }
}

/// Some panels of outputs of all tiles. A job is a few tiles and panels: many enough to share.
static void convolve_panels(const Convolution &one, Range panels, float *points, float *memory) {
  const int64_t inputs_of_job = 64, panels_of_job = 4, size = one.points().size();
  const int64_t inputs = parts(one.inputs, inputs_of_job), tiles = parts(one.tiles, tiles_of_job);
  in_threads(panels.size() * inputs, [&](int64_t job, int32_t) {
    const int64_t panel = job / inputs, first = job % inputs * inputs_of_job;
    weigh(one, panels.begin + panel, first, std::min(inputs_of_job, one.inputs - first),
          one.points().at(points + panel * size));
  });
  in_threads(tiles * parts(panels.size(), panels_of_job), [&](int64_t job, int32_t worker) {
    const int64_t tile = job % tiles * tiles_of_job, at = job / tiles * panels_of_job;
    const int64_t panel = panels.begin + at;
    convolve_tiles(one, {tile, std::min(tile + tiles_of_job, one.tiles)},
                   {panel, std::min(panel + panels_of_job, panels.end)}, points + at * size,
                   memory + worker * one.size_of_job());
  });
}

void convolve(const Tiling &tiling, const float *input, int64_t inputs,
              const ck_taps_of_weights &weights, int64_t outputs, const float *bias, float *out) {
  const Convolution one{tiling.view(), tiling.count(), input, inputs,
                        weights,       {outputs},      bias,  out};
  // Weights at their points take four times the room: as many at a time as stay in a large cache.
  const int64_t cache = int64_t(10) << 18, panels = one.outputs.count();
  const int64_t together = std::clamp<int64_t>(cache / one.points().size(), 1, panels);
  const int64_t size = together * one.points().size();
  float *memory = scratch(size + workers() * one.size_of_job());
  for (int64_t panel = 0; panel < panels; panel += together)
    convolve_panels(one, {panel, std::min(panel + together, panels)}, memory, memory + size);
}

}  // namespace ct::winograd
