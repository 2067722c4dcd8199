// SPDX-License-Identifier: Apache-2.0
#include "backend.hpp"

namespace ct {

std::string text(at::IntArrayRef sizes) {
  std::ostringstream text;
  text << sizes;
  return text.str();
}

std::string shape(const at::Tensor &tensor) { return text(tensor.sizes()); }

void require_rank(const at::Tensor &tensor, int64_t rank) {
  if (tensor.dim() != rank)
    throw Failure(ct_bad_shape, shape(tensor) + " does not have " + std::to_string(rank) + " axes");
}

void require_broadcastable(const at::Tensor &a, const at::Tensor &b) {
  const auto common = std::min(a.dim(), b.dim());
  for (int64_t axis = -common; axis < 0; ++axis)
    if (a.size(axis) != b.size(axis) && a.size(axis) != 1 && b.size(axis) != 1)
      throw Failure(ct_bad_shape, shape(a) + " and " + shape(b) + " do not go together");
}

void require_same_shape(const at::Tensor &a, const at::Tensor &b) {
  if (a.sizes() != b.sizes())
    throw Failure(ct_bad_shape, shape(a) + " and " + shape(b) + " are not the same shape");
}

/// The first line that says something.
static std::string first_line(const std::string &text) {
  const auto begin = text.find_first_not_of(" \n");
  if (begin == std::string::npos) return "no reason is given";
  auto line = text.substr(begin, text.find('\n', begin) - begin);
  line.erase(line.find_last_not_of(" :") + 1);
  return line;
}

/// Where in a program's text the fault is: `File "code/__torch__.py", line 5`, without the rest.
static std::string place(const std::string &text) {
  const auto begin = text.find("File \"");
  if (begin == std::string::npos) return "";
  const auto line = text.substr(begin, text.find('\n', begin) - begin);
  return " (" + line.substr(5, line.find(", in ") - 5) + ")";
}

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

static std::string sentence(const std::exception &other) {
  std::string text = other.what();
  if (text.find("Traceback of TorchScript") == std::string::npos)
    return text.find('\n') == std::string::npos ? text : first_line(text) + place(text);
  text.erase(text.find_last_not_of('\n') + 1);
  return "the network failed: " + text.substr(text.rfind('\n') + 1);
}

ct_code refuse(ct_error *error, const std::exception &other) noexcept {
  return guarded(error, [&] { throw Failure(ct_unknown, sentence(other)); });
}

}  // namespace ct
