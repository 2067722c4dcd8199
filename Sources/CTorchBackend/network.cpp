// SPDX-License-Identifier: Apache-2.0
// What networks are made of: convolution, normalisation, pooling, resizing, loss.
#include "backend.hpp"
#include "convolution.hpp"
#include "kernels.hpp"

#include <ATen/CPUGeneratorImpl.h>

namespace ct::backend {

static c10::optional<at::Tensor> optional(ct_tensor_ref tensor) {
  return tensor ? c10::optional<at::Tensor>(tensor->value) : c10::nullopt;
}

static at::IntArrayRef pair(const int64_t (&numbers)[2]) { return {numbers, 2}; }

static void require_channels(const at::Tensor &input, const at::Tensor &weight, int64_t expected) {
  if (input.size(1) != expected)
    throw Failure(ct_bad_shape, "an input of " + shape(input) + " does not suit a weight of "
                                  + shape(weight));
}

static void require_groups(int64_t groups) {
  if (groups < 1) throw Failure(ct_bad_argument, "the number of groups must be positive");
}

ct_code ct_conv2d(ct_tensor_ref input, ct_tensor_ref weight, ct_tensor_ref optional_bias,
                  ct_window window, int64_t groups, int32_t rectified, ct_tensor_ref *out,
                  ct_error *error) noexcept {
  return give(out, error, {input, weight}, [&] {
    require_rank(input->value, 4);
    require_rank(weight->value, 4);
    require_groups(groups);
    require_channels(input->value, weight->value, weight->value.size(1) * groups);
    auto out = convolved(input->value, weight->value, optional(optional_bias),
                         {pair(window.stride), pair(window.padding), pair(window.dilation), groups});
    return rectified ? out.relu_() : out;
  });
}

ct_code ct_conv_transpose2d(ct_tensor_ref input, ct_tensor_ref weight, ct_tensor_ref optional_bias,
                            ct_window window, const int64_t *output_padding, int64_t groups,
                            ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {input, weight}, [&] {
    require_rank(input->value, 4);
    require_rank(weight->value, 4);
    require_groups(groups);
    require_channels(input->value, weight->value, weight->value.size(0));
    return at::conv_transpose2d(input->value, weight->value, optional(optional_bias),
                                pair(window.stride), pair(window.padding),
                                at::IntArrayRef(output_padding, 2), groups, pair(window.dilation));
  });
}

static void require_one_a_channel(const at::Tensor &input, ct_tensor_ref statistics) {
  if (statistics && statistics->value.numel() != input.size(1))
    throw Failure(ct_bad_shape, "an input of " + shape(input) + " does not suit statistics of "
                                  + shape(statistics->value));
}

ct_code ct_batch_norm(ct_tensor_ref input, ct_tensor_ref optional_weight,
                      ct_tensor_ref optional_bias, ct_tensor_ref optional_mean,
                      ct_tensor_ref optional_variance, int32_t training, int32_t rectified,
                      double momentum, double epsilon, ct_tensor_ref *out,
                      ct_error *error) noexcept {
  return give(out, error, {input}, [&] {
    require_rank(input->value, 4);
    for (auto one : {optional_weight, optional_bias, optional_mean, optional_variance})
      require_one_a_channel(input->value, one);
    auto out = at::batch_norm(input->value, optional(optional_weight), optional(optional_bias),
                              optional(optional_mean), optional(optional_variance), training,
                              momentum, epsilon, /*cudnn_enabled=*/true);
    return rectified ? out.relu_() : out;
  });
}

ct_code ct_add_rectified(ct_tensor_ref lhs, ct_tensor_ref rhs, ct_tensor_ref *out,
                         ct_error *error) noexcept {
  return give(out, error, {lhs, rhs}, [&] {
    require_same_shape(lhs->value, rhs->value);
    return lhs->value.add(rhs->value).relu_();
  });
}

