// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "CTorch.h"
#include "guard.hpp"

#include <memory>
#include <vector>

#include <ATen/ATen.h>

struct ct_tensor {
  at::Tensor value;
};

namespace ct {

/// The functions of the list again, under names that the forwarders in CTorch do not take.
namespace backend {
#define CT_FUNCTION(name, parameters, arguments) CT_HIDDEN ct_code name parameters noexcept;
#define CT_GETTER(result, name, parameters, arguments) CT_HIDDEN result name parameters noexcept;
#include "../CTorch/functions/all.h"
#undef CT_FUNCTION
#undef CT_GETTER
}  // namespace backend

inline at::ScalarType scalar_type(ct_type type) {
  switch (type) {
    case ct_float32: return at::kFloat;
    case ct_float16: return at::kHalf;
    case ct_bfloat16: return at::kBFloat16;
    case ct_uint8: return at::kByte;
    case ct_int64: return at::kLong;
  }
  throw Failure(ct_bad_type, "no such element type");
}

/// The type that a tensor of `type` is handed out as.
inline at::ScalarType nearest_type(at::ScalarType type) {
  switch (type) {
    case at::kFloat: case at::kHalf: case at::kBFloat16: case at::kByte: case at::kLong:
      return type;
    case at::kBool: return at::kByte;
    case at::kChar: case at::kShort: case at::kInt: return at::kLong;
    case at::kDouble: return at::kFloat;
    default: throw Failure(ct_bad_type, std::string("no tensors of ") + at::toString(type));
  }
}

inline ct_tensor_ref handle(at::Tensor value) {
  return new ct_tensor{value.to(nearest_type(value.scalar_type()))};
}

inline std::vector<at::Tensor> values(const ct_tensor_ref *handles, size_t count) {
  std::vector<at::Tensor> values;
  values.reserve(count);
  for (size_t i = 0; i < count; ++i) values.push_back(handles[i]->value);
  return values;
}

/// Hands out all tensors or, where one fails, none.
inline void hand_out(const std::vector<at::Tensor> &values, ct_tensor_ref *outs) {
  std::vector<std::unique_ptr<ct_tensor>> made;
  for (const auto &value : values) made.emplace_back(handle(value));
  for (auto &one : made) *outs++ = one.release();
}

/// Runs an operation that gives one tensor. `operands` are named, with their shapes, where LibTorch
/// refuses.
template <class Body>
ct_code give(ct_tensor_ref *out, ct_error *error, Operands operands, Body &&body) noexcept {
  return guarded(error, operands, [&] { *out = handle(body()); });
}

}  // namespace ct
