// SPDX-License-Identifier: Apache-2.0
#include "convolution.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include <torch/csrc/autograd/custom_function.h>

#include "pointwise.hpp"
#include "winograd.hpp"

namespace ct {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using winograd::Images;
using winograd::Tiling;

static Images images_of(const at::Tensor &features, int64_t dilation) {
  return {features.size(0), features.size(2), features.size(3), dilation};
}

static at::Tensor channels_last(const at::Tensor &features) {
  return features.contiguous(at::MemoryFormat::ChannelsLast);
}

/// Features of `images` in the layout that all steps here write.
static at::Tensor empty_features(const Images &images, int64_t channels, const at::Tensor &like) {
  return at::empty({images.count, channels, images.height, images.width},
                   like.options().memory_format(at::MemoryFormat::ChannelsLast));
}

static at::Tensor forward(const at::Tensor &input, const at::Tensor &weight, const at::Tensor &bias,
                          int64_t dilation) {
  const auto images = images_of(input, dilation);
  const auto from = channels_last(input), offsets = bias.contiguous();
  auto out = empty_features(images, weight.size(0), input);
  winograd::convolve(Tiling(images), from.data_ptr<float>(), input.size(1), winograd::taps(weight),
                     weight.size(0), bias.numel() > 0 ? offsets.data_ptr<float>() : nullptr,
                     out.data_ptr<float>());
  return out.contiguous(input.suggest_memory_format());
}

static at::Tensor input_gradient(const at::Tensor &gradient, const at::Tensor &input,
                                 const at::Tensor &weight, int64_t dilation) {
  const auto images = images_of(input, dilation);
  auto out = empty_features(images, weight.size(1), input);
  winograd::convolve(Tiling(images), gradient.data_ptr<float>(), weight.size(0),
                     winograd::turned(weight), weight.size(1), nullptr, out.data_ptr<float>());
  return out.contiguous(input.suggest_memory_format());
}

static at::Tensor weight_gradient(const at::Tensor &gradient, const at::Tensor &input,
                                  const at::Tensor &weight, int64_t dilation) {
  const auto from = channels_last(input);
  auto out = at::empty(weight.sizes(),
                       weight.options().memory_format(at::MemoryFormat::ChannelsLast));
  winograd::weight_gradient(Tiling(images_of(input, dilation)), from.data_ptr<float>(),
                            input.size(1), gradient.data_ptr<float>(), weight.size(0),
                            out.data_ptr<float>());
  return out.contiguous(weight.suggest_memory_format());
}

namespace {

/// `bias` is empty where there is none. Sizes have been checked.
struct WinogradConvolution : torch::autograd::Function<WinogradConvolution> {
  static at::Tensor forward(AutogradContext *context, at::Tensor input, at::Tensor weight,
                            at::Tensor bias, int64_t dilation) {
    context->saved_data["dilation"] = dilation;
    context->saved_data["input"] = input.requires_grad();
    context->saved_data["weight"] = weight.requires_grad();
    context->saved_data["bias"] = bias.requires_grad();
    context->save_for_backward({input, weight});
    return ct::forward(input, weight, bias, dilation);
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    auto &saved = context->saved_data;
    const auto tensors = context->get_saved_variables();
    const auto &input = tensors[0], &weight = tensors[1];
    const std::array<bool, 3> wanted{saved["input"].toBool(), saved["weight"].toBool(),
                                     saved["bias"].toBool()};
    const int64_t dilation = saved["dilation"].toInt();
    variable_list given(4);
    if (!gradients[0].defined()) return given;
    // Only LibTorch's own gradient has a derivative in turn.
    if (at::GradMode::is_enabled())
      return differentiable(gradients[0], input, weight, dilation, wanted);
    const auto gradient = channels_last(gradients[0]);
    if (wanted[0]) given[0] = input_gradient(gradient, input, weight, dilation);
    if (wanted[1]) given[1] = weight_gradient(gradient, input, weight, dilation);
    if (wanted[2]) given[2] = gradient.sum(at::IntArrayRef({0, 2, 3}));
    return given;
  }

