// SPDX-License-Identifier: Apache-2.0
// What an optimiser does to its parameters, in place.
#include "backend.hpp"

#include <ATen/core/grad_mode.h>
#include <cmath>

namespace ct::backend {

/// Calls `body` with each tensor that has a gradient.
template <class Body>
static void for_each_gradient(const ct_tensor_ref *tensors, size_t count, Body &&body) {
  at::NoGradGuard guard;
  for (size_t i = 0; i < count; ++i) {
    const at::Tensor &gradient = tensors[i]->value.grad();
    if (gradient.defined()) body(i, tensors[i]->value, gradient);
  }
}

ct_code ct_scale_gradients(const ct_tensor_ref *tensors, size_t count, double largest_norm,
                           double *norm, ct_error *error) noexcept {
  return guarded(error, [&] {
    double sum = 0;
    for_each_gradient(tensors, count, [&](size_t, const at::Tensor &, const at::Tensor &gradient) {
      const double length = gradient.norm().item().toDouble();
      sum += length * length;
    });
    *norm = std::sqrt(sum);
    const double scale = largest_norm / (*norm + 1e-6);
    if (!(scale < 1)) return;
    for_each_gradient(tensors, count, [&](size_t, const at::Tensor &, at::Tensor gradient) {
      gradient.mul_(scale);
    });
  });
}

ct_code ct_sgd_step(const ct_tensor_ref *tensors, const ct_tensor_ref *velocities, size_t count,
                    const ct_sgd_options *options, ct_error *error) noexcept {
  return guarded(error, [&] {
    for_each_gradient(tensors, count, [&](size_t i, at::Tensor tensor, const at::Tensor &slope) {
      const at::Tensor decayed =
        options->decay == 0 ? slope : slope.add(tensor, options->decay);
      at::Tensor velocity = velocities[i]->value;
      velocity.mul_(options->momentum).add_(decayed);
      tensor.add_(options->nesterov ? decayed.add(velocity, options->momentum) : velocity,
                  -options->rate);
    });
  });
}

ct_code ct_adam_step(const ct_tensor_ref *tensors, const ct_tensor_ref *means,
                     const ct_tensor_ref *squares, size_t count, const ct_adam_options *options,
                     ct_error *error) noexcept {
  return guarded(error, [&] {
    const double step = static_cast<double>(options->step);
    const double seen = 1 - std::pow(options->first, step);
    const double seen_squares = std::sqrt(1 - std::pow(options->second, step));
    for_each_gradient(tensors, count, [&](size_t i, at::Tensor tensor, at::Tensor slope) {
      if (options->decay != 0) {
        if (options->decoupled) tensor.mul_(1 - options->rate * options->decay);
        else slope = slope.add(tensor, options->decay);
      }
      at::Tensor mean = means[i]->value, square = squares[i]->value;
      mean.lerp_(slope, 1 - options->first);
      square.mul_(options->second).addcmul_(slope, slope, 1 - options->second);
      const at::Tensor deviation = square.sqrt().div_(seen_squares).add_(options->epsilon);
      tensor.addcdiv_(mean, deviation, -options->rate / seen);
    });
  });
}

ct_code ct_approach(const ct_tensor_ref *tensors, const ct_tensor_ref *targets, size_t count,
                    double share, ct_error *error) noexcept {
  return guarded(error, [&] {
    at::NoGradGuard guard;
    for (size_t i = 0; i < count; ++i) {
      require_same_shape(tensors[i]->value, targets[i]->value);
      at::Tensor(tensors[i]->value).lerp_(targets[i]->value, share);
    }
  });
}

}  // namespace ct::backend
