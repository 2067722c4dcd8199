// SPDX-License-Identifier: Apache-2.0
// Features carried along motion, and the gradients of that.
#include "kernels.hpp"

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
    const Grid grid = grid_of(features->value);
    const auto values = motion_values(motion->value, grid);
    const auto marks = known_marks(known, grid);
    return Warp::apply(dense(features->value), values, marks, int64_t(border_of(border)))
        .to(features->value.scalar_type());
  });
}

}  // namespace backend
}  // namespace ct
