// SPDX-License-Identifier: Apache-2.0
#include "pointwise.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "parallel.hpp"
#include "winograd.hpp"

namespace ct::pointwise {

using winograd::Panels;
using winograd::Range;

namespace {

/// So many rows that they stay in the cache of one core, and are a multiple of those together.
constexpr int64_t rows_of_job = 6 * ck_rows_together;

struct Product {
  const float *left;
  int64_t inputs;
  /// Of each panel inputs × 32.
  const float *weights;
  Panels outputs;
  const float *bias;
  float *out;
};

}  // namespace

/// The weights of each panel as inputs × 32; columns that are none are 0.
static void turn(const Weights &weights, int64_t inputs, const Panels &outputs, float *to) {
  for (int64_t panel = 0; panel < outputs.count(); ++panel) {
    const float *from = weights.values + outputs.first(panel) * weights.output;
    const int64_t size = outputs.size(panel);
    for (int64_t i = 0; i < inputs; ++i, from += weights.input, to += ck_panel) {
      for (int64_t o = 0; o < size; ++o) to[o] = from[o * weights.output];
      std::fill(to + size, to + ck_panel, 0.0f);
    }
  }
}

/// `rows` of one panel, a multiple of those together, into `out`, which has `stride` a row.
static void multiply_panel(const Product &one, int64_t panel, const float *from, int64_t rows,
                           float *out, int64_t stride) {
  if (one.bias) {
    const float *bias = one.bias + one.outputs.first(panel);
    for (int64_t row = 0; row < rows; ++row)
      std::copy_n(bias, one.outputs.size(panel), out + row * stride);
  }
  const ck_product sizes{0, 1, int32_t(rows), one.outputs.width(panel), int32_t(one.inputs), 0,
                         one.bias != nullptr};
  const ck_matrices left{const_cast<float *>(from), 0, ptrdiff_t(one.inputs)};
  const ck_matrices right{const_cast<float *>(one.weights) + panel * one.inputs * ck_panel, 0,
                          ck_panel};
  const ck_matrices products{out, 0, ptrdiff_t(stride)};
  ck_multiply(&sizes, &left, &right, &products);
}

static void multiply_rows(const Product &one, Range rows, float *memory) {
  const int64_t whole = rows.size() / ck_rows_together * ck_rows_together;
  const int64_t rest = rows.size() - whole, width = one.outputs.columns;
  const float *left = one.left + rows.begin * one.inputs;
  float *out = one.out + rows.begin * width, *products = memory + ck_rows_together * one.inputs;
  if (rest > 0) {
    std::fill_n(memory, ck_rows_together * one.inputs, 0.0f);
    std::copy_n(left + whole * one.inputs, rest * one.inputs, memory);
  }
  for (int64_t panel = 0; panel < one.outputs.count(); ++panel) {
    const int64_t size = one.outputs.size(panel);
    float *to = out + one.outputs.first(panel);
    const auto copy = [&](int64_t first, int64_t count) {
      for (int64_t row = 0; row < count; ++row)
        std::copy_n(products + row * ck_panel, size, to + (first + row) * width);
    };
    if (size == one.outputs.width(panel)) {
      if (whole > 0) multiply_panel(one, panel, left, whole, to, width);
    } else if (whole > 0) {
      multiply_panel(one, panel, left, whole, products, ck_panel);
      copy(0, whole);
    }
    if (rest == 0) continue;
    multiply_panel(one, panel, memory, ck_rows_together, products, ck_panel);
    copy(whole, rest);
  }
}

/// `INBETWEEN_CONVOLUTION=winograd` leaves to LibTorch all but Winograd's tiles, for comparison.
static bool is_left_to_library() {
  const char *choice = std::getenv("INBETWEEN_CONVOLUTION");
  return choice && (!std::strcmp(choice, "winograd") || !std::strcmp(choice, "library"));
}

bool pays(int64_t rows, int64_t inputs, int64_t outputs) {
  static const bool is_faster = ck_has_wide_registers() && !is_left_to_library();
  return is_faster && rows >= ck_rows_together && inputs >= 8 && outputs >= 8;
}

void multiply(const float *left, int64_t rows, int64_t inputs, const Weights &weights,
              const float *bias, float *out) {
  const Panels panels{weights.outputs};
  const int64_t size = panels.count() * inputs * ck_panel;
  const int64_t rest = ck_rows_together * inputs + rows_of_job * ck_panel;
  float *turned = winograd::scratch(size + workers() * rest), *memory = turned + size;
  turn(weights, inputs, panels, turned);
  const Product one{left, inputs, turned, panels, bias, out};
  in_threads(winograd::parts(rows, rows_of_job), [&](int64_t job, int32_t worker) {
    const int64_t begin = job * rows_of_job;
    multiply_rows(one, {begin, std::min(begin + rows_of_job, rows)}, memory + worker * rest);
  });
}

}  // namespace ct::pointwise
