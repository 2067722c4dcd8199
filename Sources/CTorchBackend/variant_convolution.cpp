// SPDX-License-Identifier: Apache-2.0
// Spatially variant convolution: a kernel of its own for each position, the same for all channels.
#include "local.hpp"

#include <torch/csrc/autograd/custom_function.h>

namespace ct {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Each kernel divided by the sum of what of it lies inside.
static at::Tensor shares_of(const at::Tensor &kernels, int64_t radius) {
  auto out = at::empty_like(kernels);
  const float *from = kernels.data_ptr<float>();
  float *to = out.data_ptr<float>();
  over_weights(kernels, [&](int64_t at, int32_t begin, int32_t end) {
    ck_local_shares(from + at, int32_t(kernels.size(1)), int32_t(kernels.size(2)), int32_t(radius),
                    to + at, begin, end);
  });
  return out;
}

static void shares_gradient(const at::Tensor &kernels, const at::Tensor &shares, int64_t radius,
                            at::Tensor &gradient) {
  const float *from = kernels.data_ptr<float>(), *by = shares.data_ptr<float>();
  float *to = gradient.data_ptr<float>();
  over_weights(kernels, [&](int64_t at, int32_t begin, int32_t end) {
    ck_local_shares_gradient(from + at, by + at, int32_t(kernels.size(1)),
                             int32_t(kernels.size(2)), int32_t(radius), to + at, begin, end);
  });
}

/// Dense features, and kernels cell by cell.
struct VariantConvolution : torch::autograd::Function<VariantConvolution> {
  static at::Tensor forward(AutogradContext *context, at::Tensor features, at::Tensor kernels,
                            int64_t radius, bool valid) {
    const bool wants_kernels = kernels.requires_grad();
    const auto weights = valid ? shares_of(kernels, radius) : kernels;
    context->saved_data["features"] = features.requires_grad();
    context->saved_data["kernels"] = wants_kernels;
    context->saved_data["radius"] = radius;
    context->saved_data["valid"] = valid;
    context->saved_data["format"] = int64_t(format(grid_of(features).layout));
    context->save_for_backward({wants_kernels ? features : at::Tensor(), kernels,
                                valid ? weights : at::Tensor()});
    return local_sum(features, weights, radius);
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    if (at::GradMode::is_enabled())
      throw Failure(ct_bad_argument, "a variant convolution has no second derivative here");
    if (!gradients[0].defined()) return variable_list(4);
    auto &saved = context->saved_data;
    const auto tensors = context->get_saved_variables();
    const auto &kernels = tensors[1];
    const int64_t radius = saved["radius"].toInt();
    const bool valid = saved["valid"].toBool();
    const auto &weights = valid ? tensors[2] : kernels;
    const auto format = at::MemoryFormat(saved["format"].toInt());
    const auto gradient = gradients[0].to(at::kFloat).contiguous(format);
    variable_list given(4);
    if (saved["features"].toBool())
      given[0] = local_sum(gradient, local_turned(weights, radius), radius);
    if (saved["kernels"].toBool()) {
      given[1] = local_products(gradient, tensors[0], radius);
      if (valid) shares_gradient(kernels, weights, radius, given[1]);
    }
    return given;
  }
};

namespace backend {

ct_code ct_variant_convolution(ct_tensor_ref features, ct_tensor_ref kernels,
                               ct_tap_border_kind border, ct_tensor_ref *out,
                               ct_error *error) noexcept {
  return give(out, error, {features, kernels}, [&] {
    const Grid grid = grid_of(features->value);
    const auto cells = cell_by_cell(kernels->value, grid, "kernels");
    const int64_t radius = radius_of_taps(cells.size(3));
    return VariantConvolution::apply(dense(features->value), cells, radius,
                                     border == ct_tap_border_valid)
        .to(features->value.scalar_type());
  });
}

}  // namespace backend
}  // namespace ct
