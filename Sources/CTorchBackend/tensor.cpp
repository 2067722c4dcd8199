// SPDX-License-Identifier: Apache-2.0
// Making, reading, converting and releasing tensors.
#include "backend.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

namespace ct::backend {

static at::IntArrayRef sizes_of(const int64_t *sizes, size_t rank) { return {sizes, rank}; }

static at::TensorOptions stored_as(ct_type type) { return at::dtype(scalar_type(type)); }

ct_code ct_copy_in(const void *elements, ct_type type, const int64_t *sizes, size_t rank,
                   ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {}, [&] {
    auto foreign = const_cast<void *>(elements);
    return at::from_blob(foreign, sizes_of(sizes, rank), stored_as(type)).clone();
  });
}

ct_code ct_view(void *elements, ct_type type, const int64_t *sizes, const int64_t *strides,
                size_t rank, void (*release)(void *), void *owner, ct_tensor_ref *out,
                ct_error *error) noexcept {
  return guarded(error, [&] {
    // Whatever fails from here on, the owner is not yet released: the deleter is armed at the end.
    auto armed = std::make_shared<bool>(false);
    auto deleter = [=](void *) { if (*armed) release(owner); };
    auto shape = sizes_of(sizes, rank);
    auto view = strides
                  ? at::from_blob(elements, shape, sizes_of(strides, rank), deleter, stored_as(type))
                  : at::from_blob(elements, shape, deleter, stored_as(type));
    auto made = handle(std::move(view));
    *armed = true;
    *out = made;
  });
}

ct_code ct_full(double value, ct_type type, const int64_t *sizes, size_t rank, ct_tensor_ref *out,
                ct_error *error) noexcept {
  return give(out, error, {}, [&] {
    return at::full(sizes_of(sizes, rank), value, stored_as(type));
  });
}

ct_code ct_arange(double start, double end, double step, ct_type type, ct_tensor_ref *out,
                  ct_error *error) noexcept {
  return give(out, error, {}, [&] { return at::arange(start, end, step, stored_as(type)); });
}

ct_code ct_random(ct_distribution kind, double a, double b, uint64_t seed, const int64_t *sizes,
                  size_t rank, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {}, [&] {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    auto values = at::empty(sizes_of(sizes, rank), stored_as(ct_float32));
    return kind == ct_normal ? values.normal_(a, b, generator) : values.uniform_(a, b, generator);
  });
}

ct_code ct_copy_out(ct_tensor_ref tensor, ct_type type, void *elements, ct_error *error) noexcept {
  return guarded(error, {tensor}, [&] {
    const auto value = tensor->value.detach();
    at::from_blob(elements, value.sizes(), stored_as(type)).copy_(value);
  });
}

ct_code ct_cast(ct_tensor_ref tensor, ct_type type, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] { return tensor->value.to(scalar_type(type)); });
}

static at::Device device(int32_t index) {
  if (index < 0) return at::kCPU;
  if (!at::globalContext().hasCUDA())
    throw Failure(ct_no_device, "this LibTorch has no CUDA device");
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

ct_code ct_move(ct_tensor_ref tensor, int32_t index, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] {
    const auto wanted = device(index);
    // What is there already takes no way through the dispatcher.
    return tensor->value.device() == wanted ? tensor->value : tensor->value.to(wanted);
  });
}

void ct_release(ct_tensor_ref tensor) noexcept { delete tensor; }

size_t ct_rank(ct_tensor_ref tensor) noexcept { return tensor->value.dim(); }

size_t ct_count(ct_tensor_ref tensor) noexcept { return tensor->value.numel(); }

void ct_sizes(ct_tensor_ref tensor, int64_t *sizes) noexcept {
  for (auto size : tensor->value.sizes()) *sizes++ = size;
}

ct_type ct_type_of(ct_tensor_ref tensor) noexcept {
  switch (tensor->value.scalar_type()) {
    case at::kHalf: return ct_float16;
    case at::kBFloat16: return ct_bfloat16;
    case at::kByte: return ct_uint8;
    case at::kLong: return ct_int64;
    default: return ct_float32;
  }
}

int32_t ct_device_of(ct_tensor_ref tensor) noexcept {
  return tensor->value.is_cpu() ? -1 : tensor->value.get_device();
}

int32_t ct_is_packed(ct_tensor_ref tensor) noexcept { return tensor->value.is_contiguous(); }

int32_t ct_is_channels_last(ct_tensor_ref tensor) noexcept {
  return tensor->value.is_contiguous(at::MemoryFormat::ChannelsLast);
}

const void *ct_elements(ct_tensor_ref tensor) noexcept { return tensor->value.data_ptr(); }

}  // namespace ct::backend
