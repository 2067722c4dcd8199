// SPDX-License-Identifier: Apache-2.0
// Operations element by element, products and reductions.
#include "kernels.hpp"
#include "pointwise.hpp"

#include <ATen/core/grad_mode.h>
#include <cmath>

namespace ct::backend {

static at::Tensor unary(ct_unary_kind kind, const at::Tensor &x) {
  switch (kind) {
    case ct_negate: return x.neg();
    case ct_exp: return x.exp();
    case ct_log: return x.log();
    case ct_sqrt: return x.sqrt();
    case ct_abs: return x.abs();
    case ct_relu: return x.relu();
    case ct_sigmoid: return x.sigmoid();
    case ct_tanh: return x.tanh();
  }
  throw Failure(ct_bad_argument, "no such operation");
}

template <class Right>
static at::Tensor binary(ct_binary_kind kind, const at::Tensor &a, const Right &b) {
  switch (kind) {
    case ct_add: return a.add(b);
    case ct_subtract: return a.sub(b);
    case ct_multiply: return a.mul(b);
    case ct_divide: return a.div(b);
    case ct_power: return a.pow(b);
    case ct_equal: return a.eq(b);
    case ct_not_equal: return a.ne(b);
    case ct_less: return a.lt(b);
    case ct_less_or_equal: return a.le(b);
    case ct_greater: return a.gt(b);
    case ct_greater_or_equal: return a.ge(b);
    default: throw Failure(ct_bad_argument, "no such operation");
  }
}

/// Integers stay integers where the scalar is whole.
static at::Scalar scalar_for(const at::Tensor &x, double value) {
  const bool whole = std::trunc(value) == value && std::abs(value) < 0x1p53;
  if (at::isIntegralType(x.scalar_type(), false) && whole) return static_cast<int64_t>(value);
  return value;
}

static at::Tensor pairwise(ct_binary_kind kind, const at::Tensor &a, const at::Tensor &b) {
  require_broadcastable(a, b);
  if (kind == ct_maximum) return at::maximum(a, b);
  if (kind == ct_minimum) return at::minimum(a, b);
  return binary(kind, a, b);
}

ct_code ct_unary(ct_unary_kind kind, ct_tensor_ref tensor, ct_tensor_ref *out,
                 ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] { return unary(kind, tensor->value); });
}

ct_code ct_binary(ct_binary_kind kind, ct_tensor_ref lhs, ct_tensor_ref rhs, ct_tensor_ref *out,
                  ct_error *error) noexcept {
  return give(out, error, {lhs, rhs}, [&] { return pairwise(kind, lhs->value, rhs->value); });
}

ct_code ct_binary_scalar(ct_binary_kind kind, ct_tensor_ref lhs, double rhs, ct_tensor_ref *out,
                         ct_error *error) noexcept {
  return give(out, error, {lhs}, [&] { return binary(kind, lhs->value, scalar_for(lhs->value, rhs)); });
}

ct_code ct_scalar_binary(ct_binary_kind kind, double lhs, ct_tensor_ref rhs, ct_tensor_ref *out,
                         ct_error *error) noexcept {
  return give(out, error, {rhs}, [&] {
    // A tensor of no axes takes part in a product's type as a scalar does.
    const auto scalar = scalar_for(rhs->value, lhs);
    const auto type = scalar.isIntegral(false) ? at::kLong : at::kFloat;
    return pairwise(kind, at::scalar_tensor(scalar, at::dtype(type)), rhs->value);
  });
}

ct_code ct_clamp(ct_tensor_ref tensor, double low, double high, ct_tensor_ref *out,
                 ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] { return tensor->value.clamp(low, high); });
}

ct_code ct_leaky_relu(ct_tensor_ref tensor, double slope, ct_tensor_ref *out,
                      ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] { return at::leaky_relu(tensor->value, slope); });
}

ct_code ct_softmax(ct_tensor_ref tensor, int64_t axis, int32_t logarithm, ct_tensor_ref *out,
                   ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] {
    return logarithm ? at::log_softmax(tensor->value, axis) : at::softmax(tensor->value, axis);
  });
}

static bool is_matrix(const at::Tensor &tensor) {
  return tensor.dim() == 2 && tensor.is_cpu() && tensor.scalar_type() == at::kFloat &&
         tensor.layout() == at::kStrided && tensor.numel() > 0 && tensor.numel() < 1 << 30 &&
         !(at::GradMode::is_enabled() && tensor.requires_grad());
}

static at::Tensor product(const at::Tensor &a, const at::Tensor &b) {
  if (!is_matrix(a) || !is_matrix(b) || !pointwise::pays(a.size(0), a.size(1), b.size(1)))
    return at::matmul(a, b);
  const auto left = a.contiguous();
  auto out = at::empty({a.size(0), b.size(1)}, a.options());
  pointwise::multiply(left.data_ptr<float>(), a.size(0), a.size(1),
                      {b.data_ptr<float>(), b.size(1), b.stride(1), b.stride(0)}, nullptr,
                      out.data_ptr<float>());
  return out;
}

