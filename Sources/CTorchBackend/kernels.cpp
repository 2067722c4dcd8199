// SPDX-License-Identifier: Apache-2.0
#include "kernels.hpp"

#include <atomic>

namespace ct {

void require_cpu(const at::Tensor &tensor) {
  if (!tensor.is_cpu()) throw Failure(ct_no_device, "this operation runs on the CPU only");
}

bool all_finite(const at::Tensor &tensor) {
  if (tensor.numel() == 0) return true;
  if (!at::isFloatingType(tensor.scalar_type())) return true;
  const bool plain = tensor.is_cpu() && tensor.scalar_type() == at::kFloat;
  // A value times zero is zero if, and only if, it is finite, and so is the sum of them all.
  if (!plain || !tensor.is_non_overlapping_and_dense())
    return tensor.mul(0).sum().item<double>() == 0;
  const float *values = tensor.data_ptr<float>();
  const int64_t count = tensor.numel(), part = 65536;
  std::atomic<bool> finite{true};
  in_threads((count + part - 1) / part, [&](int64_t job, int32_t) {
    const int64_t begin = job * part;
    if (!ck_all_finite(values + begin, size_t(std::min(part, count - begin)))) finite = false;
  });
  return finite;
}

static ck_layout layout_of(const at::Tensor &features) {
  const bool planar = features.is_contiguous();
  const bool last = features.is_contiguous(at::MemoryFormat::ChannelsLast);
  return last && !planar ? ck_channels_last : ck_planar;
}

Grid grid_of(const at::Tensor &features) {
  if (features.dim() != 4)
    throw Failure(ct_bad_shape, "features are N × C × H × W, not " + shape(features));
  const Grid grid{features.size(0), features.size(1), features.size(2), features.size(3),
                  layout_of(features), features.is_cpu()};
  const int64_t longest = int64_t(1) << 24, most = int64_t(1) << 30;
  if (grid.height > longest || grid.width > longest || grid.cells() >= most ||
      grid.channels >= most)
    throw Failure(ct_bad_shape, "features of " + shape(features) + " are too large");
  return grid;
}

at::Tensor dense(const at::Tensor &features) {
  require_cpu(features);
  if (!at::isFloatingType(features.scalar_type()))
    throw Failure(ct_bad_type, "features are floating-point numbers");
  const auto numbers = features.to(at::kFloat);
  return layout_of(numbers) == ck_channels_last ? numbers : numbers.contiguous();
}

at::Tensor motion_values(const at::Tensor &motion, const Grid &grid) {
  if (grid.on_cpu) require_cpu(motion);
  const bool fits = motion.dim() == 4 && (motion.size(0) == grid.count || motion.size(0) == 1) &&
                    motion.size(1) == 2 && motion.size(2) == grid.height &&
                    motion.size(3) == grid.width;
  if (!fits)
    throw Failure(ct_bad_shape, "motion of " + shape(motion) + " is not N × 2 × " +
                                  std::to_string(grid.height) + " × " +
                                  std::to_string(grid.width));
  if (!at::isFloatingType(motion.scalar_type()))
    throw Failure(ct_bad_type, "motion is floating-point numbers");
  return motion.to(at::kFloat).expand({grid.count, 2, grid.height, grid.width});
}

at::Tensor known_marks(ct_tensor_ref known, const Grid &grid) {
  if (!known) return at::empty({0}, at::kByte);
  const auto &marks = known->value;
  if (grid.on_cpu) require_cpu(marks);
  const bool fits = marks.dim() == 3 && (marks.size(0) == grid.count || marks.size(0) == 1) &&
                    marks.size(1) == grid.height && marks.size(2) == grid.width;
  if (!fits)
    throw Failure(ct_bad_shape, "known marks of " + shape(marks) + " are not N × " +
                                  std::to_string(grid.height) + " × " +
                                  std::to_string(grid.width));
  if (marks.scalar_type() != at::kByte) throw Failure(ct_bad_type, "known marks are bytes");
  return marks.expand({grid.count, grid.height, grid.width}).contiguous();
}

ck_motion Motion::of(int64_t image) const {
  const auto strides = values.strides();
  const uint8_t *marks = nullptr;
  if (known.numel() > 0) marks = known.data_ptr<uint8_t>() + image * known.stride(0);
  return {values.data_ptr<float>() + image * strides[0], strides[3], strides[2], strides[1], marks};
}

}  // namespace ct
