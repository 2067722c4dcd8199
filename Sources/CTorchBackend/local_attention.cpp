// SPDX-License-Identifier: Apache-2.0
// Attention of each position to the neighbourhood of the same place.
#include "local.hpp"

#include <torch/csrc/autograd/custom_function.h>

namespace ct {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

static void soften(at::Tensor &scores, int64_t radius, bool valid) {
  float *values = scores.data_ptr<float>();
  over_weights(scores, [&](int64_t at, int32_t begin, int32_t end) {
    ck_local_softmax(int32_t(scores.size(1)), int32_t(scores.size(2)), int32_t(radius), valid,
                     values + at, begin, end);
  });
}

static void soften_gradient(const at::Tensor &weights, int64_t radius, at::Tensor &gradient) {
  const float *by = weights.data_ptr<float>();
  float *values = gradient.data_ptr<float>();
  over_weights(weights, [&](int64_t at, int32_t begin, int32_t end) {
    ck_local_softmax_gradient(by + at, int32_t(weights.size(1)), int32_t(weights.size(2)),
                              int32_t(radius), values + at, begin, end);
  });
}

/// All three are dense and of one layout.
struct LocalAttention : torch::autograd::Function<LocalAttention> {
  static at::Tensor forward(AutogradContext *context, at::Tensor queries, at::Tensor keys,
                            at::Tensor values, int64_t radius, bool valid) {
    auto weights = local_products(queries, keys, radius);
    soften(weights, radius, valid);
    const bool wants_scores = queries.requires_grad() || keys.requires_grad();
    context->saved_data["queries"] = queries.requires_grad();
    context->saved_data["keys"] = keys.requires_grad();
    context->saved_data["values"] = values.requires_grad();
    context->saved_data["radius"] = radius;
    context->saved_data["format"] = int64_t(format(grid_of(values).layout));
    context->save_for_backward({queries, keys, wants_scores ? values : at::Tensor(), weights});
    return local_sum(values, weights, radius);
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    if (at::GradMode::is_enabled())
      throw Failure(ct_bad_argument, "local attention has no second derivative here");
    if (!gradients[0].defined()) return variable_list(5);
    auto &saved = context->saved_data;
    const auto tensors = context->get_saved_variables();
    const int64_t radius = saved["radius"].toInt();
    const auto &weights = tensors[3];
    const auto format = at::MemoryFormat(saved["format"].toInt());
    const auto gradient = gradients[0].to(at::kFloat).contiguous(format);
    variable_list given(5);
    if (saved["values"].toBool())
      given[2] = local_sum(gradient, local_turned(weights, radius), radius);
    if (!saved["queries"].toBool() && !saved["keys"].toBool()) return given;
    auto scores = local_products(gradient, tensors[2], radius);
    soften_gradient(weights, radius, scores);
    if (saved["queries"].toBool()) given[0] = local_sum(tensors[1], scores, radius);
    if (saved["keys"].toBool())
      given[1] = local_sum(tensors[0], local_turned(scores, radius), radius);
    return given;
  }
};

/// Dense, in the layout of others; of those others' count, height and width.
static at::Tensor beside(const at::Tensor &tensor, const Grid &grid) {
  const Grid own = grid_of(tensor);
  if (own.count != grid.count || own.height != grid.height || own.width != grid.width)
    throw Failure(ct_bad_shape, shape(tensor) + " is not N × C × " + std::to_string(grid.height) +
                                  " × " + std::to_string(grid.width) + " with N of " +
                                  std::to_string(grid.count));
  return dense(tensor).contiguous(format(grid.layout));
}

namespace backend {

ct_code ct_local_attention(ct_tensor_ref queries, ct_tensor_ref keys, ct_tensor_ref values,
                           int64_t size, ct_tap_border_kind border, ct_tensor_ref *out,
                           ct_error *error) noexcept {
  return give(out, error, {queries, keys, values}, [&] {
    const int64_t radius = radius_of(size);
    const auto own = dense(values->value);
    const Grid grid = grid_of(own);
    const auto asked = beside(queries->value, grid), offered = beside(keys->value, grid);
    if (asked.size(1) != offered.size(1))
      throw Failure(ct_bad_shape, "queries of " + shape(asked) + " and keys of " + shape(offered) +
                                    " differ in channels");
    return LocalAttention::apply(asked, offered, own, radius, border == ct_tap_border_valid)
        .to(values->value.scalar_type());
  });
}

}  // namespace backend
}  // namespace ct
