// SPDX-License-Identifier: Apache-2.0
// A bias, weight or mean that is called optional may be null. `rectified` sets what is below zero to
// zero, in the memory of the result.
CT_FUNCTION(ct_conv2d, (ct_tensor_ref input, ct_tensor_ref weight, ct_tensor_ref optional_bias, ct_window window, int64_t groups, int32_t rectified, ct_tensor_ref *out, ct_error *error), (input, weight, optional_bias, window, groups, rectified, out, error))
CT_FUNCTION(ct_conv_transpose2d, (ct_tensor_ref input, ct_tensor_ref weight, ct_tensor_ref optional_bias, ct_window window, const int64_t *output_padding, int64_t groups, ct_tensor_ref *out, ct_error *error), (input, weight, optional_bias, window, output_padding, groups, out, error))
// While training, batch statistics are used and the running ones are moved, in place, by `momentum`.
CT_FUNCTION(ct_batch_norm, (ct_tensor_ref input, ct_tensor_ref optional_weight, ct_tensor_ref optional_bias, ct_tensor_ref optional_mean, ct_tensor_ref optional_variance, int32_t training, int32_t rectified, double momentum, double epsilon, ct_tensor_ref *out, ct_error *error), (input, optional_weight, optional_bias, optional_mean, optional_variance, training, rectified, momentum, epsilon, out, error))
CT_FUNCTION(ct_add_rectified, (ct_tensor_ref lhs, ct_tensor_ref rhs, ct_tensor_ref *out, ct_error *error), (lhs, rhs, out, error))
// Adaptive pooling takes the output size from `window.size`.
CT_FUNCTION(ct_pool, (ct_pooling_kind kind, ct_tensor_ref input, ct_window window, int32_t count_padding, ct_tensor_ref *out, ct_error *error), (kind, input, window, count_padding, out, error))
CT_FUNCTION(ct_resize, (ct_resize_kind kind, ct_tensor_ref input, int64_t height, int64_t width, ct_tensor_ref *out, ct_error *error), (kind, input, height, width, out, error))
CT_FUNCTION(ct_grid_sample, (ct_tensor_ref input, ct_tensor_ref grid, int32_t clamp, int32_t align_corners, ct_tensor_ref *out, ct_error *error), (input, grid, clamp, align_corners, out, error))
CT_FUNCTION(ct_unfold, (ct_tensor_ref input, ct_window window, ct_tensor_ref *out, ct_error *error), (input, window, out, error))
CT_FUNCTION(ct_dropout, (ct_tensor_ref input, double probability, uint64_t seed, ct_tensor_ref *out, ct_error *error), (input, probability, seed, out, error))
CT_FUNCTION(ct_cross_entropy, (ct_tensor_ref logits, ct_tensor_ref labels, ct_tensor_ref optional_weights, int64_t ignored, ct_tensor_ref *out, ct_error *error), (logits, labels, optional_weights, ignored, out, error))
