// SPDX-License-Identifier: Apache-2.0
// Reads a TorchScript archive to the CPU, in evaluation mode.
CT_FUNCTION(ct_module_load, (const char *path, ct_module_options options, ct_module_ref *out, ct_error *error), (path, options, out, error))
// Calls a method without gradients. Of a dictionary that it gives the value called `key` is taken, the only
// one where that is NULL. `outs` receives the tensors of its result, a tensor or a tuple
// or list of them, in order; `capacity` bounds and `*count` tells how many.
CT_FUNCTION(ct_module_call, (ct_module_ref module, const char *method, const ct_tensor_ref *inputs, size_t input_count, const char *key, ct_tensor_ref *outs, size_t capacity, size_t *count, ct_error *error), (module, method, inputs, input_count, key, outs, capacity, count, error))
// Names, one a line, cut at `capacity`, always with a zero at the end.
CT_FUNCTION(ct_module_methods, (ct_module_ref module, char *text, size_t capacity, ct_error *error), (module, text, capacity, error))
// Calls a method and tells how often it multiplied and added in convolutions and products of matrices.
CT_FUNCTION(ct_module_macs, (ct_module_ref module, const char *method, const ct_tensor_ref *inputs, size_t input_count, int64_t *macs, ct_error *error), (module, method, inputs, input_count, macs, error))
CT_GETTER(int64_t, ct_module_parameter_count, (ct_module_ref module), (module))
CT_GETTER(void, ct_module_release, (ct_module_ref module), (module))
