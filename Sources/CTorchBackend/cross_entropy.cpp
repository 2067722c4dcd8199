// SPDX-License-Identifier: Apache-2.0
// Cross-entropy cell by cell, with boundary labels relaxed or not.
#include "classes.hpp"

#include <torch/csrc/autograd/custom_function.h>

namespace ct {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The image'th part of what the kernels read; no sets: the labels alone.
static ck_labelled labelled(const Grid &grid, const at::Tensor &logits, const at::Tensor &labels,
                            const at::Tensor &sets, int64_t image) {
  const int64_t at = image * grid.cells();
  const auto *bits = reinterpret_cast<const uint32_t *>(sets.data_ptr<int32_t>());
  return {logits.data_ptr<float>() + image * grid.image(), grid.shape(),
          labels.data_ptr<uint8_t>() + at, sets.numel() > 0 ? bits + at : nullptr};
}

static at::Tensor sets_of(const at::Tensor &labels, const Grid &grid, int64_t radius) {
  if (radius == 0 || labels.numel() == 0) return at::empty({0}, at::kInt);
  auto sets = at::empty(labels.sizes(), at::kInt);
  auto *to = reinterpret_cast<uint32_t *>(sets.data_ptr<int32_t>());
  over_images(grid, grid.height, grid.width * (2 * radius + 1) * (2 * radius + 1),
              [&](int64_t image, int32_t begin, int32_t end) {
                const int64_t at = image * grid.cells();
                ck_label_sets(labels.data_ptr<uint8_t>() + at, int32_t(grid.height),
                              int32_t(grid.width), int32_t(grid.channels), int32_t(radius), to + at,
                              begin, end);
              });
  return sets;
}

/// `logits` and `labels` have been brought to what the kernels take.
struct CrossEntropies : torch::autograd::Function<CrossEntropies> {
  static at::Tensor forward(AutogradContext *context, at::Tensor logits, at::Tensor labels,
                            at::Tensor sets) {
    const Grid grid = grid_of(logits);
    auto all = empty_cells(grid, logits), wanted = empty_cells(grid, logits);
    if (logits.numel() == 0) return all;
    over_images(grid, grid.height, grid.width * grid.channels,
                [&](int64_t image, int32_t begin, int32_t end) {
                  const auto given = labelled(grid, logits, labels, sets, image);
                  const int64_t at = image * grid.cells();
                  ck_cross_entropy(&given, all.data_ptr<float>() + at,
                                   wanted.data_ptr<float>() + at, begin, end);
                });
    context->save_for_backward({logits, labels, sets, all, wanted});
    return all - wanted;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    if (at::GradMode::is_enabled())
      throw Failure(ct_bad_argument, "a cross-entropy has no second derivative here");
    if (!gradients[0].defined()) return variable_list(3);
    const auto saved = context->get_saved_variables();
    const Grid grid = grid_of(saved[0]);
    const auto gradient = cell_gradient(gradients[0]);
    auto out = at::empty_like(saved[0]);
    over_images(grid, grid.height, grid.width * grid.channels,
                [&](int64_t image, int32_t begin, int32_t end) {
                  const auto given = labelled(grid, saved[0], saved[1], saved[2], image);
                  const int64_t at = image * grid.cells();
                  ck_cross_entropy_gradient(&given, saved[3].data_ptr<float>() + at,
                                            saved[4].data_ptr<float>() + at,
                                            gradient.data_ptr<float>() + at,
                                            out.data_ptr<float>() + image * grid.image(), begin,
                                            end);
                });
    return {out, at::Tensor(), at::Tensor()};
  }
};

/// 1 for each class that a cell may be of, N × C × H × W: for void cells, any.
static at::Tensor wanted_classes(const at::Tensor &numbers, int64_t classes, int64_t radius) {
  const auto ones = at::one_hot(numbers, classes + 1).permute({0, 3, 1, 2}).to(at::kFloat);
  const auto near = at::max_pool2d(ones, 2 * radius + 1, 1, radius);
  return near.narrow(1, 0, classes).maximum(ones.narrow(1, classes, 1));
}

/// The same from LibTorch's own operations, for other devices and more classes.
static at::Tensor composed(const at::Tensor &logits, const Labels &labels, int64_t radius) {
  const auto numbers = labels.numbers();
  if (radius == 0) {
    const auto own = numbers.clamp_max(labels.classes - 1).unsqueeze(1);
    const auto losses = -at::log_softmax(logits, 1).gather(1, own).squeeze(1);
    return losses.masked_fill(numbers.eq(labels.classes), 0);
  }
  const auto wanted = wanted_classes(numbers, labels.classes, radius);
  const float none = -std::numeric_limits<float>::infinity();
  return at::logsumexp(logits, 1) - at::logsumexp(logits.masked_fill(wanted.eq(0), none), 1);
}

namespace backend {

ct_code ct_cross_entropies(ct_tensor_ref logits, ct_tensor_ref labels, int64_t ignored,
                           int64_t radius, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {logits, labels}, [&] {
    const auto &values = logits->value;
    const auto given = labels_of(values, labels->value, ignored);
    if (radius < 0 || radius > 64) throw Failure(ct_bad_argument, "a radius is from 0 to 64");
    if (!suits_kernels(values, radius > 0 ? ck_most_set_classes : ck_most_classes))
      return composed(values.to(at::kFloat), given, radius);
    const auto marks = given.bytes();
    return CrossEntropies::apply(dense(values), marks, sets_of(marks, grid_of(values), radius));
  });
}

}  // namespace backend
}  // namespace ct
