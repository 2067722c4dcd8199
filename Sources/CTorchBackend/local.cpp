// SPDX-License-Identifier: Apache-2.0
#include "local.hpp"

namespace ct {

int64_t radius_of(int64_t size) {
  if (size < 1 || size > 2 * ck_most_radius + 1 || size % 2 == 0)
    throw Failure(ct_bad_argument, "a neighbourhood has an odd number of rows, at most " +
                                     std::to_string(2 * ck_most_radius + 1) + ", not " +
                                     std::to_string(size));
  return size / 2;
}

int64_t radius_of_taps(int64_t taps) {
  int64_t size = 1;
  while (size * size < taps && size < 2 * ck_most_radius + 1) size += 2;
  if (size * size != taps)
    throw Failure(ct_bad_shape, std::to_string(taps) + " taps are not k × k with k odd, at most " +
                                  std::to_string(2 * ck_most_radius + 1));
  return size / 2;
}

at::Tensor cell_by_cell(const at::Tensor &values, const Grid &grid, const char *name) {
  require_cpu(values);
  const bool fits = values.dim() == 4 && (values.size(0) == grid.count || values.size(0) == 1) &&
                    values.size(2) == grid.height && values.size(3) == grid.width;
  if (!fits)
    throw Failure(ct_bad_shape, std::string(name) + " of " + shape(values) + " are not N × taps × " +
                                  std::to_string(grid.height) + " × " +
                                  std::to_string(grid.width));
  if (!at::isFloatingType(values.scalar_type()))
    throw Failure(ct_bad_type, std::string(name) + " are floating-point numbers");
  const auto numbers = values.to(at::kFloat).permute({0, 2, 3, 1});
  return numbers.expand({grid.count, grid.height, grid.width, values.size(1)}).contiguous();
}

/// What one row of neighbourhoods costs, in elements.
static int64_t row_work(const Grid &grid, int64_t radius) {
  return grid.width * grid.channels * (2 * radius + 1) * (2 * radius + 1);
}

at::Tensor local_sum(const at::Tensor &values, const at::Tensor &weights, int64_t radius) {
  const Grid grid = grid_of(values);
  auto out = at::empty(values.sizes(), values.options().memory_format(format(grid.layout)));
  if (out.numel() == 0) return out;
  const float *from = values.data_ptr<float>(), *by = weights.data_ptr<float>();
  float *to = out.data_ptr<float>();
  const int64_t step = grid.cells() * weights.size(3);
  over_images(grid, grid.height, row_work(grid, radius),
              [&](int64_t image, int32_t begin, int32_t end) {
                const int64_t at = image * grid.image();
                ck_local_sum(from + at, grid.shape(), by + image * step, int32_t(radius), to + at,
                             begin, end);
              });
  return out;
}

at::Tensor local_products(const at::Tensor &here, const at::Tensor &there, int64_t radius) {
  const Grid grid = grid_of(here);
  const int64_t size = 2 * radius + 1, taps = size * size;
  const std::vector<int64_t> sizes{grid.count, grid.height, grid.width, taps};
  if (here.numel() == 0) return at::zeros(sizes, here.options());
  auto out = at::empty(sizes, here.options());
  const float *from = here.data_ptr<float>(), *with = there.data_ptr<float>();
  float *to = out.data_ptr<float>();
  over_images(grid, grid.height, row_work(grid, radius),
              [&](int64_t image, int32_t begin, int32_t end) {
                const int64_t at = image * grid.image();
                ck_local_products(from + at, with + at, grid.shape(), int32_t(radius),
                                  to + image * grid.cells() * taps, begin, end);
              });
  return out;
}

at::Tensor local_turned(const at::Tensor &weights, int64_t radius) {
  auto out = at::empty_like(weights);
  const float *from = weights.data_ptr<float>();
  float *to = out.data_ptr<float>();
  over_weights(weights, [&](int64_t at, int32_t begin, int32_t end) {
    ck_local_turned(from + at, int32_t(weights.size(1)), int32_t(weights.size(2)),
                    int32_t(radius), to + at, begin, end);
  });
  return out;
}

}  // namespace ct
