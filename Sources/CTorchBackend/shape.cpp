// SPDX-License-Identifier: Apache-2.0
// Operations that move elements and change no values.
#include "backend.hpp"

namespace ct::backend {

ct_code ct_contiguous(ct_tensor_ref tensor, int32_t channels_last, ct_tensor_ref *out,
                      ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] {
    if (!channels_last) return tensor->value.contiguous();
    require_rank(tensor->value, 4);
    return tensor->value.contiguous(at::MemoryFormat::ChannelsLast);
  });
}

ct_code ct_reshape(ct_tensor_ref tensor, const int64_t *sizes, size_t rank, ct_tensor_ref *out,
                   ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] {
    const at::IntArrayRef wanted(sizes, rank);
    int64_t count = 1;
    for (auto size : wanted) count *= size;
    if (std::find(wanted.begin(), wanted.end(), -1) == wanted.end()
        && count != tensor->value.numel())
      throw Failure(ct_bad_shape, shape(tensor->value) + " cannot be taken for " + text(wanted));
    return tensor->value.reshape(wanted);
  });
}

ct_code ct_expand(ct_tensor_ref tensor, const int64_t *sizes, size_t rank, ct_tensor_ref *out,
                  ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] {
    const at::IntArrayRef wanted(sizes, rank);
    if (!at::is_expandable_to(tensor->value.sizes(), wanted))
      throw Failure(ct_bad_shape, shape(tensor->value) + " does not stretch to " + text(wanted));
    return tensor->value.expand(wanted);
  });
}

ct_code ct_permute(ct_tensor_ref tensor, const int64_t *axes, size_t axis_count,
                   ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] {
    return tensor->value.permute(at::IntArrayRef(axes, axis_count));
  });
}

ct_code ct_transpose(ct_tensor_ref tensor, int64_t first, int64_t second, ct_tensor_ref *out,
                     ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] { return tensor->value.transpose(first, second); });
}

ct_code ct_squeeze(ct_tensor_ref tensor, int64_t axis, ct_tensor_ref *out,
                   ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] {
    if (tensor->value.size(axis) != 1)
      throw Failure(ct_bad_shape, "axis " + std::to_string(axis) + " of " + shape(tensor->value)
                                    + " is not of size one");
    return tensor->value.squeeze(axis);
  });
}

ct_code ct_unsqueeze(ct_tensor_ref tensor, int64_t axis, ct_tensor_ref *out,
                     ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] { return tensor->value.unsqueeze(axis); });
}

ct_code ct_flip(ct_tensor_ref tensor, const int64_t *axes, size_t axis_count, ct_tensor_ref *out,
                ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] {
    return tensor->value.flip(at::IntArrayRef(axes, axis_count));
  });
}

ct_code ct_slice(ct_tensor_ref tensor, int64_t axis, int64_t start, int64_t end, int64_t step,
                 ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] {
    const auto size = tensor->value.size(axis);
    if (start < 0 || end < start || end > size || step < 1)
      throw Failure(ct_bad_argument, std::to_string(start) + " to " + std::to_string(end) + " by "
                                       + std::to_string(step) + " is outside axis "
                                       + std::to_string(axis) + " of " + shape(tensor->value));
    return tensor->value.slice(axis, start, end, step);
  });
}

ct_code ct_select(ct_tensor_ref tensor, int64_t axis, int64_t index, ct_tensor_ref *out,
                  ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] { return tensor->value.select(axis, index); });
}

ct_code ct_index_select(ct_tensor_ref tensor, int64_t axis, ct_tensor_ref indices,
                        ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {tensor, indices}, [&] {
    return tensor->value.index_select(axis, indices->value);
  });
}

ct_code ct_gather(ct_tensor_ref tensor, int64_t axis, ct_tensor_ref indices, ct_tensor_ref *out,
                  ct_error *error) noexcept {
  return give(out, error, {tensor, indices}, [&] {
    return tensor->value.gather(axis, indices->value);
  });
}

ct_code ct_scatter_add(ct_tensor_ref tensor, int64_t axis, ct_tensor_ref indices,
                       ct_tensor_ref source, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {tensor, indices, source}, [&] {
    return tensor->value.scatter_add(axis, indices->value, source->value);
  });
}

ct_code ct_one_hot(ct_tensor_ref tensor, int64_t classes, ct_tensor_ref *out,
                   ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] { return at::one_hot(tensor->value, classes); });
}

/// All sizes but those along `axis` have to be equal; without an axis, all.
static void require_alike(const std::vector<at::Tensor> &tensors, c10::optional<int64_t> axis) {
  if (tensors.empty()) throw Failure(ct_bad_argument, "there are no tensors to join");
  for (const auto &tensor : tensors) {
    bool alike = tensor.dim() == tensors[0].dim();
    for (int64_t i = 0; alike && i < tensor.dim(); ++i) {
      const bool joined = axis && (*axis < 0 ? *axis + tensor.dim() : *axis) == i;
      alike = joined || tensor.size(i) == tensors[0].size(i);
    }
    if (!alike)
      throw Failure(ct_bad_shape, shape(tensors[0]) + " and " + shape(tensor) + " cannot be joined");
  }
}

ct_code ct_concatenate(const ct_tensor_ref *tensors, size_t count, int64_t axis,
                       ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {}, [&] {
    const auto all = values(tensors, count);
    require_alike(all, axis);
    return at::cat(all, axis);
  });
}

ct_code ct_stack(const ct_tensor_ref *tensors, size_t count, int64_t axis, ct_tensor_ref *out,
                 ct_error *error) noexcept {
  return give(out, error, {}, [&] {
    const auto all = values(tensors, count);
    require_alike(all, c10::nullopt);
    return at::stack(all, axis);
  });
}

ct_code ct_split(ct_tensor_ref tensor, const int64_t *sizes, size_t count, int64_t axis,
                 ct_tensor_ref *outs, ct_error *error) noexcept {
  return guarded(error, {tensor}, [&] {
    const at::IntArrayRef parts(sizes, count);
    int64_t sum = 0;
    for (auto part : parts) sum += part;
    if (sum != tensor->value.size(axis))
      throw Failure(ct_bad_shape, "parts of " + text(parts) + " do not make up axis "
                                    + std::to_string(axis) + " of " + shape(tensor->value));
    hand_out(at::split_with_sizes(tensor->value, parts, axis), outs);
  });
}

static at::Tensor pad(ct_padding_kind kind, const at::Tensor &x, at::IntArrayRef amounts,
                      double value) {
  if (kind == ct_pad_constant) return at::constant_pad_nd(x, amounts, value);
  require_rank(x, 4);
  if (amounts.size() != 4) throw Failure(ct_bad_argument, "only height and width can be padded so");
  return kind == ct_pad_replicate ? at::replication_pad2d(x, amounts)
                                  : at::reflection_pad2d(x, amounts);
}

ct_code ct_pad(ct_padding_kind kind, ct_tensor_ref tensor, const int64_t *amounts, size_t count,
               double value, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] {
    return pad(kind, tensor->value, at::IntArrayRef(amounts, count), value);
  });
}

}  // namespace ct::backend
