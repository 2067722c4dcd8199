// SPDX-License-Identifier: Apache-2.0
// Features carried along motion, and the gradients of that.
#include "kernels.hpp"

#include <cstdlib>
#include <cstring>

#include <torch/csrc/autograd/custom_function.h>

namespace ct {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

static at::Tensor warped(const at::Tensor &features, const Motion &motion, ck_border border) {
  const Grid grid = grid_of(features);
  auto out = at::empty(features.sizes(), features.options().memory_format(format(grid.layout)));
  if (out.numel() == 0) return out;
  const float *from = features.data_ptr<float>();
  float *to = out.data_ptr<float>();
  over_images(grid, grid.height, grid.width * grid.channels,
              [&](int64_t image, int32_t begin, int32_t end) {
                const ck_motion here = motion.of(image);
                const int64_t at = image * grid.image();
                ck_warp(from + at, grid.shape(), &here, border, to + at, begin, end);
              });
  return out;
}

static at::Tensor features_gradient(const at::Tensor &gradient, const Motion &motion,
                                    ck_border border) {
  const Grid grid = grid_of(gradient);
  auto out = at::empty(gradient.sizes(), gradient.options().memory_format(format(grid.layout)));
  if (out.numel() == 0) return out;
  const float *from = gradient.data_ptr<float>();
  float *to = out.data_ptr<float>();
  over_images(grid, grid.channels, grid.cells(), [&](int64_t image, int32_t begin, int32_t end) {
    const ck_motion here = motion.of(image);
    const int64_t at = image * grid.image();
    ck_warp_features_gradient(from + at, grid.shape(), &here, border, to + at, begin, end);
  });
  return out;
}

static at::Tensor motion_gradient(const at::Tensor &gradient, const at::Tensor &features,
                                  const Motion &motion, ck_border border) {
  const Grid grid = grid_of(features);
  auto out = at::zeros({grid.count, 2, grid.height, grid.width}, features.options());
  if (features.numel() == 0) return out;
  const float *from = gradient.data_ptr<float>(), *values = features.data_ptr<float>();
  float *to = out.data_ptr<float>();
  over_images(grid, grid.height, grid.width * grid.channels,
              [&](int64_t image, int32_t begin, int32_t end) {
                const ck_motion here = motion.of(image);
                const int64_t at = image * grid.image();
                ck_warp_motion_gradient(from + at, values + at, grid.shape(), &here, border,
                                        to + image * 2 * grid.cells(), begin, end);
              });
  return out;
}

/// The same from LibTorch's own operations, for other devices: to rounding, not to the last bit.
static at::Tensor sampled(const at::Tensor &features, const at::Tensor &motion,
                          const at::Tensor &known, ck_border border) {
  const int64_t height = features.size(2), width = features.size(3);
  auto meant = at::isfinite(motion).all(1, true);
  if (known.numel() > 0) meant = meant.logical_and(known.ne(0).unsqueeze(1));
  const auto here = at::where(meant, motion, at::zeros({}, motion.options()));
  const auto options = here.options();
  const auto x = at::arange(width, options), y = at::arange(height, options).unsqueeze(1);
  // Places from -1 to 1, from edge to edge of the outermost cells.
  const auto across = (2 * (here.select(1, 0) + x) + 1) / double(width) - 1;
  const auto down = (2 * (here.select(1, 1) + y) + 1) / double(height) - 1;
  const auto places = at::stack({across, down}, 3).expand({features.size(0), height, width, 2});
  const int64_t bilinear = 0, padding = border == ck_border_zero ? 0 : 1;
  return at::grid_sampler(features.to(at::kFloat), places, bilinear, padding, false);
}

/// `INBETWEEN_WARP=library` leaves every warp of features to LibTorch, for comparison.
static bool is_left_to_library(const at::Tensor &features) {
  static const char *choice = std::getenv("INBETWEEN_WARP");
  return !features.is_cpu() || (choice && std::strcmp(choice, "library") == 0);
}

/// `features` and `motion` have been brought to what the kernels take.
struct Warp : torch::autograd::Function<Warp> {
  static at::Tensor forward(AutogradContext *context, at::Tensor features, at::Tensor motion,
                            at::Tensor known, int64_t border) {
    const bool wants_motion = motion.requires_grad();
    context->saved_data["features"] = features.requires_grad();
    context->saved_data["motion"] = wants_motion;
    context->saved_data["border"] = border;
    context->saved_data["format"] = int64_t(format(grid_of(features).layout));
    context->save_for_backward({wants_motion ? features : at::Tensor(), motion, known});
    return warped(features, {motion, known}, ck_border(border));
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    if (at::GradMode::is_enabled())
      throw Failure(ct_bad_argument, "a warp has no second derivative here");
    if (!gradients[0].defined()) return variable_list(4);
    auto &saved = context->saved_data;
    const auto tensors = context->get_saved_variables();
    const Motion motion{tensors[1], tensors[2]};
    const auto border = ck_border(saved["border"].toInt());
    const auto format = at::MemoryFormat(saved["format"].toInt());
    const auto gradient = gradients[0].to(at::kFloat).contiguous(format);
    variable_list given(4);
    if (saved["features"].toBool()) given[0] = features_gradient(gradient, motion, border);
    if (saved["motion"].toBool())
      given[1] = motion_gradient(gradient, tensors[0], motion, border);
    return given;
  }
};

namespace backend {

ct_code ct_warp(ct_tensor_ref features, ct_tensor_ref motion, ct_tensor_ref known,
                ct_border_kind border, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {features, motion}, [&] {
    const auto type = features->value.scalar_type();
    const Grid grid = grid_of(features->value);
    const auto values = motion_values(motion->value, grid);
    const auto marks = known_marks(known, grid);
    if (is_left_to_library(features->value))
      return sampled(features->value, values, marks, border_of(border)).to(type);
    return Warp::apply(dense(features->value), values, marks, int64_t(border_of(border)))
        .to(type);
  });
}

}  // namespace backend
}  // namespace ct