/// Means over windows that cover a plane; LibTorch works out the edges of each anew.
static at::Tensor window_means(const at::Tensor &x, int64_t height, int64_t width) {
  const Grid grid = grid_of(x);
  auto out = at::empty({grid.count, grid.channels, height, width}, x.options());
  const int64_t plane = height * width, work = std::max<int64_t>(grid.cells() / height, 1);
  const float *from = x.data_ptr<float>();
  float *to = out.data_ptr<float>();
  const ck_extent given{int32_t(grid.height), int32_t(grid.width)};
  const ck_extent wanted{int32_t(height), int32_t(width)};
  const Grid planes{grid.count * grid.channels, 1, height, width, ck_planar, true};
  over_images(planes, height, work, [&](int64_t image, int32_t begin, int32_t end) {
    ck_window_means(from + image * grid.cells(), given, wanted, to + image * plane, begin, end);
  });
  return out;
}

static at::Tensor adaptively_pooled(const at::Tensor &x, at::IntArrayRef size) {
  const bool has_gradient = at::GradMode::is_enabled() && x.requires_grad();
  const bool is_own = size[0] > 0 && size[1] > 0 && x.numel() > 0 && x.is_cpu() &&
                      x.scalar_type() == at::kFloat && x.is_contiguous() && !has_gradient;
  return is_own ? window_means(x, size[0], size[1]) : at::adaptive_avg_pool2d(x, size);
}

static at::Tensor pool(ct_pooling_kind kind, const at::Tensor &x, const ct_window &window,
                       bool count_padding) {
  const auto size = pair(window.size), stride = pair(window.stride), padding = pair(window.padding);
  switch (kind) {
    case ct_pool_largest: return at::max_pool2d(x, size, stride, padding, pair(window.dilation));
    case ct_pool_mean: return at::avg_pool2d(x, size, stride, padding, false, count_padding);
    case ct_pool_adaptive: return adaptively_pooled(x, size);
  }
  throw Failure(ct_bad_argument, "no such pooling");
}

ct_code ct_pool(ct_pooling_kind kind, ct_tensor_ref input, ct_window window, int32_t count_padding,
                ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {input}, [&] {
    require_rank(input->value, 4);
    return pool(kind, input->value, window, count_padding);
  });
}

static at::Tensor resize(ct_resize_kind kind, const at::Tensor &x, at::IntArrayRef size) {
  if (size[0] < 1 || size[1] < 1) throw Failure(ct_bad_shape, "no tensor resizes to " + text(size));
  if (kind == ct_nearest) return at::upsample_nearest2d(x, size);
  return at::upsample_bilinear2d(x, size, kind == ct_bilinear_align_corners);
}

ct_code ct_resize(ct_resize_kind kind, ct_tensor_ref input, int64_t height, int64_t width,
                  ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {input}, [&] {
    require_rank(input->value, 4);
    return resize(kind, input->value, {height, width});
  });
}

ct_code ct_grid_sample(ct_tensor_ref input, ct_tensor_ref grid, int32_t clamp,
                       int32_t align_corners, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {input, grid}, [&] {
    const int64_t bilinear = 0, border = clamp ? 1 : 0;
    return at::grid_sampler(input->value, grid->value, bilinear, border, align_corners);
  });
}

ct_code ct_unfold(ct_tensor_ref input, ct_window window, ct_tensor_ref *out,
                  ct_error *error) noexcept {
  return give(out, error, {input}, [&] {
    require_rank(input->value, 4);
    return at::im2col(input->value, pair(window.size), pair(window.dilation), pair(window.padding),
                      pair(window.stride));
  });
}

ct_code ct_dropout(ct_tensor_ref input, double probability, uint64_t seed, ct_tensor_ref *out,
                   ct_error *error) noexcept {
  return give(out, error, {input}, [&] {
    if (!(probability >= 0 && probability < 1))
      throw Failure(ct_bad_argument, "a dropout probability is at least 0 and less than 1");
    auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    auto kept = at::empty(input->value.sizes(), at::dtype(input->value.scalar_type()))
                  .bernoulli_(1 - probability, generator);
    return input->value * kept.to(input->value.device()) / (1 - probability);
  });
}

ct_code ct_cross_entropy(ct_tensor_ref logits, ct_tensor_ref labels, ct_tensor_ref optional_weights,
                         int64_t ignored, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {logits, labels}, [&] {
    return at::cross_entropy_loss(logits->value, labels->value.to(at::kLong),
                                  optional(optional_weights), at::Reduction::Mean, ignored);
  });
}

}  // namespace ct::backend
