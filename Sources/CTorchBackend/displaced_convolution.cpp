// SPDX-License-Identifier: Apache-2.0
// Spatially displaced convolution: a vector and two kernels for each position.
#include "local.hpp"

#include <torch/csrc/autograd/custom_function.h>

namespace ct {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

/// What says where each position reads; kernels are N × H × W × k.
struct Displacement {
  Motion motion;
  at::Tensor vertical, horizontal;
  ck_border border;

  ck_displaced of(int64_t image) const {
    const int64_t at = image * vertical.stride(0), size = vertical.size(3);
    return {motion.of(image), border, vertical.data_ptr<float>() + at,
            horizontal.data_ptr<float>() + at, int32_t(size)};
  }
};

}  // namespace

/// The grid of packed N × H × W × C.
static Grid grid_of_cells(const at::Tensor &cells) {
  return {cells.size(0), cells.size(3), cells.size(1), cells.size(2), ck_channels_last, true};
}

static int64_t row_work(const Grid &grid, const Displacement &where) {
  return grid.width * grid.channels * where.vertical.size(3) * where.vertical.size(3);
}

static at::Tensor displaced(const at::Tensor &features, const Displacement &where) {
  const Grid grid = grid_of_cells(features);
  auto out = at::empty_like(features);
  if (out.numel() == 0) return out;
  const float *from = features.data_ptr<float>();
  float *to = out.data_ptr<float>();
  over_images(grid, grid.height, row_work(grid, where),
              [&](int64_t image, int32_t begin, int32_t end) {
                const ck_displaced here = where.of(image);
                const int64_t at = image * grid.image();
                ck_displace(from + at, grid.shape(), &here, to + at, begin, end);
              });
  return out;
}

static at::Tensor features_gradient(const at::Tensor &gradient, const Displacement &where) {
  const Grid grid = grid_of_cells(gradient);
  auto out = at::empty_like(gradient);
  if (out.numel() == 0) return out;
  const float *from = gradient.data_ptr<float>();
  float *to = out.data_ptr<float>();
  over_images(grid, grid.channels, grid.height * row_work(grid, where) / grid.channels,
              [&](int64_t image, int32_t begin, int32_t end) {
                const ck_displaced here = where.of(image);
                const int64_t at = image * grid.image();
                ck_displace_features_gradient(from + at, grid.shape(), &here, to + at, begin, end);
              });
  return out;
}

/// To the motion, the vertical and the horizontal kernels.
static variable_list taps_gradient(const at::Tensor &gradient, const at::Tensor &features,
                                   const Displacement &where) {
  const Grid grid = grid_of_cells(features);
  auto motion = at::zeros({grid.count, 2, grid.height, grid.width}, features.options());
  auto vertical = at::zeros_like(where.vertical), horizontal = at::zeros_like(where.horizontal);
  if (features.numel() == 0) return {motion, vertical, horizontal};
  const float *from = gradient.data_ptr<float>(), *values = features.data_ptr<float>();
  float *to = motion.data_ptr<float>();
  float *down = vertical.data_ptr<float>(), *right = horizontal.data_ptr<float>();
  over_images(grid, grid.height, row_work(grid, where),
              [&](int64_t image, int32_t begin, int32_t end) {
                const ck_displaced here = where.of(image);
                const int64_t at = image * grid.image(), tap = image * vertical.stride(0);
                ck_displace_taps_gradient(from + at, values + at, grid.shape(), &here,
                                          to + image * 2 * grid.cells(), down + tap, right + tap,
                                          begin, end);
              });
  return {motion, vertical, horizontal};
}

/// Features and kernels cell by cell; the motion as `Motion` takes it.
struct DisplacedConvolution : torch::autograd::Function<DisplacedConvolution> {
  static at::Tensor forward(AutogradContext *context, at::Tensor features, at::Tensor motion,
                            at::Tensor known, at::Tensor vertical, at::Tensor horizontal,
                            int64_t border) {
    const bool wants_taps =
        motion.requires_grad() || vertical.requires_grad() || horizontal.requires_grad();
    context->saved_data["features"] = features.requires_grad();
    context->saved_data["taps"] = wants_taps;
    context->saved_data["border"] = border;
    context->save_for_backward(
        {wants_taps ? features : at::Tensor(), motion, known, vertical, horizontal});
    return displaced(features, {{motion, known}, vertical, horizontal, ck_border(border)});
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    if (at::GradMode::is_enabled())
      throw Failure(ct_bad_argument, "a displaced convolution has no second derivative here");
    if (!gradients[0].defined()) return variable_list(6);
    auto &saved = context->saved_data;
    const auto tensors = context->get_saved_variables();
    const auto border = ck_border(saved["border"].toInt());
    const Displacement where{{tensors[1], tensors[2]}, tensors[3], tensors[4], border};
    const auto gradient = gradients[0].to(at::kFloat).contiguous();
    variable_list given(6);
    if (saved["features"].toBool()) given[0] = features_gradient(gradient, where);
    if (saved["taps"].toBool()) {
      const auto taps = taps_gradient(gradient, tensors[0], where);
      given[1] = taps[0];
      given[3] = taps[1];
      given[4] = taps[2];
    }
    return given;
  }
};

/// - Throws: ct_bad_shape unless both kernels have the same odd number of taps.
static void check_kernels(const at::Tensor &vertical, const at::Tensor &horizontal) {
  if (vertical.size(3) != horizontal.size(3))
    throw Failure(ct_bad_shape, "kernels of " + std::to_string(vertical.size(3)) + " and of " +
                                  std::to_string(horizontal.size(3)) + " taps");
  radius_of(vertical.size(3));
}

namespace backend {

ct_code ct_displaced_convolution(ct_tensor_ref features, ct_tensor_ref motion,
                                 ct_tensor_ref known, ct_tensor_ref vertical,
                                 ct_tensor_ref horizontal, ct_border_kind border,
                                 ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {features, motion, vertical, horizontal}, [&] {
    const auto packed = dense(features->value);
    const Grid grid = grid_of(packed);
    const auto down = cell_by_cell(vertical->value, grid, "vertical kernels");
    const auto right = cell_by_cell(horizontal->value, grid, "horizontal kernels");
    check_kernels(down, right);
    const auto cells = packed.permute({0, 2, 3, 1}).contiguous();
    const auto result =
        DisplacedConvolution::apply(cells, motion_values(motion->value, grid),
                                    known_marks(known, grid), down, right,
                                    int64_t(border_of(border)));
    return result.permute({0, 3, 1, 2}).contiguous(format(grid.layout))
        .to(features->value.scalar_type());
  });
}

}  // namespace backend
}  // namespace ct
