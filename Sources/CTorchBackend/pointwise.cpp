// SPDX-License-Identifier: Apache-2.0
#include "pointwise.hpp"

#include <algorithm>

#include "parallel.hpp"
#include "winograd.hpp"

namespace ct::pointwise {

using winograd::Panels;
using winograd::Range;

namespace {

/// So many cells that they stay in the cache of one core, and are a multiple of those together.
constexpr int64_t cells_of_job = 6 * ck_rows_together;

struct Convolution {
  const float *input;
  int64_t inputs;
  /// Of each panel inputs × 32.
  const float *weights;
  Panels outputs;
  const float *bias;
  float *out;
};

}  // namespace

/// The weights of each panel, outputs × inputs, as inputs × 32; columns that are none are 0.
static void turn(const float *weight, int64_t inputs, const Panels &outputs, float *to) {
  for (int64_t panel = 0; panel < outputs.count(); ++panel, to += inputs * ck_panel) {
    const float *from = weight + outputs.first(panel) * inputs;
    const int64_t size = outputs.size(panel);
    for (int64_t i = 0; i < inputs; ++i) {
      for (int64_t o = 0; o < size; ++o) to[i * ck_panel + o] = from[o * inputs + i];
      std::fill(to + i * ck_panel + size, to + (i + 1) * ck_panel, 0.0f);
    }
  }
}

/// `rows` of one panel, a multiple of those together, into `out`, which has `stride` a row.
static void multiply(const Convolution &one, int64_t panel, const float *input, int64_t rows,
                     float *out, int64_t stride) {
  if (one.bias) {
    const float *bias = one.bias + one.outputs.first(panel);
    for (int64_t row = 0; row < rows; ++row)
      std::copy_n(bias, one.outputs.size(panel), out + row * stride);
  }
  const ck_product sizes{0, 1, int32_t(rows), one.outputs.width(panel), int32_t(one.inputs), 0,
                         one.bias != nullptr};
  const ck_matrices left{const_cast<float *>(input), 0, ptrdiff_t(one.inputs)};
  const ck_matrices right{const_cast<float *>(one.weights) + panel * one.inputs * ck_panel, 0,
                          ck_panel};
  const ck_matrices products{out, 0, ptrdiff_t(stride)};
  ck_multiply(&sizes, &left, &right, &products);
}

static void convolve_cells(const Convolution &one, Range cells, float *memory) {
  const int64_t whole = cells.size() / ck_rows_together * ck_rows_together;
  const int64_t rest = cells.size() - whole, width = one.outputs.columns;
  const float *input = one.input + cells.begin * one.inputs;
  float *out = one.out + cells.begin * width, *products = memory + ck_rows_together * one.inputs;
  if (rest > 0) {
    std::fill_n(memory, ck_rows_together * one.inputs, 0.0f);
    std::copy_n(input + whole * one.inputs, rest * one.inputs, memory);
  }
  for (int64_t panel = 0; panel < one.outputs.count(); ++panel) {
    const int64_t size = one.outputs.size(panel);
    float *to = out + one.outputs.first(panel);
    const auto copy = [&](int64_t first, int64_t rows) {
      for (int64_t row = 0; row < rows; ++row)
        std::copy_n(products + row * ck_panel, size, to + (first + row) * width);
    };
    if (size == one.outputs.width(panel)) {
      if (whole > 0) multiply(one, panel, input, whole, to, width);
    } else if (whole > 0) {
      multiply(one, panel, input, whole, products, ck_panel);
      copy(0, whole);
    }
    if (rest == 0) continue;
    multiply(one, panel, memory, ck_rows_together, products, ck_panel);
    copy(whole, rest);
  }
}

bool pays(int64_t cells, int64_t inputs, int64_t outputs) {
  static const bool is_wide = ck_has_wide_registers();
  return is_wide && cells >= ck_rows_together && inputs >= 8 && outputs >= 8;
}

void convolve(const float *input, int64_t cells, int64_t inputs, const float *weight,
              int64_t outputs, const float *bias, float *out) {
  const Panels panels{outputs};
  const int64_t size = panels.count() * inputs * ck_panel;
  const int64_t rest = ck_rows_together * inputs + cells_of_job * ck_panel;
  float *weights = winograd::scratch(size + workers() * rest), *memory = weights + size;
  turn(weight, inputs, panels, weights);
  const Convolution one{input, inputs, weights, panels, bias, out};
  in_threads(winograd::parts(cells, cells_of_job), [&](int64_t job, int32_t worker) {
    const int64_t begin = job * cells_of_job;
    convolve_cells(one, {begin, std::min(begin + cells_of_job, cells)}, memory + worker * rest);
  });
}

}  // namespace ct::pointwise
