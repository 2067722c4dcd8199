// SPDX-License-Identifier: Apache-2.0
// What is beyond LibTorch's own operations: CKernels over its tensors and in its threads, on the CPU.
//
// Motion is N × 2 × H × W, (dx, dy) in cells of that very grid, any strides; known marks (N × H × W,
// uint8, 0: the motion there means nothing) may be null. One motion serves all N if it has N = 1.
// Gradients flow to the features and to the motion.
CT_FUNCTION(ct_warp, (ct_tensor_ref features, ct_tensor_ref motion, ct_tensor_ref known, ct_border_kind border, ct_tensor_ref *out, ct_error *error), (features, motion, known, border, out, error))
// N × C × H × W scores give N × H × W labels; at most 256 channels.
CT_FUNCTION(ct_warp_argmax, (ct_tensor_ref scores, ct_tensor_ref motion, ct_tensor_ref known, ct_border_kind border, ct_tensor_ref *out, ct_error *error), (scores, motion, known, border, out, error))
// The labels of scores interpolated to another height and width, half-pixel centres.
CT_FUNCTION(ct_resized_argmax, (ct_tensor_ref scores, int64_t height, int64_t width, ct_tensor_ref *out, ct_error *error), (scores, height, width, out, error))
// A frame's scores mixed with earlier ones along the motion, the more the less the pictures (N × P × H × W,
// from 0 to 255) differ: own + weight · exp(-change / tolerance) · (carried - own).
CT_FUNCTION(ct_remember, (ct_tensor_ref own, ct_tensor_ref before, ct_tensor_ref here, ct_tensor_ref there, ct_tensor_ref motion, ct_tensor_ref known, double weight, double tolerance, ct_tensor_ref *out, ct_error *error), (own, before, here, there, motion, known, weight, tolerance, out, error))
// The same, and after the labels the highest scores, N × height × width.
CT_FUNCTION(ct_resized_best, (ct_tensor_ref scores, int64_t height, int64_t width, ct_tensor_ref *outs, ct_error *error), (scores, height, width, outs, error))
CT_FUNCTION(ct_argmax_labels, (ct_tensor_ref scores, ct_tensor_ref *out, ct_error *error), (scores, out, error))
// Labels are N × H × W; `outside` is what a place beyond a zero border gives.
CT_FUNCTION(ct_warp_labels, (ct_tensor_ref labels, ct_tensor_ref motion, ct_tensor_ref known, ct_border_kind border, uint8_t outside, ct_tensor_ref *out, ct_error *error), (labels, motion, known, border, outside, out, error))
// Height × width × 3 bytes, `stride` from row to row, give 1 × 3 × height × width.
CT_FUNCTION(ct_pixels, (const uint8_t *pixels, int64_t stride, int64_t height, int64_t width, const ct_pixel_options *options, ct_tensor_ref *out, ct_error *error), (pixels, stride, height, width, options, out, error))
// Sums over the k × k neighbourhood of each position, k odd and at most 25; gradients flow to all. Taps
// are in row-major order. Kernels are N × k² × H × W, or N × k × H × W where there are two, which may
// have N = 1. Queries, keys and values are N × C × H × W; values may have channels of their own number.
CT_FUNCTION(ct_variant_convolution, (ct_tensor_ref features, ct_tensor_ref kernels, ct_tap_border_kind border, ct_tensor_ref *out, ct_error *error), (features, kernels, border, out, error))
CT_FUNCTION(ct_local_attention, (ct_tensor_ref queries, ct_tensor_ref keys, ct_tensor_ref values, int64_t size, ct_tap_border_kind border, ct_tensor_ref *out, ct_error *error), (queries, keys, values, size, border, out, error))
CT_FUNCTION(ct_displaced_convolution, (ct_tensor_ref features, ct_tensor_ref motion, ct_tensor_ref known, ct_tensor_ref vertical, ct_tensor_ref horizontal, ct_border_kind border, ct_tensor_ref *out, ct_error *error), (features, motion, known, vertical, horizontal, border, out, error))
