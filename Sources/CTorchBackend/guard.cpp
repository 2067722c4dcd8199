// SPDX-License-Identifier: Apache-2.0
#include "backend.hpp"

namespace ct {

std::string shape(const at::Tensor &tensor) {
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

static std::string first_line(const std::string &text) { return text.substr(0, text.find('\n')); }

static std::string sentence(Operands operands, const c10::Error &refusal) {
  std::string text = first_line(refusal.what_without_backtrace());
  const char *separator = " (given ";
  for (auto operand : operands) {
    text += separator + shape(operand->value);
    separator = " and ";
  }
  return operands.size() ? text + ")" : text;
}

static ct_code code_of(const c10::Error &refusal) {
  const std::string text = refusal.what_without_backtrace();
  // LibTorch has a type of its own for exhausted device memory only.
  const bool exhausted = text.find("allocate memory") != std::string::npos;
  if (exhausted || dynamic_cast<const c10::OutOfMemoryError *>(&refusal)) return ct_out_of_memory;
  return dynamic_cast<const c10::TypeError *>(&refusal) ? ct_bad_type : ct_bad_argument;
}

ct_code refuse(ct_error *error, Operands operands, const c10::Error &refusal) noexcept {
  return guarded(error, [&] { throw Failure(code_of(refusal), sentence(operands, refusal)); });
}

}  // namespace ct
