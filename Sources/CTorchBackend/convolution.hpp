// SPDX-License-Identifier: Apache-2.0
// Convolutions: LibTorch's, or our own where Winograd's are faster.
#pragma once
#include "backend.hpp"

namespace ct {

/// How a kernel moves over an image: two numbers each, for height and width.
struct Window {
  at::IntArrayRef stride, padding, dilation;
  int64_t groups;
};

/// The convolution of an N × C × H × W input, in the input's layout; channels have been checked.
CT_HIDDEN at::Tensor convolved(const at::Tensor &input, const at::Tensor &weight,
                               const c10::optional<at::Tensor> &bias, const Window &window);

}  // namespace ct
