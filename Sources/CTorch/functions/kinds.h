// SPDX-License-Identifier: Apache-2.0
#pragma once

typedef enum ct_distribution { ct_normal, ct_uniform } ct_distribution;

typedef enum ct_unary_kind {
  ct_negate,
  ct_exp,
  ct_log,
  ct_sqrt,
  ct_abs,
  ct_relu,
  ct_sigmoid,
  ct_tanh
} ct_unary_kind;

/// Comparisons give 1 or 0 as ct_uint8.
typedef enum ct_binary_kind {
  ct_add,
  ct_subtract,
  ct_multiply,
  ct_divide,
  ct_power,
  ct_maximum,
  ct_minimum,
  ct_equal,
  ct_not_equal,
  ct_less,
  ct_less_or_equal,
  ct_greater,
  ct_greater_or_equal
} ct_binary_kind;

typedef enum ct_reduction_kind {
  ct_sum,
  ct_mean,
  ct_variance,
  ct_sample_variance,
  ct_largest,
  ct_smallest,
  ct_log_sum_exp,
  ct_euclidean_norm
} ct_reduction_kind;

typedef enum ct_padding_kind { ct_pad_constant, ct_pad_replicate, ct_pad_reflect } ct_padding_kind;

typedef enum ct_pooling_kind { ct_pool_largest, ct_pool_mean, ct_pool_adaptive } ct_pooling_kind;

typedef enum ct_resize_kind {
  ct_bilinear_align_corners,
  ct_bilinear_half_pixel,
  ct_nearest
} ct_resize_kind;

/// A window that moves over the last two axes; height first, then width.
typedef struct ct_window {
  int64_t size[2];
  int64_t stride[2];
  int64_t padding[2];
  int64_t dilation[2];
} ct_window;

/// What happens to an archive when it is loaded, each 0 or 1.
typedef struct ct_module_options {
  int32_t freeze;
  int32_t optimize;
  int32_t channels_last;
} ct_module_options;

/// What a place outside the grid reads: the nearest cell of the edge, or zero.
typedef enum ct_border_kind { ct_border_clamp, ct_border_zero } ct_border_kind;

/// What the taps of a neighbourhood that lie outside are: zero, or left out, the weights of the others
/// then summing to 1.
typedef enum ct_tap_border_kind { ct_tap_border_zero, ct_tap_border_valid } ct_tap_border_kind;

/// How pixels become numbers: (sample - mean) / deviation * scale, by channel of the result.
typedef struct ct_pixel_options {
  float mean[3];
  float deviation[3];
  float scale[3];
  /// Whether the channels of the result are those of the pixels back to front.
  int32_t reversed;
  int32_t channels_last;
} ct_pixel_options;

/// One step of stochastic gradient descent; the decay adds to the gradient.
typedef struct ct_sgd_options {
  double rate, momentum, decay;
  int32_t nesterov;
} ct_sgd_options;

/// One step of Adam; a decoupled decay (AdamW) shrinks the weights and leaves the gradient alone.
typedef struct ct_adam_options {
  double rate, first, second, epsilon, decay;
  /// How many steps have been taken, this one included.
  int64_t step;
  int32_t decoupled;
} ct_adam_options;
