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

static at::Tensor carried(const at::Tensor &features, const at::Tensor &motion,
                          const at::Tensor &known, ck_border border) {
  if (is_left_to_library(features)) return sampled(features, motion, known, border);
  return Warp::apply(dense(features), motion, known, int64_t(border));
}

/// What a frame's scores are mixed with.
struct Memory {
  const at::Tensor &own, &before, &here, &there;
  double weight, tolerance;

  void require_one_grid() const {
    if (own.sizes() != before.sizes())
      throw Failure(ct_bad_shape, "scores of " + shape(own) + " and of " + shape(before));
    const bool fit = here.dim() == 4 && here.sizes() == there.sizes() && here.size(1) > 0 &&
                     here.size(0) == own.size(0) && here.size(2) == own.size(2) &&
                     here.size(3) == own.size(3);
    if (!fit)
      throw Failure(ct_bad_shape, "pictures of " + shape(here) + " and of " + shape(there) +
                                    " do not suit scores of " + shape(own));
    if (!(weight >= 0 && weight <= 1 && tolerance > 0))
      throw Failure(ct_bad_argument, "a weight is from 0 to 1, a tolerance above 0");
  }

  /// Whether LibTorch's operations have to do: another device, gradients.
  bool is_left_to_library(const Grid &grid) const {
    bool has_gradient = false;
    for (const auto *one : {&own, &before, &here, &there})
      has_gradient |= at::GradMode::is_enabled() && one->requires_grad();
    return has_gradient || ct::is_left_to_library(own) || grid.channels > ck_most_remembered();
  }
};

static at::Tensor remembered_by_library(const Memory &memory, const at::Tensor &motion,
                                        const at::Tensor &known) {
  const auto there = carried(memory.there, motion, known, ck_border_clamp);
  auto gate = (memory.here - there).abs().mean(1, true).mul(-1 / memory.tolerance).exp();
  gate = gate * memory.weight;
  if (known.numel() > 0) gate = gate * known.ne(0).unsqueeze(1);
  const auto before = carried(memory.before, motion, known, ck_border_clamp);
  return memory.own + gate * (before - memory.own);
}

static at::Tensor remembered(const Memory &memory, const Motion &motion) {
  const auto own = dense(memory.own);
  const Grid grid = grid_of(own);
  const auto before = memory.before.to(at::kFloat).contiguous(format(grid.layout));
  const auto here = memory.here.to(at::kFloat).contiguous();
  const auto there = memory.there.to(at::kFloat).contiguous();
  auto out = at::empty(own.sizes(), own.options().memory_format(format(grid.layout)));
  if (out.numel() == 0) return out;
  const int64_t picture = here.size(1) * grid.cells();
  over_images(grid, grid.height, grid.width * grid.channels,
              [&](int64_t image, int32_t begin, int32_t end) {
                const ck_motion along = motion.of(image);
                const int64_t at = image * grid.image();
                const ck_memory given = {own.data_ptr<float>() + at,
                                         before.data_ptr<float>() + at,
                                         here.data_ptr<float>() + image * picture,
                                         there.data_ptr<float>() + image * picture,
                                         int32_t(here.size(1)),
                                         float(memory.weight),
                                         float(memory.tolerance)};
                ck_remember(&given, grid.shape(), &along, out.data_ptr<float>() + at, begin, end);
              });
  return out;
}

namespace backend {

ct_code ct_remember(ct_tensor_ref own, ct_tensor_ref before, ct_tensor_ref here,
                    ct_tensor_ref there, ct_tensor_ref motion, ct_tensor_ref known, double weight,
                    double tolerance, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {own, before, here, there, motion}, [&] {
    const Grid grid = grid_of(own->value);
    const Memory memory{own->value, before->value, here->value, there->value, weight, tolerance};
    memory.require_one_grid();
    const auto values = motion_values(motion->value, grid);
    const auto marks = known_marks(known, grid);
    const bool moves = at::GradMode::is_enabled() && values.requires_grad();
    if (moves || memory.is_left_to_library(grid))
      return remembered_by_library(memory, values, marks);
    return remembered(memory, {values, marks});
  });
}

ct_code ct_warp(ct_tensor_ref features, ct_tensor_ref motion, ct_tensor_ref known,
                ct_border_kind border, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {features, motion}, [&] {
    const auto type = features->value.scalar_type();
    const Grid grid = grid_of(features->value);
    const auto values = motion_values(motion->value, grid);
    const auto marks = known_marks(known, grid);
    return carried(features->value, values, marks, border_of(border)).to(type);
  });
}

}  // namespace backend
}  // namespace ct
