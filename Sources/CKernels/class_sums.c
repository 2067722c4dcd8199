// SPDX-License-Identifier: Apache-2.0
// Sums of probabilities class by class, of which soft overlaps are made.
#include "softmax.h"

/// exp(logit - the cell's largest), plane by plane, and one over their sum; 0 where void.
CK_INLINE void ck_exponentials(ck_run run, const uint8_t *labels, float *powers, float *shares) {
  float tops[ck_chunk], sums[ck_chunk] = {0};
  ck_find_tops(run, tops);
  for (int32_t channel = 0; channel < run.channels; ++channel) {
    const float *x = run.values + channel * run.step;
    float *to = powers + channel * run.count;
    for (int32_t i = 0; i < run.count; ++i) {
      const float power = ck_exp(x[i] - tops[i]);
      to[i] = labels[i] < run.channels ? power : 0;
      sums[i] += to[i];
    }
  }
  for (int32_t i = 0; i < run.count; ++i) shares[i] = labels[i] < run.channels ? 1 / sums[i] : 0;
}

/// The sum of some numbers, in an order that no processor changes.
CK_INLINE float ck_total(const float *values, int32_t count) {
  float lanes[ck_lanes] = {0}, total = 0;
  for (int32_t first = 0; first < count; first += ck_lanes) {
    for (int32_t lane = 0; lane < ck_lanes; ++lane) lanes[lane] += values[first + lane];
  }
  for (int32_t lane = 0; lane < ck_lanes; ++lane) total += lanes[lane];
  return total;
}

CK_INLINE void ck_add_run(ck_run run, const uint8_t *labels, float *sums) {
  // Zero beyond the run, up to a multiple of sixteen.
  float powers[ck_run_values], shares[ck_chunk], masses[ck_chunk] = {0}, hits[ck_chunk] = {0};
  ck_exponentials(run, labels, powers, shares);
  for (int32_t channel = 0; channel < run.channels; ++channel) {
    const float *power = powers + channel * run.count;
    for (int32_t i = 0; i < run.count; ++i) {
      masses[i] = power[i] * shares[i];
      hits[i] = labels[i] == channel ? masses[i] : 0;
    }
    sums[channel] += ck_total(masses, run.count);
    sums[run.channels + channel] += ck_total(hits, run.count);
  }
}

CK_KERNEL void ck_class_sums(const ck_labelled *given, float *sums, int32_t row_begin,
                             int32_t row_end) {
  float scratch[ck_run_values];
  const ck_shape shape = given->shape;
  const int32_t step = ck_run_length(shape);
  for (int32_t y = row_begin; y < row_end; ++y) {
    float *row = sums + (ptrdiff_t)y * 2 * shape.channels;
    ck_set(row, 0, 2 * shape.channels);
    const ptrdiff_t start = (ptrdiff_t)y * shape.width;
    for (int32_t x = 0; x < shape.width; x += step) {
      const int32_t count = ck_smaller(step, shape.width - x);
      ck_add_run(ck_run_at(given->logits, shape, start + x, count, scratch),
                 given->labels + start + x, row);
    }
  }
}

/// probability · (own - Σ probability · own), where own is what a class's sums weigh in this cell.
CK_INLINE void ck_spread(ck_run run, const uint8_t *labels, const float *gradient,
                         ck_target target) {
  float powers[ck_run_values], shares[ck_chunk], means[ck_chunk] = {0};
  const float *hits = gradient + run.channels;
  ck_exponentials(run, labels, powers, shares);
  for (int32_t channel = 0; channel < run.channels; ++channel) {
    const float *power = powers + channel * run.count;
    for (int32_t i = 0; i < run.count; ++i) {
      const float own = gradient[channel] + (labels[i] == channel ? hits[channel] : 0);
      means[i] += power[i] * shares[i] * own;
    }
  }
  for (int32_t channel = 0; channel < run.channels; ++channel) {
    const float *power = powers + channel * run.count;
    float *to = target.values + channel * target.step;
    for (int32_t i = 0; i < run.count; ++i) {
      const float own = gradient[channel] + (labels[i] == channel ? hits[channel] : 0);
      to[i] = power[i] * shares[i] * (own - means[i]);
    }
  }
}

CK_KERNEL void ck_class_sums_gradient(const ck_labelled *given, const float *gradient,
                                      float *logits_gradient, int32_t row_begin, int32_t row_end) {
  float scratch[ck_run_values], results[ck_run_values];
  const ck_shape shape = given->shape;
  const ptrdiff_t end = (ptrdiff_t)row_end * shape.width;
  const int32_t step = ck_run_length(shape);
  for (ptrdiff_t at = (ptrdiff_t)row_begin * shape.width; at < end; at += step) {
    const int32_t count = end - at < step ? (int32_t)(end - at) : step;
    const ck_run run = ck_run_at(given->logits, shape, at, count, scratch);
    const ck_target target = ck_target_at(logits_gradient, shape, at, count, results);
    ck_spread(run, given->labels + at, gradient, target);
    ck_put(target, shape, at, count, logits_gradient);
  }
}