ct_code ct_matmul(ct_tensor_ref lhs, ct_tensor_ref rhs, ct_tensor_ref *out,
                  ct_error *error) noexcept {
  return give(out, error, {lhs, rhs}, [&] {
    const auto &a = lhs->value, &b = rhs->value;
    const bool fit = a.dim() > 0 && b.dim() > 0
                     && a.size(-1) == b.size(b.dim() > 1 ? -2 : -1);
    if (!fit) throw Failure(ct_bad_shape, shape(a) + " and " + shape(b) + " have no product");
    return product(a, b);
  });
}

ct_code ct_solve(ct_tensor_ref lhs, ct_tensor_ref rhs, double ridge, ct_tensor_ref *out,
                 ct_error *error) noexcept {
  return give(out, error, {lhs, rhs}, [&] {
    const auto &a = lhs->value, &b = rhs->value;
    const bool fit = a.dim() == 2 && b.dim() == 2 && a.size(0) == a.size(1)
                     && a.size(0) == b.size(0);
    if (!fit) throw Failure(ct_bad_shape, shape(a) + " x = " + shape(b) + " is not solved");
    if (ridge == 0) return at::cholesky_solve(b, at::linalg_cholesky(a));
    auto raised = a.clone();
    raised.diagonal().add_(ridge);
    return at::cholesky_solve(b, at::linalg_cholesky(raised));
  });
}

static std::vector<int64_t> axes_of(const at::Tensor &x, const int64_t *axes, size_t count) {
  std::vector<int64_t> all(axes, axes + count);
  for (int64_t axis = 0; count == 0 && axis < x.dim(); ++axis) all.push_back(axis);
  return all;
}

static at::Tensor reduce(ct_reduction_kind kind, const at::Tensor &x, at::IntArrayRef axes,
                         bool keep) {
  switch (kind) {
    case ct_sum: return x.sum(axes, keep);
    case ct_mean: return x.mean(axes, keep);
    case ct_variance: return x.var(axes, /*unbiased=*/false, keep);
    case ct_sample_variance: return x.var(axes, /*unbiased=*/true, keep);
    case ct_largest: return x.amax(axes, keep);
    case ct_smallest: return x.amin(axes, keep);
    case ct_log_sum_exp: return x.logsumexp(axes, keep);
    case ct_euclidean_norm: return x.norm(2, axes, keep);
  }
  throw Failure(ct_bad_argument, "no such reduction");
}

ct_code ct_reduce(ct_reduction_kind kind, ct_tensor_ref tensor, const int64_t *axes,
                  size_t axis_count, int32_t keep, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] {
    return reduce(kind, tensor->value, axes_of(tensor->value, axes, axis_count), keep);
  });
}

ct_code ct_argmax(ct_tensor_ref tensor, int64_t axis, int32_t keep, ct_tensor_ref *out,
                  ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] { return tensor->value.argmax(axis, keep); });
}

ct_code ct_topk(ct_tensor_ref tensor, int64_t count, int64_t axis, ct_tensor_ref *values,
                ct_tensor_ref *indices, ct_error *error) noexcept {
  return guarded(error, {tensor}, [&] {
    auto [best, places] = tensor->value.topk(count, axis);
    ct_tensor_ref made[2];
    hand_out({best, places}, made);
    *values = made[0];
    *indices = made[1];
  });
}

static at::Tensor mask_of(ct_tensor_ref mask) { return mask->value.to(at::kBool); }

ct_code ct_where(ct_tensor_ref mask, ct_tensor_ref yes, ct_tensor_ref no, ct_tensor_ref *out,
                 ct_error *error) noexcept {
  return give(out, error, {mask, yes, no}, [&] {
    require_broadcastable(mask->value, yes->value);
    require_broadcastable(mask->value, no->value);
    require_broadcastable(yes->value, no->value);
    return at::where(mask_of(mask), yes->value, no->value);
  });
}

ct_code ct_masked_fill(ct_tensor_ref tensor, ct_tensor_ref mask, double value, ct_tensor_ref *out,
                       ct_error *error) noexcept {
  return give(out, error, {tensor, mask}, [&] {
    require_broadcastable(tensor->value, mask->value);
    return tensor->value.masked_fill(mask_of(mask), value);
  });
}

ct_code ct_masked_select(ct_tensor_ref tensor, ct_tensor_ref mask, ct_tensor_ref *out,
                         ct_error *error) noexcept {
  return give(out, error, {tensor, mask}, [&] {
    require_broadcastable(tensor->value, mask->value);
    return tensor->value.masked_select(mask_of(mask));
  });
}

ct_code ct_bincount(ct_tensor_ref tensor, int64_t minimum, ct_tensor_ref *out,
                    ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] { return at::bincount(tensor->value, {}, minimum); });
}

ct_code ct_all_finite(ct_tensor_ref tensor, int32_t *out, ct_error *error) noexcept {
  return guarded(error, {tensor}, [&] {
    at::NoGradGuard guard;
    *out = all_finite(tensor->value) ? 1 : 0;
  });
}

}  // namespace ct::backend
