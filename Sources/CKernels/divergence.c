// SPDX-License-Identifier: Apache-2.0
// One network taught by another: the divergence of their softmaxes.
#include "softmax.h"

/// log Σ exp of the logits, each times `scale`, which is positive.
CK_INLINE void ck_log_sum(ck_run run, float scale, float *all) {
  float tops[ck_chunk], sums[ck_chunk] = {0};
  ck_find_tops(run, tops);
  for (int32_t channel = 0; channel < run.channels; ++channel) {
    const float *x = run.values + channel * run.step;
    for (int32_t i = 0; i < run.count; ++i) sums[i] += ck_exp((x[i] - tops[i]) * scale);
  }
  for (int32_t i = 0; i < run.count; ++i) all[i] = tops[i] * scale + ck_log(sums[i]);
}

CK_INLINE void ck_diverge(ck_run student, ck_run teacher, float scale, const float *student_all,
                          const float *teacher_all, float *divergence) {
  float sums[ck_chunk] = {0};
  for (int32_t channel = 0; channel < student.channels; ++channel) {
    const float *x = student.values + channel * student.step;
    const float *t = teacher.values + channel * teacher.step;
    for (int32_t i = 0; i < student.count; ++i) {
      // Both logarithms apart, so that what is nearly equal cancels before it is added up.
      const float p = x[i] * scale - student_all[i], q = t[i] * scale - teacher_all[i];
      sums[i] += ck_exp(q) * (q - p);
    }
  }
  for (int32_t i = 0; i < student.count; ++i) divergence[i] = sums[i];
}

CK_KERNEL void ck_divergence(const ck_taught *given, float *divergence, float *student_all,
                             float *teacher_all, int32_t row_begin, int32_t row_end) {
  float scratch[2][ck_run_values];
  const ck_shape shape = given->shape;
  const float scale = given->inverse_temperature;
  const ptrdiff_t end = (ptrdiff_t)row_end * shape.width;
  const int32_t step = ck_run_length(shape);
  for (ptrdiff_t at = (ptrdiff_t)row_begin * shape.width; at < end; at += step) {
    const int32_t count = end - at < step ? (int32_t)(end - at) : step;
    const ck_run student = ck_run_at(given->student, shape, at, count, scratch[0]);
    const ck_run teacher = ck_run_at(given->teacher, shape, at, count, scratch[1]);
    ck_log_sum(student, scale, student_all + at);
    ck_log_sum(teacher, scale, teacher_all + at);
    ck_diverge(student, teacher, scale, student_all + at, teacher_all + at, divergence + at);
  }
}

/// gradient · scale · (student's softmax - teacher's).
CK_INLINE void ck_approach(ck_run student, ck_run teacher, float scale, const float *student_all,
                           const float *teacher_all, const float *gradient, ck_target target) {
  for (int32_t channel = 0; channel < student.channels; ++channel) {
    const float *x = student.values + channel * student.step;
    const float *t = teacher.values + channel * teacher.step;
    float *to = target.values + channel * target.step;
    for (int32_t i = 0; i < student.count; ++i) {
      const float p = ck_exp(x[i] * scale - student_all[i]);
      const float q = ck_exp(t[i] * scale - teacher_all[i]);
      to[i] = gradient[i] * scale * (p - q);
    }
  }
}

CK_KERNEL void ck_divergence_gradient(const ck_taught *given, const float *student_all,
                                      const float *teacher_all, const float *gradient,
                                      float *logits_gradient, int32_t row_begin, int32_t row_end) {
  float scratch[2][ck_run_values], results[ck_run_values];
  const ck_shape shape = given->shape;
  const ptrdiff_t end = (ptrdiff_t)row_end * shape.width;
  const int32_t step = ck_run_length(shape);
  for (ptrdiff_t at = (ptrdiff_t)row_begin * shape.width; at < end; at += step) {
    const int32_t count = end - at < step ? (int32_t)(end - at) : step;
    const ck_run student = ck_run_at(given->student, shape, at, count, scratch[0]);
    const ck_run teacher = ck_run_at(given->teacher, shape, at, count, scratch[1]);
    const ck_target target = ck_target_at(logits_gradient, shape, at, count, results);
    ck_approach(student, teacher, given->inverse_temperature, student_all + at, teacher_all + at,
                gradient + at, target);
    ck_put(target, shape, at, count, logits_gradient);
  }
}
