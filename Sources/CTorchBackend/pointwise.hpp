// SPDX-License-Identifier: Apache-2.0
// 1 × 1 convolutions: a product of matrices, in LibTorch's threads.
#pragma once
#include "backend.hpp"

namespace ct::pointwise {

/// Whether `convolve` is faster than LibTorch's own, measured: by 1.2 to 2 times with AVX-512; with
/// AVX2 it is a little slower.
CT_HIDDEN bool pays(int64_t cells, int64_t inputs, int64_t outputs);

/// `out`, cells × outputs, of `input`, cells × inputs, and `weight`, outputs × inputs; `bias` may be
/// null. In what order sums are taken depends on sizes only, not on threads.
CT_HIDDEN void convolve(const float *input, int64_t cells, int64_t inputs, const float *weight,
                        int64_t outputs, const float *bias, float *out);

}  // namespace ct::pointwise
