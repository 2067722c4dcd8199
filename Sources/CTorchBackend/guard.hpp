// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "CTorch.h"

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>
#include <cstdio>
#include <exception>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>

struct ct_tensor;

namespace ct {

/// A failure that the shim itself finds, with the code it is to be reported under.
struct Failure : std::runtime_error {
  ct_code code;
  Failure(ct_code code, const std::string &what) : std::runtime_error(what), code(code) {}
};

using Operands = std::initializer_list<ct_tensor_ref>;

inline ct_code fail(ct_error *error, ct_code code, const char *what) noexcept {
  if (error) std::snprintf(error->message, sizeof error->message, "%s", what);
  return code;
}

CT_HIDDEN std::string text(at::IntArrayRef sizes);
CT_HIDDEN std::string shape(const at::Tensor &tensor);

// What LibTorch would say of these names one of the two shapes, or neither.
CT_HIDDEN void require_rank(const at::Tensor &tensor, int64_t rank);
CT_HIDDEN void require_broadcastable(const at::Tensor &a, const at::Tensor &b);
CT_HIDDEN void require_same_shape(const at::Tensor &a, const at::Tensor &b);

/// What LibTorch refused, in its first line, and the shapes it was given.
CT_HIDDEN ct_code refuse(ct_error *error, Operands operands, const c10::Error &refusal) noexcept;

/// What went wrong in a network: of a trace of source lines, the last one.
CT_HIDDEN ct_code refuse(ct_error *error, const std::exception &other) noexcept;

/// The one place where a C++ exception turns into a code: no `catch` anywhere else.
template <class Body>
ct_code guarded(ct_error *error, Operands operands, Body &&body) noexcept {
  try {
    body();
    return ct_ok;
  } catch (const Failure &failure) {
    return fail(error, failure.code, failure.what());
  } catch (const c10::Error &refusal) {
    return refuse(error, operands, refusal);
  } catch (const std::bad_alloc &) {
    return fail(error, ct_out_of_memory, "there is not enough memory");
  } catch (const std::exception &other) {
    return refuse(error, other);
  } catch (...) {
    return fail(error, ct_unknown, "an exception that is no std::exception");
  }
}

template <class Body> ct_code guarded(ct_error *error, Body &&body) noexcept {
  return guarded(error, {}, body);
}

}  // namespace ct