 private:
  static variable_list differentiable(const at::Tensor &gradient, const at::Tensor &input,
                                      const at::Tensor &weight, int64_t dilation,
                                      std::array<bool, 3> wanted) {
    const std::array<int64_t, 2> step{1, 1}, apart{dilation, dilation}, none{0, 0};
    const auto outputs = weight.sizes().slice(0, 1);
    auto all = at::convolution_backward(gradient, input, weight, outputs, step, apart, apart, false,
                                        none, 1, wanted);
    return {std::get<0>(all), std::get<1>(all), std::get<2>(all), at::Tensor()};
  }
};

}  // namespace

static bool is_plain(const at::Tensor &tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat &&
         tensor.layout() == at::kStrided && tensor.numel() > 0;
}

/// Whether Winograd's tiles save so much work that they are faster, measured against oneDNN 2.6.
///
/// Below 16 channels most lanes would be idle; a tile that reaches beyond the image is work for
/// nothing; and the weights' transform wants some tiles to serve.
static bool pays(const Images &images, int64_t inputs, int64_t outputs) {
  const int64_t cells = images.count * images.height * images.width, most = int64_t(1) << 30;
  if (inputs < 16 || outputs < 16 || std::max({cells, inputs, outputs}) >= most) return false;
  const int64_t tiles = winograd::tiles_over(images);
  return tiles >= 6 && cells >= tiles * ck_tile_side * ck_tile_side / 2;
}

/// `INBETWEEN_CONVOLUTION=library` leaves every convolution to LibTorch, for comparison.
static bool is_left_to_library() {
  static const char *choice = std::getenv("INBETWEEN_CONVOLUTION");
  return choice && std::strcmp(choice, "library") == 0;
}

static bool are_both(at::IntArrayRef numbers, int64_t number) {
  return numbers[0] == number && numbers[1] == number;
}

static bool suits_winograd(const at::Tensor &input, const at::Tensor &weight,
                           const c10::optional<at::Tensor> &bias, const Window &window) {
  const int64_t apart = window.dilation[0];
  if (is_left_to_library() || window.groups != 1) return false;
  if (weight.size(2) != 3 || weight.size(3) != 3 || apart < 1) return false;
  if (!are_both(window.stride, 1) || !are_both(window.dilation, apart)) return false;
  if (!are_both(window.padding, apart)) return false;
  if (!is_plain(input) || !is_plain(weight)) return false;
  if (bias && (!is_plain(*bias) || bias->sizes() != weight.sizes().slice(0, 1))) return false;
  return pays(images_of(input, apart), input.size(1), weight.size(0));
}

static bool needs_gradient(const at::Tensor &input, const at::Tensor &weight,
                           const c10::optional<at::Tensor> &bias) {
  return at::GradMode::is_enabled() &&
         (input.requires_grad() || weight.requires_grad() || (bias && bias->requires_grad()));
}

/// Whether it is a product of matrices that nothing is learned of.
static bool suits_pointwise(const at::Tensor &input, const at::Tensor &weight,
                            const c10::optional<at::Tensor> &bias, const Window &window) {
  if (is_left_to_library() || window.groups != 1) return false;
  if (weight.size(2) != 1 || weight.size(3) != 1 || !are_both(window.stride, 1)) return false;
  if (!are_both(window.padding, 0) || !is_plain(input) || !is_plain(weight)) return false;
  if (bias && (!is_plain(*bias) || bias->sizes() != weight.sizes().slice(0, 1))) return false;
  const int64_t cells = input.size(0) * input.size(2) * input.size(3);
  return pointwise::pays(cells, input.size(1), weight.size(0)) &&
         input.is_contiguous(at::MemoryFormat::ChannelsLast) &&
         !needs_gradient(input, weight, bias);
}

static at::Tensor pointwise_convolved(const at::Tensor &input, const at::Tensor &weight,
                                      const c10::optional<at::Tensor> &bias) {
  const auto images = images_of(input, 1);
  const auto weights = weight.contiguous();
  const auto offsets = bias ? bias->contiguous() : at::Tensor();
  auto out = empty_features(images, weight.size(0), input);
  pointwise::multiply(input.data_ptr<float>(), images.count * images.height * images.width,
                      input.size(1),
                      {weights.data_ptr<float>(), weight.size(0), weight.size(1), 1},
                      bias ? offsets.data_ptr<float>() : nullptr, out.data_ptr<float>());
  return out;
}

/// Whether the kernel is a single cell that skips others: what it skips can be left out beforehand.
static bool is_sparse_point(const at::Tensor &weight, const Window &window) {
  return weight.size(2) == 1 && weight.size(3) == 1 && are_both(window.padding, 0) &&
         !are_both(window.stride, 1) && window.stride[0] >= 1 && window.stride[1] >= 1;
}

/// The cells that a stride meets.
static at::Tensor every(const at::Tensor &input, at::IntArrayRef stride) {
  return input.slice(2, 0, INT64_MAX, stride[0])
    .slice(3, 0, INT64_MAX, stride[1])
    .contiguous(input.suggest_memory_format());
}

at::Tensor convolved(const at::Tensor &input, const at::Tensor &weight,
                     const c10::optional<at::Tensor> &bias, const Window &window) {
  // oneDNN 2.6 writes past its buffers for channels-last inputs of 8 channels under a 1 × 1 kernel of
  // stride 2, so it is never asked for strides of such kernels.
  if (is_sparse_point(weight, window)) {
    const std::array<int64_t, 2> one{1, 1}, none{0, 0};
    return convolved(every(input, window.stride), weight, bias, {one, none, one, window.groups});
  }
  if (suits_pointwise(input, weight, bias, window)) return pointwise_convolved(input, weight, bias);
  if (!suits_winograd(input, weight, bias, window))
    return at::conv2d(input, weight, bias, window.stride, window.padding, window.dilation,
                      window.groups);
  const auto offsets = bias ? *bias : at::empty({0}, weight.options());
  return WinogradConvolution::apply(input, weight, offsets, window.dilation[0]);
}

}  // namespace ct
