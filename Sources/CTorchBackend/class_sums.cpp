// SPDX-License-Identifier: Apache-2.0
// Sums of probabilities class by class, for losses on overlaps.
#include "classes.hpp"

#include <torch/csrc/autograd/custom_function.h>

namespace ct {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

static ck_labelled labelled(const Grid &grid, const at::Tensor &logits, const at::Tensor &labels,
                            int64_t image) {
  return {logits.data_ptr<float>() + image * grid.image(), grid.shape(),
          labels.data_ptr<uint8_t>() + image * grid.cells(), nullptr};
}

/// How many cells have each label.
static at::Tensor counted(const at::Tensor &labels, int64_t classes) {
  int64_t counts[256] = {0};
  const auto *label = labels.data_ptr<uint8_t>();
  for (int64_t i = 0; i < labels.numel(); ++i) ++counts[label[i]];
  auto out = at::empty({1, classes}, at::kFloat);
  for (int64_t i = 0; i < classes; ++i) out.data_ptr<float>()[i] = float(counts[i]);
  return out;
}

/// `logits` and `labels` have been brought to what the kernels take.
struct ClassSums : torch::autograd::Function<ClassSums> {
  static at::Tensor forward(AutogradContext *context, at::Tensor logits, at::Tensor labels) {
    const Grid grid = grid_of(logits);
    auto rows = at::zeros({grid.count * grid.height, 2, grid.channels}, at::kFloat);
    context->save_for_backward({logits, labels});
    const auto counts = counted(labels, grid.channels);
    if (logits.numel() == 0) return at::cat({rows.sum(0), counts});
    const int64_t row = 2 * grid.channels;
    over_images(grid, grid.height, grid.width * grid.channels,
                [&](int64_t image, int32_t begin, int32_t end) {
                  const auto given = labelled(grid, logits, labels, image);
                  ck_class_sums(&given, rows.data_ptr<float>() + image * grid.height * row, begin,
                                end);
                });
    return at::cat({rows.sum(0, false, at::kDouble).to(at::kFloat), counts});
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    if (at::GradMode::is_enabled())
      throw Failure(ct_bad_argument, "class sums have no second derivative here");
    if (!gradients[0].defined()) return variable_list(2);
    const auto saved = context->get_saved_variables();
    const Grid grid = grid_of(saved[0]);
    // Of the three rows, the last, the counts, depends on nothing.
    const auto gradient = cell_gradient(gradients[0]);
    auto out = at::empty_like(saved[0]);
    over_images(grid, grid.height, grid.width * grid.channels,
                [&](int64_t image, int32_t begin, int32_t end) {
                  const auto given = labelled(grid, saved[0], saved[1], image);
                  ck_class_sums_gradient(&given, gradient.data_ptr<float>(),
                                         out.data_ptr<float>() + image * grid.image(), begin, end);
                });
    return {out, at::Tensor()};
  }
};

/// The same from LibTorch's own operations, for other devices and more classes.
static at::Tensor composed(const at::Tensor &logits, const Labels &labels) {
  const auto numbers = labels.numbers();
  const auto ones = at::one_hot(numbers, labels.classes + 1).permute({0, 3, 1, 2});
  const auto is_void = ones.narrow(1, labels.classes, 1).to(at::kBool);
  const auto shares = at::softmax(logits, 1).masked_fill(is_void, 0);
  const auto hits = shares * ones.narrow(1, 0, labels.classes);
  const auto counts = ones.sum({0, 2, 3}).narrow(0, 0, labels.classes).to(at::kFloat);
  return at::stack({shares.sum({0, 2, 3}), hits.sum({0, 2, 3}), counts});
}

namespace backend {

ct_code ct_class_sums(ct_tensor_ref logits, ct_tensor_ref labels, int64_t ignored,
                      ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {logits, labels}, [&] {
    const auto &values = logits->value;
    const auto given = labels_of(values, labels->value, ignored);
    if (!suits_kernels(values)) return composed(values.to(at::kFloat), given);
    return ClassSums::apply(dense(values), given.bytes());
  });
}

}  // namespace backend
}  // namespace ct
