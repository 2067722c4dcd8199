// SPDX-License-Identifier: Apache-2.0
// Products of matrices, as 1 × 1 convolutions are, in LibTorch's threads.
#pragma once
#include "backend.hpp"

namespace ct::pointwise {

/// Whether `multiply` is faster than LibTorch's own, measured: it is with AVX-512, and is not with
/// AVX2.
CT_HIDDEN bool pays(int64_t rows, int64_t inputs, int64_t outputs);

/// The right side of a product: `values[output * o + input * i]`.
struct Weights {
  const float *values;
  int64_t outputs, output, input;
};

/// `out`, rows × outputs, of `left`, rows × inputs, and `weights`; `bias`, one for each output, may
/// be null. In what order sums are taken depends on sizes only, not on threads.
CT_HIDDEN void multiply(const float *left, int64_t rows, int64_t inputs, const Weights &weights,
                        const float *bias, float *out);

}  // namespace ct::pointwise
