// SPDX-License-Identifier: Apache-2.0
// Losses over the softmax of N × C × H × W logits, and their gradients, without arrays between.
//
// The rules of CKernels.h hold. There are at most 255 channels; a label that is no channel marks void,
// which has loss and gradient 0 whatever the logits are. A logit that is NaN, or the largest at
// infinity, gives NaN, so that a network that has diverged is noticed.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "CKernels.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  /// Most channels of these kernels.
  ck_most_classes = 255,
  /// Most channels where a set of classes stands in for a label.
  ck_most_set_classes = 32,
};

/// The logits of one image and what they should say of each cell.
typedef struct ck_labelled {
  const float *logits;
  ck_shape shape;
  /// Height × width.
  const uint8_t *labels;
  /// Height × width, or null: the classes that are as good as the label, which is one of them; bit c
  /// stands for class c.
  const uint32_t *sets;
} ck_labelled;

/// The classes that occur within `radius` rows and columns of each cell, for the rows given.
void ck_label_sets(const uint8_t *labels, int32_t height, int32_t width, int32_t classes,
                   int32_t radius, uint32_t *sets, int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// `all` = log Σ exp(logit) over the classes, `wanted` the same over those wanted; the cross-entropy
/// is their difference. Both are height × width.
void ck_cross_entropy(const ck_labelled *given, float *all, float *wanted, int32_t row_begin,
                      int32_t row_end) CK_NOEXCEPT;

/// The gradient with respect to the logits, of their layout; `gradient` (height × width) is with
/// respect to the cross-entropy, `all` and `wanted` are what `ck_cross_entropy` gave.
void ck_cross_entropy_gradient(const ck_labelled *given, const float *all, const float *wanted,
                               const float *gradient, float *logits_gradient, int32_t row_begin,
                               int32_t row_end) CK_NOEXCEPT;

/// Of each row: over its labelled cells, the sum of each class's probability, then the sum of it
/// where it is the label. `sums` is height × 2 × channels.
void ck_class_sums(const ck_labelled *given, float *sums, int32_t row_begin,
                   int32_t row_end) CK_NOEXCEPT;

/// The gradient of `ck_class_sums` with respect to the logits; `gradient` (2 × channels) is with
/// respect to the sums, the same for every row.
void ck_class_sums_gradient(const ck_labelled *given, const float *gradient, float *logits_gradient,
                            int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// Two networks' logits of one image and layout; each is divided by a temperature before the softmax.
typedef struct ck_taught {
  const float *student, *teacher;
  ck_shape shape;
  float inverse_temperature;
} ck_taught;

/// The Kullback-Leibler divergence of the student's softmax from the teacher's, Σ q log(q / p), and
/// the log Σ exp of both, for the gradient. All are height × width.
void ck_divergence(const ck_taught *given, float *divergence, float *student_all,
                   float *teacher_all, int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

/// The gradient of `ck_divergence` with respect to the student's logits.
void ck_divergence_gradient(const ck_taught *given, const float *student_all,
                            const float *teacher_all, const float *gradient,
                            float *logits_gradient, int32_t row_begin, int32_t row_end) CK_NOEXCEPT;

#ifdef __cplusplus
}
#endif
