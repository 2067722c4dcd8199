// SPDX-License-Identifier: Apache-2.0
// TorchScript archives: loading, preparing for inference, calling.
#include "backend.hpp"

#include <fstream>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

struct ct_module {
  torch::jit::Module value;
  int64_t parameter_count;
  bool channels_last;
};

namespace ct::backend {

/// An archive is a zip file; the first bytes tell text, pickles and empty files apart from it.
static void check_archive(const char *path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Failure(ct_bad_file, std::string("there is no readable file at ") + path);
  char magic[4] = {};
  file.read(magic, sizeof magic);
  if (file.gcount() < 4 || std::memcmp(magic, "PK\3\4", 4) != 0)
    throw Failure(ct_bad_file, std::string(path) + " is not a TorchScript archive");
}

static int64_t parameter_count(const torch::jit::Module &module) {
  int64_t count = 0;
  for (const auto &parameter : module.parameters()) count += parameter.numel();
  return count;
}

static torch::jit::Module prepared(torch::jit::Module module, ct_module_options options) {
  module.eval();
  if (options.freeze) module = torch::jit::freeze(module);
  if (options.optimize) module = torch::jit::optimize_for_inference(module);
  return module;
}

ct_code ct_module_load(const char *path, ct_module_options options, ct_module_ref *out,
                       ct_error *error) noexcept {
  return guarded(error, [&] {
    check_archive(path);
    at::NoGradGuard guard;
    auto module = torch::jit::load(path, at::kCPU);
    const auto count = parameter_count(module);
    *out = new ct_module{prepared(std::move(module), options), count, options.channels_last != 0};
  });
}

static void collect(const c10::IValue &value, std::vector<at::Tensor> &tensors) {
  if (value.isTensor()) {
    tensors.push_back(value.toTensor());
  } else if (value.isTensorList()) {
    for (const at::Tensor &tensor : value.toTensorVector()) tensors.push_back(tensor);
  } else if (value.isTuple()) {
    for (const auto &element : value.toTupleRef().elements()) collect(element, tensors);
  } else if (value.isList()) {
    for (const auto &element : value.toListRef()) collect(element, tensors);
  } else {
    throw Failure(ct_bad_type, "the method gave " + value.tagKind()
                                 + " where a tensor or a tuple or list of tensors was expected");
  }
}

static at::Tensor laid_out(ct_module_ref module, ct_tensor_ref input) {
  const bool image = input->value.dim() == 4;
  return module->channels_last && image ? input->value.contiguous(at::MemoryFormat::ChannelsLast)
                                        : input->value;
}

ct_code ct_module_call(ct_module_ref module, const char *method, const ct_tensor_ref *inputs,
                       size_t input_count, ct_tensor_ref *outs, size_t capacity, size_t *count,
                       ct_error *error) noexcept {
  return guarded(error, [&] {
    auto found = module->value.find_method(method);
    if (!found) throw Failure(ct_bad_argument, std::string("no method is called ") + method);
    at::NoGradGuard guard;
    std::vector<c10::IValue> arguments;
    for (size_t i = 0; i < input_count; ++i) arguments.emplace_back(laid_out(module, inputs[i]));
    std::vector<at::Tensor> tensors;
    collect((*found)(std::move(arguments)), tensors);
    if (tensors.size() > capacity)
      throw Failure(ct_bad_argument, "the method gave more tensors than can be taken");
    hand_out(tensors, outs);
    *count = tensors.size();
  });
}

static std::string method_names(const torch::jit::Module &module) {
  std::string names;
  for (const auto &method : module.get_methods()) names += method.name() + "\n";
  return names;
}

ct_code ct_module_methods(ct_module_ref module, char *text, size_t capacity,
                          ct_error *error) noexcept {
  return guarded(error, [&] {
    std::snprintf(text, capacity, "%s", method_names(module->value).c_str());
  });
}

int64_t ct_module_parameter_count(ct_module_ref module) noexcept {
  return module->parameter_count;
}

void ct_module_release(ct_module_ref module) noexcept { delete module; }

}  // namespace ct::backend
