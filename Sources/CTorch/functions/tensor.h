// SPDX-License-Identifier: Apache-2.0
// Copies `product of sizes` elements.
CT_FUNCTION(ct_copy_in, (const void *elements, ct_type type, const int64_t *sizes, size_t rank, ct_tensor_ref *out, ct_error *error), (elements, type, sizes, rank, out, error))
// Reads foreign memory in place. `release(owner)` is called once, when the last tensor over the
// memory goes, from whatever thread that happens on; on failure it is not called. Strides count
// elements; null means packed.
CT_FUNCTION(ct_view, (void *elements, ct_type type, const int64_t *sizes, const int64_t *strides, size_t rank, void (*release)(void *), void *owner, ct_tensor_ref *out, ct_error *error), (elements, type, sizes, strides, rank, release, owner, out, error))
CT_FUNCTION(ct_full, (double value, ct_type type, const int64_t *sizes, size_t rank, ct_tensor_ref *out, ct_error *error), (value, type, sizes, rank, out, error))
CT_FUNCTION(ct_arange, (double start, double end, double step, ct_type type, ct_tensor_ref *out, ct_error *error), (start, end, step, type, out, error))
// Float32 from a generator of its own, so that the same seed always gives the same values.
// Normal: a mean, b deviation. Uniform: from a up to, not including, b.
CT_FUNCTION(ct_random, (ct_distribution kind, double a, double b, uint64_t seed, const int64_t *sizes, size_t rank, ct_tensor_ref *out, ct_error *error), (kind, a, b, seed, sizes, rank, out, error))
// Writes all elements, converted to `type`, packed, to `elements`.
CT_FUNCTION(ct_copy_out, (ct_tensor_ref tensor, ct_type type, void *elements, ct_error *error), (tensor, type, elements, error))
CT_FUNCTION(ct_cast, (ct_tensor_ref tensor, ct_type type, ct_tensor_ref *out, ct_error *error), (tensor, type, out, error))
// Device -1 is the CPU, 0 and up the CUDA devices.
CT_FUNCTION(ct_move, (ct_tensor_ref tensor, int32_t device, ct_tensor_ref *out, ct_error *error), (tensor, device, out, error))
CT_GETTER(void, ct_release, (ct_tensor_ref tensor), (tensor))
CT_GETTER(size_t, ct_rank, (ct_tensor_ref tensor), (tensor))
CT_GETTER(size_t, ct_count, (ct_tensor_ref tensor), (tensor))
CT_GETTER(void, ct_sizes, (ct_tensor_ref tensor, int64_t *sizes), (tensor, sizes))
CT_GETTER(ct_type, ct_type_of, (ct_tensor_ref tensor), (tensor))
CT_GETTER(int32_t, ct_device_of, (ct_tensor_ref tensor), (tensor))
CT_GETTER(int32_t, ct_is_packed, (ct_tensor_ref tensor), (tensor))
CT_GETTER(int32_t, ct_is_channels_last, (ct_tensor_ref tensor), (tensor))
// The first element; only to be read on the CPU.
CT_GETTER(const void *, ct_elements, (ct_tensor_ref tensor), (tensor))
