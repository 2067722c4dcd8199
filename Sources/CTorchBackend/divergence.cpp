// SPDX-License-Identifier: Apache-2.0
// Distillation: how far a student's softmax is from its teacher's.
#include "classes.hpp"

#include <torch/csrc/autograd/custom_function.h>

namespace ct {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

static ck_taught taught(const Grid &grid, const at::Tensor &student, const at::Tensor &teacher,
                        double temperature, int64_t image) {
  const int64_t at = image * grid.image();
  return {student.data_ptr<float>() + at, teacher.data_ptr<float>() + at, grid.shape(),
          float(1 / temperature)};
}

/// Both have been brought to float32 and one layout.
struct Divergences : torch::autograd::Function<Divergences> {
  static at::Tensor forward(AutogradContext *context, at::Tensor student, at::Tensor teacher,
                            double temperature) {
    const Grid grid = grid_of(student);
    auto out = empty_cells(grid, student);
    auto student_all = empty_cells(grid, student), teacher_all = empty_cells(grid, student);
    if (student.numel() == 0) return out;
    over_images(grid, grid.height, grid.width * grid.channels,
                [&](int64_t image, int32_t begin, int32_t end) {
                  const auto given = taught(grid, student, teacher, temperature, image);
                  const int64_t at = image * grid.cells();
                  ck_divergence(&given, out.data_ptr<float>() + at,
                                student_all.data_ptr<float>() + at,
                                teacher_all.data_ptr<float>() + at, begin, end);
                });
    context->saved_data["temperature"] = temperature;
    context->save_for_backward({student, teacher, student_all, teacher_all});
    return out;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    if (at::GradMode::is_enabled())
      throw Failure(ct_bad_argument, "a divergence has no second derivative here");
    if (!gradients[0].defined()) return variable_list(3);
    const auto saved = context->get_saved_variables();
    const double temperature = context->saved_data["temperature"].toDouble();
    const Grid grid = grid_of(saved[0]);
    const auto gradient = cell_gradient(gradients[0]);
    auto out = at::empty_like(saved[0]);
    over_images(grid, grid.height, grid.width * grid.channels,
                [&](int64_t image, int32_t begin, int32_t end) {
                  const auto given = taught(grid, saved[0], saved[1], temperature, image);
                  const int64_t at = image * grid.cells();
                  ck_divergence_gradient(&given, saved[2].data_ptr<float>() + at,
                                         saved[3].data_ptr<float>() + at,
                                         gradient.data_ptr<float>() + at,
                                         out.data_ptr<float>() + image * grid.image(), begin, end);
                });
    return {out, at::Tensor(), at::Tensor()};
  }
};

/// The same from LibTorch's own operations, for other devices and more classes.
static at::Tensor composed(const at::Tensor &student, const at::Tensor &teacher,
                           double temperature) {
  const auto p = at::log_softmax(student / temperature, 1);
  const auto q = at::log_softmax(teacher / temperature, 1);
  return (q.exp() * (q - p)).sum(1);
}

namespace backend {

ct_code ct_divergences(ct_tensor_ref student, ct_tensor_ref teacher, double temperature,
                       ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {student, teacher}, [&] {
    require_rank(student->value, 4);
    require_same_shape(student->value, teacher->value);
    if (!(temperature > 0)) throw Failure(ct_bad_argument, "a temperature is above 0");
    const auto taught = teacher->value.detach();
    if (!suits_kernels(student->value))
      return composed(student->value.to(at::kFloat), taught.to(at::kFloat), temperature);
    const auto values = dense(student->value);
    const auto layout = format(grid_of(values).layout);
    const auto example = taught.to(at::kFloat).contiguous(layout);
    return Divergences::apply(values, example, temperature);
  });
}

}  // namespace backend
}  // namespace ct
