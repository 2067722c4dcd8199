// SPDX-License-Identifier: Apache-2.0
// TorchScript archives: loading, preparing for inference, calling.
#include "backend.hpp"

#include <caffe2/serialize/inline_container.h>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/serialization/import.h>

struct ct_module {
  torch::jit::Module value;
  int64_t parameter_count;
  bool channels_last;
  /// Calls of a program that writes to itself take turns.
  bool takes_turns;
  std::mutex turn;
};

namespace ct::backend {

static const char export_hint[] =
  "; export it in Python with torch.jit.save(torch.jit.script(network), path)";

/// A pipe would be waited for without end, and whatever else is no file cannot be sought in.
static void check_regular(const char *path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    throw Failure(ct_bad_file, std::string(path) + " is not a regular file");
}

/// An archive is a zip file that holds a program; weights alone, which `torch.save` writes, and
/// pickles of Python objects are never run.
static void check_archive(const char *path) {
  check_regular(path);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Failure(ct_bad_file, std::string("there is no readable file at ") + path);
  char magic[4] = {};
  file.read(magic, sizeof magic);
  if (file.gcount() == 4 && magic[0] == '\x80' && magic[1] >= 2 && magic[1] <= 5)
    throw Failure(ct_bad_file, std::string(path) + " is a pickle of Python objects, not a "
                                 "TorchScript archive" + export_hint);
  if (file.gcount() < 4 || std::memcmp(magic, "PK\3\4", 4) != 0)
    throw Failure(ct_bad_file, std::string(path) + " is not a TorchScript archive");
  caffe2::serialize::PyTorchStreamReader archive{std::string(path)};
  if (archive.hasRecord("data.pkl") && !archive.hasRecord("constants.pkl"))
    throw Failure(ct_bad_file, std::string(path) + " holds what torch.save writes, weights without "
                                 "a program, not a TorchScript archive" + export_hint);
}

static int64_t parameter_count(const torch::jit::Module &module) {
  int64_t count = 0;
  for (const auto &parameter : module.parameters()) count += parameter.numel();
  return count;
}

/// Freezing drops what it is not told to keep.
static std::vector<std::string> other_methods(const torch::jit::Module &module) {
  std::vector<std::string> names;
  for (const auto &method : module.get_methods())
    if (method.name() != "forward") names.push_back(method.name());
  return names;
}

/// Whether a block writes to attributes or constants, as far as LibTorch's analysis can rule it out.
static bool writes(const torch::jit::Block *block, const torch::jit::AliasDb &aliases) {
  for (const auto *node : block->nodes()) {
    if (node->kind() == c10::prim::SetAttr) return true;
    const auto is_kept =
      node->kind() == c10::prim::GetAttr || node->kind() == c10::prim::Constant;
    if (is_kept && aliases.hasWriters(node)) return true;
    for (const auto *inner : node->blocks())
      if (writes(inner, aliases)) return true;
  }
  return false;
}

/// Counters, states and batch norm that was traced in training write in evaluation mode, too.
static bool writes_to_itself(const torch::jit::Module &module) {
  for (const auto &method : module.get_methods()) {
    const auto graph = method.graph()->copy();
    torch::jit::Inline(*graph);
    if (writes(graph->block(), torch::jit::AliasDb(graph))) return true;
  }
  return false;
}

static ct_module read_module(const char *path, ct_module_options options) {
  at::NoGradGuard guard;
  auto module = torch::jit::load(path, at::kCPU);
  const auto count = parameter_count(module);
  module.eval();
  const auto others = other_methods(module);
  if (options.freeze || options.optimize) module = torch::jit::freeze(module, others);
  const bool takes_turns = writes_to_itself(module);
  if (options.optimize) module = torch::jit::optimize_for_inference(module, others);
  return {std::move(module), count, options.channels_last != 0, takes_turns, {}};
}

/// Whatever LibTorch does not like about a file, it is the file that is at fault.
static ct_code blame_file(ct_code code, const char *path, ct_error *error) {
  if (code == ct_ok || code == ct_bad_file || code == ct_out_of_memory) return code;
  const std::string why = error->message;
  std::snprintf(error->message, sizeof error->message,
                "%s cannot be read as a TorchScript archive: %s", path, why.c_str());
  return ct_bad_file;
}

ct_code ct_module_load(const char *path, ct_module_options options, ct_module_ref *out,
                       ct_error *error) noexcept {
  const auto code = guarded(error, [&] {
    check_archive(path);
    *out = new ct_module(read_module(path, options));
  });
  return blame_file(code, path, error);
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
    std::unique_lock<std::mutex> turn(module->turn, std::defer_lock);
    if (module->takes_turns) turn.lock();
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
