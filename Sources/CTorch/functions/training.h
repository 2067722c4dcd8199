// SPDX-License-Identifier: Apache-2.0
// In place over lists of tensors of equal length, unrecorded; each list is a step of training.
//
// Gradients are those that `ct_backward` accumulated; a tensor without one is left as it is.
CT_FUNCTION(ct_scale_gradients, (const ct_tensor_ref *tensors, size_t count, double largest_norm, double *norm, ct_error *error), (tensors, count, largest_norm, norm, error))
CT_FUNCTION(ct_sgd_step, (const ct_tensor_ref *tensors, const ct_tensor_ref *velocities, size_t count, const ct_sgd_options *options, ct_error *error), (tensors, velocities, count, options, error))
CT_FUNCTION(ct_adam_step, (const ct_tensor_ref *tensors, const ct_tensor_ref *means, const ct_tensor_ref *squares, size_t count, const ct_adam_options *options, ct_error *error), (tensors, means, squares, count, options, error))
// Moves each tensor by `share` of the way to its target.
CT_FUNCTION(ct_approach, (const ct_tensor_ref *tensors, const ct_tensor_ref *targets, size_t count, double share, ct_error *error), (tensors, targets, count, share, error))
