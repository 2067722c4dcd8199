// SPDX-License-Identifier: Apache-2.0
// A leaf with the same values, for which `ct_backward` accumulates a gradient.
CT_FUNCTION(ct_require_gradient, (ct_tensor_ref tensor, ct_tensor_ref *out, ct_error *error), (tensor, out, error))
CT_FUNCTION(ct_detach, (ct_tensor_ref tensor, ct_tensor_ref *out, ct_error *error), (tensor, out, error))
CT_FUNCTION(ct_backward, (ct_tensor_ref loss, ct_error *error), (loss, error))
// Leaves `*out` null where no gradient has been accumulated.
CT_FUNCTION(ct_gradient, (ct_tensor_ref tensor, ct_tensor_ref *out, ct_error *error), (tensor, out, error))
CT_FUNCTION(ct_clear_gradient, (ct_tensor_ref tensor, ct_error *error), (tensor, error))
// `outs` receives a gradient for each input, zeros where the loss does not depend on it.
CT_FUNCTION(ct_gradients, (ct_tensor_ref loss, const ct_tensor_ref *inputs, size_t count, ct_tensor_ref *outs, ct_error *error), (loss, inputs, count, outs, error))
// Of the calling thread alone.
CT_FUNCTION(ct_set_gradients_enabled, (int32_t enabled, int32_t *previous, ct_error *error), (enabled, previous, error))
// Writes to `tensor` in place, without gradients.
CT_FUNCTION(ct_assign, (ct_tensor_ref tensor, ct_tensor_ref values, ct_error *error), (tensor, values, error))
CT_FUNCTION(ct_add_in_place, (ct_tensor_ref tensor, ct_tensor_ref values, double scale, ct_error *error), (tensor, values, scale, error))
CT_GETTER(int32_t, ct_requires_gradient, (ct_tensor_ref tensor), (tensor))
// Switches recording on or off for a leaf, in place.
CT_FUNCTION(ct_set_requires_gradient, (ct_tensor_ref tensor, int32_t required, ct_error *error), (tensor, required, error))
