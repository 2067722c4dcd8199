// SPDX-License-Identifier: Apache-2.0
// Automatic differentiation, and the only writes to tensors that exist.
#include "backend.hpp"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

namespace ct::backend {

ct_code ct_require_gradient(ct_tensor_ref tensor, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] {
    if (!at::isFloatingType(tensor->value.scalar_type()))
      throw Failure(ct_bad_type, std::string("there are no gradients of ")
                                   + at::toString(tensor->value.scalar_type()));
    // A copy: what an optimiser writes to it must not reach the tensor it came from.
    return tensor->value.detach().clone().requires_grad_(true);
  });
}

ct_code ct_detach(ct_tensor_ref tensor, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] { return tensor->value.detach(); });
}

static void require_loss(const at::Tensor &loss) {
  if (loss.numel() != 1)
    throw Failure(ct_bad_shape, "a loss is one number, not a tensor of " + shape(loss));
  if (!loss.requires_grad())
    throw Failure(ct_bad_argument, "the loss depends on nothing that requires a gradient");
}

ct_code ct_backward(ct_tensor_ref loss, ct_error *error) noexcept {
  return guarded(error, {loss}, [&] {
    require_loss(loss->value);
    torch::autograd::backward({loss->value}, {});
  });
}

ct_code ct_gradient(ct_tensor_ref tensor, ct_tensor_ref *out, ct_error *error) noexcept {
  return guarded(error, {tensor}, [&] {
    const auto &gradient = tensor->value.grad();
    if (gradient.defined()) *out = handle(gradient);
  });
}

ct_code ct_clear_gradient(ct_tensor_ref tensor, ct_error *error) noexcept {
  return guarded(error, {tensor}, [&] { tensor->value.mutable_grad() = at::Tensor(); });
}

ct_code ct_gradients(ct_tensor_ref loss, const ct_tensor_ref *inputs, size_t count,
                     ct_tensor_ref *outs, ct_error *error) noexcept {
  return guarded(error, {loss}, [&] {
    require_loss(loss->value);
    const auto leaves = values(inputs, count);
    auto gradients = torch::autograd::grad({loss->value}, leaves, {}, c10::nullopt,
                                           /*create_graph=*/false, /*allow_unused=*/true);
    for (size_t i = 0; i < count; ++i)
      if (!gradients[i].defined()) gradients[i] = at::zeros_like(leaves[i]);
    hand_out(gradients, outs);
  });
}

ct_code ct_set_gradients_enabled(int32_t enabled, int32_t *previous, ct_error *error) noexcept {
  return guarded(error, [&] {
    *previous = at::GradMode::is_enabled();
    at::GradMode::set_enabled(enabled);
  });
}

ct_code ct_assign(ct_tensor_ref tensor, ct_tensor_ref values, ct_error *error) noexcept {
  return guarded(error, {tensor, values}, [&] {
    require_same_shape(tensor->value, values->value);
    at::NoGradGuard guard;
    tensor->value.copy_(values->value);
  });
}

ct_code ct_add_in_place(ct_tensor_ref tensor, ct_tensor_ref values, double scale,
                        ct_error *error) noexcept {
  return guarded(error, {tensor, values}, [&] {
    require_same_shape(tensor->value, values->value);
    at::NoGradGuard guard;
    tensor->value.add_(values->value, scale);
  });
}

ct_code ct_set_requires_gradient(ct_tensor_ref tensor, int32_t required,
                                 ct_error *error) noexcept {
  return guarded(error, {tensor}, [&] {
    if (!tensor->value.is_leaf())
      throw Failure(ct_bad_argument, "what was computed cannot be made a leaf");
    tensor->value.requires_grad_(required);
  });
}

int32_t ct_requires_gradient(ct_tensor_ref tensor) noexcept {
  return tensor->value.requires_grad();
}

}  // namespace ct::backend
