// SPDX-License-Identifier: Apache-2.0
// TorchScript archives: loading, preparing for inference, calling.
#include "backend.hpp"
#include "kernels.hpp"
#include "version.hpp"

#include <ATen/record_function.h>
#include <algorithm>
#include <cstring>
#include <mutex>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>
#include <unordered_set>

struct ct_module {
  torch::jit::Module value;
  int64_t parameter_count;
  bool channels_last;
  /// Calls of a program that writes to itself take turns.
  bool takes_turns;
  std::mutex turn;
};

namespace ct::backend {

static int64_t parameter_count(const torch::jit::Module &module) {
  int64_t count = 0;
  for (const auto &parameter : module.parameters()) count += parameter.numel();
  return count;
}

/// Whether a value is what the program declares: the unpickler does not look, and the interpreter
/// reads objects by position.
static bool is(const c10::IValue &value, const c10::Type &type, int depth = 0);

static bool are(c10::ArrayRef<c10::IValue> values, const c10::Type &type, int depth) {
  return std::all_of(values.begin(), values.end(),
                     [&](const auto &value) { return is(value, type, depth); });
}

static bool is(const c10::IValue &value, const c10::TupleType &type, int depth) {
  if (!value.isTuple()) return false;
  const auto &elements = value.toTupleRef().elements();
  const auto types = type.elements();
  if (elements.size() != types.size()) return false;
  for (size_t i = 0; i < types.size(); ++i)
    if (!is(elements[i], *types[i], depth)) return false;
  return true;
}

static bool is(const c10::IValue &value, const c10::DictType &type, int depth) {
  if (!value.isGenericDict()) return false;
  for (const auto &pair : value.toGenericDict())
    if (!is(pair.key(), *type.getKeyType(), depth) || !is(pair.value(), *type.getValueType(), depth))
      return false;
  return true;
}

static bool is(const c10::IValue &value, const c10::Type &type, int depth) {
  if (++depth > 256) return false;
  switch (type.kind()) {
    case c10::TypeKind::TensorType: return value.isTensor();
    case c10::TypeKind::IntType: return value.isInt();
    case c10::TypeKind::FloatType: return value.isDouble();
    case c10::TypeKind::BoolType: return value.isBool();
    case c10::TypeKind::StringType: return value.isString();
    case c10::TypeKind::NoneType: return value.isNone();
    case c10::TypeKind::DeviceObjType: return value.isDevice();
    case c10::TypeKind::OptionalType:
      return value.isNone() || is(value, *type.expectRef<c10::OptionalType>().getElementType(), depth);
    case c10::TypeKind::ListType:
      return value.isList()
             && are(value.toListRef(), *type.expectRef<c10::ListType>().getElementType(), depth);
    case c10::TypeKind::TupleType: return is(value, type.expectRef<c10::TupleType>(), depth);
    case c10::TypeKind::DictType: return is(value, type.expectRef<c10::DictType>(), depth);
    case c10::TypeKind::ClassType:
      return value.isObject() && value.toObjectRef().type()->isSubtypeOf(type);
    default: return true;
  }
}

static void check_attributes(const torch::jit::Module &module) {
  std::vector<c10::intrusive_ptr<c10::ivalue::Object>> left{module._ivalue()};
  std::unordered_set<const void *> seen;
  while (!left.empty()) {
    const auto object = left.back();
    left.pop_back();
    if (!seen.insert(object.get()).second) continue;
    const auto type = object->type();
    for (size_t i = 0; i < type->numAttributes(); ++i) {
      const auto value = object->getSlot(i);
      if (!is(value, *type->getAttribute(i)))
        throw Failure(ct_bad_file, "attribute " + type->getAttributeName(i) + " is no "
                                     + type->getAttribute(i)->repr_str());
      if (value.isObject()) left.push_back(value.toObject());
    }
  }
}

/// A number that is none would be so in everything that is made of it. Masks may be infinite.
static void check_numbers(const torch::jit::Module &module) {
  const auto refuse = [](const std::string &name, const char *what) {
    throw Failure(ct_bad_file, "its tensor \"" + name + "\" holds numbers that are " + what);
  };
  for (const auto &parameter : module.named_parameters())
    if (at::isFloatingType(parameter.value.scalar_type()) && !all_finite(parameter.value))
      refuse(parameter.name, "NaN or infinite");
  for (const auto &buffer : module.named_buffers())
    if (at::isFloatingType(buffer.value.scalar_type()) && !all_finite(buffer.value)
        && at::isnan(buffer.value).any().item<bool>())
      refuse(buffer.name, "NaN");
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
  check_attributes(module);
  check_numbers(module);
  const auto count = parameter_count(module);
  module.eval();
  const auto others = other_methods(module);
  if (options.freeze || options.optimize) module = torch::jit::freeze(module, others);
  const bool takes_turns = writes_to_itself(module);
  if (options.optimize) module = torch::jit::optimize_for_inference(module, others);
  return {std::move(module), count, options.channels_last != 0, takes_turns, {}};
}

/// What stands between `before` and the first of `ends` after it; empty where `before` is not there.
static std::string between(const std::string &text, const char *before, const char *ends) {
  const auto found = text.find(before);
  if (found == std::string::npos) return "";
  const auto start = found + std::strlen(before);
  return text.substr(start, text.find_first_of(ends, start) - start);
}

/// The way out of a file that a later PyTorch wrote; empty for one that is at fault otherwise.
static std::string too_new(const std::string &why) {
  auto what = between(why, "Unknown builtin op: ", " \n");
  while (!what.empty() && what.back() == '.') what.pop_back();
  const bool is_version = why.find("Attempted to read a PyTorch file with version") != std::string::npos
                          || why.find("_kMaxSupportedFileFormatVersion") != std::string::npos;
  if (what.empty() && !is_version) return "";
  const auto place = between(why, " (\"", ")");
  if (!what.empty())
    what = "it uses the operator " + what + (place.empty() ? "" : " (\"" + place + ")") + ", which ";
  else what = "it is of a version that ";
  return what + "LibTorch " TORCH_VERSION " does not know: 'Scripts/install-engines torch' fetches a later one, "
         "or export the network to ONNX";
}

/// Whatever LibTorch does not like about a file, it is the file that is at fault.
static ct_code blame_file(ct_code code, const char *path, ct_error *error) {
  if (code == ct_ok || code == ct_out_of_memory) return code;
  const std::string why = error->message;
  const std::string way_out = too_new(why);
  std::snprintf(error->message, sizeof error->message,
                way_out.empty() ? "%s cannot be read as a TorchScript archive: %s" : "%s cannot be read: %s",
                path, way_out.empty() ? why.c_str() : way_out.c_str());
  return ct_bad_file;
}

ct_code ct_module_load(const char *path, ct_module_options options, ct_module_ref *out,
                       ct_error *error) noexcept {
  const auto code = guarded(error, [&] {
    *out = new ct_module(read_module(path, options));
  });
  return blame_file(code, path, error);
}

/// The value of a dictionary that is called `key`; without a key there must be one value only.
static c10::IValue value_at(const c10::IValue &dictionary, const std::string &key) {
  const auto values = dictionary.toGenericDict();
  if (key.empty() && values.size() == 1) return values.begin()->value();
  std::string names;
  for (const auto &pair : values) {
    if (!pair.key().isString()) continue;
    if (!key.empty() && pair.key().toStringRef() == key) return pair.value();
    names += (names.empty() ? "" : ", ") + pair.key().toStringRef();
  }
  throw Failure(ct_bad_argument,
                key.empty() ? "the method gave a dictionary with the keys " + names + ": name one of them"
                            : "the method gave a dictionary without the key " + key + "; there are " + names);
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

/// What operations and kernels can read: a program may make tensors that have no memory.
static at::Tensor readable(const at::Tensor &tensor) {
  if (!tensor.defined()) throw Failure(ct_bad_type, "the method gave a tensor that is nothing");
  const bool has_memory = (tensor.is_cpu() || tensor.is_cuda()) && !tensor._is_zerotensor();
  if (tensor.layout() != at::kStrided || tensor.is_quantized() || !has_memory)
    throw Failure(ct_bad_type, "the method gave a tensor that is sparse, quantized or without memory");
  return tensor.resolve_neg();
}

static at::Tensor laid_out(ct_module_ref module, ct_tensor_ref input) {
  const bool image = input->value.dim() == 4;
  return module->channels_last && image ? input->value.contiguous(at::MemoryFormat::ChannelsLast)
                                        : input->value;
}

/// Calls a method without gradients; calls of a program that writes to itself take turns.
static c10::IValue call(ct_module_ref module, const char *method, const ct_tensor_ref *inputs,
                        size_t input_count) {
  auto found = module->value.find_method(method);
  if (!found) throw Failure(ct_bad_argument, std::string("no method is called ") + method);
  at::NoGradGuard guard;
  std::vector<c10::IValue> arguments;
  for (size_t i = 0; i < input_count; ++i) arguments.emplace_back(laid_out(module, inputs[i]));
  std::unique_lock<std::mutex> turn(module->turn, std::defer_lock);
  if (module->takes_turns) turn.lock();
  return (*found)(std::move(arguments));
}

ct_code ct_module_call(ct_module_ref module, const char *method, const ct_tensor_ref *inputs,
                       size_t input_count, const char *key, ct_tensor_ref *outs, size_t capacity,
                       size_t *count, ct_error *error) noexcept {
  return guarded(error, [&] {
    std::vector<at::Tensor> tensors;
    auto result = call(module, method, inputs, input_count);
    if (result.isGenericDict()) result = value_at(result, key ? key : "");
    else if (key) throw Failure(ct_bad_argument, std::string("the method gave no dictionary, of which ") + key
                                                   + " could be a key");
    collect(result, tensors);
    for (auto &tensor : tensors) tensor = readable(tensor);
    if (tensors.size() > capacity)
      throw Failure(ct_bad_argument, "the method gave more tensors than can be taken");
    hand_out(tensors, outs);
    *count = tensors.size();
  });
}

/// What the calling thread has multiplied since counting began.
static thread_local int64_t counted_macs;
static thread_local int convolutions_under_way;

static int64_t product_macs(const at::Tensor &left, const at::Tensor &right) {
  return left.dim() > 1 ? left.numel() * right.size(-1) : left.numel();
}

static int64_t convolution_macs(c10::ArrayRef<const c10::IValue> inputs) {
  const auto &input = inputs[0].toTensor(), &weight = inputs[1].toTensor();
  // Of a transposed one each cell of the input meets all of its channel's weights.
  if (inputs[6].toBool()) return input.numel() * (weight.numel() / weight.size(0));
  const auto stride = inputs[3].toIntVector(), padding = inputs[4].toIntVector();
  const auto dilation = inputs[5].toIntVector();
  int64_t macs = input.size(0) * weight.numel();
  for (int64_t axis = 0; axis < input.dim() - 2; ++axis) {
    // One number may stand for all axes.
    const auto of = [axis](const std::vector<int64_t> &all) { return all.size() > 1 ? all[axis] : all[0]; };
    const int64_t window = of(dilation) * (weight.size(axis + 2) - 1) + 1;
    macs *= (input.size(axis + 2) + 2 * of(padding) - window) / of(stride) + 1;
  }
  return macs;
}

/// What an operation was given: the last of what is told, which may be all of a program's stack.
static c10::ArrayRef<const c10::IValue> arguments_of(const at::RecordFunction &function) {
  const auto told = function.inputs();
  const size_t count = function.num_inputs();
  return count < told.size() ? told.slice(told.size() - count) : told;
}

static bool is_convolution(const at::RecordFunction &function) {
  return !std::strcmp(function.name(), "aten::_convolution");
}

/// Adds up convolutions and products of matrices as the dispatcher hands them out, but for products
/// that a convolution is made of. Inputs are asked for of these alone: of others they may not be kept.
static std::unique_ptr<at::ObserverContext> begin_macs(const at::RecordFunction &function) {
  const auto is = [&](const char *name) { return !std::strcmp(function.name(), name); };
  if (is_convolution(function)) {
    if (convolutions_under_way++ == 0) counted_macs += convolution_macs(arguments_of(function));
  } else if (convolutions_under_way == 0 && (is("aten::mm") || is("aten::bmm") || is("aten::mv"))) {
    const auto given = arguments_of(function);
    counted_macs += product_macs(given[0].toTensor(), given[1].toTensor());
  } else if (convolutions_under_way == 0 && (is("aten::addmm") || is("aten::baddbmm"))) {
    const auto given = arguments_of(function);
    counted_macs += product_macs(given[1].toTensor(), given[2].toTensor());
  }
  return nullptr;
}

static void end_macs(const at::RecordFunction &function, at::ObserverContext *) {
  if (is_convolution(function)) convolutions_under_way--;
}

ct_code ct_module_macs(ct_module_ref module, const char *method, const ct_tensor_ref *inputs,
                       size_t input_count, int64_t *macs, ct_error *error) noexcept {
  return guarded(error, [&] {
    struct Counting {
      at::CallbackHandle handle = at::addThreadLocalCallback(
        at::RecordFunctionCallback(begin_macs, end_macs)
          .needsInputs(true).scopes({at::RecordScope::FUNCTION}));
      ~Counting() { at::removeCallback(handle); }
    };
    // What is fused into one operation, as with one thread, would not be seen.
    const torch::jit::GraphOptimizerEnabledGuard as_written(false);
    counted_macs = convolutions_under_way = 0;
    const Counting counting;
    call(module, method, inputs, input_count);
    *macs = counted_macs;
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
