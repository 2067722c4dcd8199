// SPDX-License-Identifier: Apache-2.0
#include "winograd.hpp"

#include <algorithm>

#include "parallel.hpp"

namespace ct::winograd {

namespace {

/// The gradient of weights is a product over tiles: its rows are outputs, its columns inputs.
struct Gradient {
  ck_tiling tiling;
  int64_t tiles;
  const float *input;
  Panels inputs;
  const float *gradient;
  int64_t outputs;
  float *out;

  MatrixLayout left(int64_t tiles) const { return {rounded_up(tiles, 8), outputs}; }
  MatrixLayout right(int64_t tiles) const { return {rounded_up(tiles, 8), inputs.columns}; }
  int64_t taps() const { return outputs * 9 * inputs.columns; }
};

/// Both factors, for some tiles.
struct Factors {
  Factors(const Gradient &one, int64_t tiles, float *memory)
      : left(one.left(tiles).at(memory)),
        right(one.right(tiles).at(memory + one.left(tiles).size())) {}
  static int64_t size(const Gradient &one, int64_t tiles) {
    return one.left(tiles).size() + one.right(tiles).size();
  }

  /// Fills in tiles, which come into rows from `row` on.
  void transform(const Gradient &one, Range tiles, int64_t row) const {
    const int32_t begin = int32_t(tiles.begin), end = int32_t(tiles.end);
    const auto rows_left = from(left, row, 0), rows_right = from(right, row, 0);
    ck_tiles_of_gradient(one.gradient, int32_t(one.outputs), &one.tiling, begin, end, &rows_left);
    ck_tiles_of_input(one.input, int32_t(one.inputs.columns), &one.tiling, begin, end, &rows_right);
  }

  ck_matrices left, right;
};

}  // namespace

/// One panel's products over so many tiles, for outputs of a range.
static void multiply(const Gradient &one, const Factors &factors, int64_t tiles, Range outputs,
                     int64_t panel, bool adds, const ck_matrices &products) {
  const ck_product sizes{0, ck_tile_points, int32_t(rounded_up(outputs.size(), ck_rows_together)),
                         one.inputs.width(panel), int32_t(tiles), 1, adds};
  const auto left = from(factors.left, 0, outputs.begin),
             right = from(factors.right, 0, one.inputs.first(panel));
  ck_multiply(&sizes, &left, &right, &products);
}

static void finish(const Gradient &one, const ck_matrices &products, Range outputs, int64_t panel,
                   bool adds, float *out) {
  float *to = out + outputs.begin * 9 * one.inputs.columns + one.inputs.first(panel);
  ck_weights_of_points(&products, int32_t(outputs.size()), one.inputs.size(panel), adds, to,
                       int32_t(one.inputs.columns));
}

/// The sum over a range of tiles, worked out by one thread, few tiles at a time.
static void sum_tiles(const Gradient &one, Range tiles, int64_t together, float *memory,
                      float *out) {
  const Factors factors(one, together, memory);
  const MatrixLayout layout(rounded_up(one.outputs, ck_rows_together), one.inputs.columns);
  const auto sums = layout.at(memory + Factors::size(one, together));
  for (int64_t begin = tiles.begin; begin < tiles.end; begin += together) {
    const int64_t end = std::min(begin + together, tiles.end);
    factors.transform(one, {begin, end}, 0);
    for (int64_t panel = 0; panel < one.inputs.count(); ++panel)
      multiply(one, factors, end - begin, {0, one.outputs}, panel, begin > tiles.begin,
               from(sums, 0, one.inputs.first(panel)));
  }
  for (int64_t panel = 0; panel < one.inputs.count(); ++panel)
    finish(one, from(sums, 0, one.inputs.first(panel)), {0, one.outputs}, panel, false, out);
}

/// Few weights, many tiles: each worker sums over some tiles, whose points stay in its cache. How
/// many such sums make up the gradient is a matter of sizes, not of threads.
static void sum_by_tiles(const Gradient &one) {
  const int64_t together = 24, most_sums = 8;
  const int64_t fair = std::max(2 * together, parts(one.tiles, most_sums));
  const int64_t tiles_of_sum = rounded_up(fair, ck_rows_together);
  const int64_t sums = parts(one.tiles, tiles_of_sum), taps = rounded_up(one.taps(), 16);
  const MatrixLayout layout(rounded_up(one.outputs, ck_rows_together), one.inputs.columns);
  const int64_t own = Factors::size(one, together) + layout.size();
  float *memory = scratch(sums * taps + workers() * own);
  in_threads(sums, [&](int64_t job, int32_t worker) {
    const int64_t first = job * tiles_of_sum;
    sum_tiles(one, {first, std::min(first + tiles_of_sum, one.tiles)}, together,
              memory + sums * taps + worker * own, memory + job * taps);
  });
  std::copy_n(memory, one.taps(), one.out);
  for (int64_t sum = 1; sum < sums; ++sum)
    for (int64_t tap = 0; tap < one.taps(); ++tap) one.out[tap] += memory[sum * taps + tap];
}

/// The tiles whose points are transformed at a time: so few that they stay in cache, but not so few
/// that weights, to which each time adds, are the most of the work.
static int64_t tiles_at_a_time(const Gradient &one) {
  const int64_t cache = int64_t(1) << 19, channels = one.inputs.columns + one.outputs;
  const int64_t most = std::max(cache / (ck_tile_points * channels), channels / 8);
  return rounded_up(parts(one.tiles, parts(one.tiles, most)), ck_rows_together);
}

/// Many weights, few tiles: each worker takes a block of weights through all points, whose sums,
/// four times as many, stay in its cache.
static void sum_by_weights(const Gradient &one) {
  const int64_t together = tiles_at_a_time(one), outputs_of_job = 128, tiles_of_job = 8;
  const MatrixLayout layout(outputs_of_job, ck_panel);
  const int64_t size = Factors::size(one, together), panels = one.inputs.count();
  float *memory = scratch(size + workers() * layout.size());
  const Factors factors(one, together, memory);
  for (int64_t begin = 0; begin < one.tiles; begin += together) {
    const int64_t end = std::min(begin + together, one.tiles);
    in_threads(parts(end - begin, tiles_of_job), [&](int64_t job, int32_t) {
      const int64_t row = job * tiles_of_job;
      factors.transform(one, {begin + row, std::min(begin + row + tiles_of_job, end)}, row);
    });
    in_threads(parts(one.outputs, outputs_of_job) * panels, [&](int64_t job, int32_t worker) {
      const int64_t first = job / panels * outputs_of_job, panel = job % panels;
      const Range outputs{first, std::min(first + outputs_of_job, one.outputs)};
      const auto products = layout.at(memory + size + worker * layout.size());
      multiply(one, factors, end - begin, outputs, panel, false, products);
      finish(one, products, outputs, panel, begin > 0, one.out);
    });
  }
}

void weight_gradient(const Tiling &tiling, const float *input, int64_t inputs,
                     const float *gradient, int64_t outputs, float *out) {
  const Gradient one{tiling.view(), tiling.count(), input, {inputs}, gradient, outputs, out};
  if (inputs * outputs <= 64 * 64) sum_by_tiles(one);
  else sum_by_weights(one);
}

}  // namespace ct::winograd
