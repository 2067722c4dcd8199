// SPDX-License-Identifier: Apache-2.0
#include "softmax.h"

CK_INLINE uint32_t ck_bit(uint8_t label, int32_t classes) {
  return label < classes ? (uint32_t)1 << (label & 31) : 0;
}

/// Adds what one row of labels has, `shift` columns to the right, to the sets of another.
CK_INLINE void ck_add_labels(const uint8_t *labels, int32_t width, int32_t classes, int32_t shift,
                             uint32_t *sets) {
  const int32_t begin = shift < 0 ? -shift : 0, end = shift > 0 ? width - shift : width;
  for (int32_t x = begin; x < end; ++x) sets[x] |= ck_bit(labels[x + shift], classes);
}

CK_KERNEL void ck_label_sets(const uint8_t *labels, int32_t height, int32_t width, int32_t classes,
                             int32_t radius, uint32_t *sets, int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    uint32_t *to = sets + (ptrdiff_t)y * width;
    const int32_t first = y > radius ? y - radius : 0;
    const int32_t last = y < height - radius ? y + radius : height - 1;
    memset(to, 0, (size_t)width * sizeof *to);
    for (int32_t row = first; row <= last; ++row) {
      for (int32_t shift = -radius; shift <= radius; ++shift) {
        ck_add_labels(labels + (ptrdiff_t)row * width, width, classes, shift, to);
      }
    }
  }
}

/// log Σ exp of all logits, and the one of the label.
CK_INLINE void ck_single(ck_run run, const uint8_t *labels, float *all, float *wanted) {
  float tops[ck_chunk], sums[ck_chunk] = {0}, own[ck_chunk] = {0};
  ck_find_tops(run, tops);
  for (int32_t channel = 0; channel < run.channels; ++channel) {
    const float *x = run.values + channel * run.step;
    for (int32_t i = 0; i < run.count; ++i) {
      sums[i] += ck_exp(x[i] - tops[i]);
      own[i] += labels[i] == channel ? x[i] : 0;
    }
  }
  for (int32_t i = 0; i < run.count; ++i) {
    const int counts = labels[i] < run.channels;
    const float sum = tops[i] + ck_log(sums[i]);
    all[i] = counts ? sum : 0;
    wanted[i] = counts ? own[i] : 0;
  }
}

/// log Σ exp of all logits, and of those of the set.
CK_INLINE void ck_several(ck_run run, const uint8_t *labels, const uint32_t *sets, float *all,
                          float *wanted) {
  float tops[ck_chunk], sums[ck_chunk] = {0}, set_tops[ck_chunk], set_sums[ck_chunk] = {0};
  ck_find_tops(run, tops);
  ck_set(set_tops, -__builtin_inff(), run.count);
  for (int32_t channel = 0; channel < run.channels; ++channel) {
    const float *x = run.values + channel * run.step;
    for (int32_t i = 0; i < run.count; ++i) {
      const int higher = ((sets[i] >> channel) & 1) & (x[i] > set_tops[i]);
      set_tops[i] = higher ? x[i] : set_tops[i];
    }
  }
  for (int32_t channel = 0; channel < run.channels; ++channel) {
    const float *x = run.values + channel * run.step;
    for (int32_t i = 0; i < run.count; ++i) {
      const float part = ck_exp(x[i] - set_tops[i]);
      sums[i] += ck_exp(x[i] - tops[i]);
      set_sums[i] += (sets[i] >> channel) & 1 ? part : 0;
    }
  }
  for (int32_t i = 0; i < run.count; ++i) {
    const int counts = labels[i] < run.channels;
    const float sum = tops[i] + ck_log(sums[i]), set_sum = set_tops[i] + ck_log(set_sums[i]);
    all[i] = counts ? sum : 0;
    wanted[i] = counts ? set_sum : 0;
  }
}

CK_KERNEL void ck_cross_entropy(const ck_labelled *given, float *all, float *wanted,
                                int32_t row_begin, int32_t row_end) {
  float scratch[ck_run_values];
  const ck_shape shape = given->shape;
  const ptrdiff_t end = (ptrdiff_t)row_end * shape.width;
  const int32_t step = ck_run_length(shape);
  for (ptrdiff_t at = (ptrdiff_t)row_begin * shape.width; at < end; at += step) {
    const int32_t count = end - at < step ? (int32_t)(end - at) : step;
    const ck_run run = ck_run_at(given->logits, shape, at, count, scratch);
    if (given->sets) {
      ck_several(run, given->labels + at, given->sets + at, all + at, wanted + at);
    } else {
      ck_single(run, given->labels + at, all + at, wanted + at);
    }
  }
}

/// gradient · (softmax - [class is the label]), one plane after the other.
CK_INLINE void ck_single_gradient(ck_run run, const uint8_t *labels, const float *all,
                                  const float *gradient, ck_target target) {
  for (int32_t channel = 0; channel < run.channels; ++channel) {
    const float *x = run.values + channel * run.step;
    float *to = target.values + channel * target.step;
    for (int32_t i = 0; i < run.count; ++i) {
      const float p = ck_exp(x[i] - all[i]) - (labels[i] == channel ? 1 : 0);
      to[i] = labels[i] < run.channels ? gradient[i] * p : 0;
    }
  }
}

/// gradient · (softmax - softmax within the set).
CK_INLINE void ck_several_gradient(ck_run run, const uint8_t *labels, const uint32_t *sets,
                                   const float *all, const float *wanted, const float *gradient,
                                   ck_target target) {
  for (int32_t channel = 0; channel < run.channels; ++channel) {
    const float *x = run.values + channel * run.step;
    float *to = target.values + channel * target.step;
    for (int32_t i = 0; i < run.count; ++i) {
      const int within = (sets[i] >> channel) & 1;
      const float share = ck_exp(within ? x[i] - wanted[i] : 0);
      const float p = ck_exp(x[i] - all[i]) - (within ? share : 0);
      to[i] = labels[i] < run.channels ? gradient[i] * p : 0;
    }
  }
}

CK_KERNEL void ck_cross_entropy_gradient(const ck_labelled *given, const float *all,
                                         const float *wanted, const float *gradient,
                                         float *logits_gradient, int32_t row_begin,
                                         int32_t row_end) {
  float scratch[ck_run_values], results[ck_run_values];
  const ck_shape shape = given->shape;
  const ptrdiff_t end = (ptrdiff_t)row_end * shape.width;
  const int32_t step = ck_run_length(shape);
  for (ptrdiff_t at = (ptrdiff_t)row_begin * shape.width; at < end; at += step) {
    const int32_t count = end - at < step ? (int32_t)(end - at) : step;
    const ck_run run = ck_run_at(given->logits, shape, at, count, scratch);
    const ck_target target = ck_target_at(logits_gradient, shape, at, count, results);
    const uint8_t *labels = given->labels + at;
    if (given->sets) {
      ck_several_gradient(run, labels, given->sets + at, all + at, wanted + at, gradient + at,
                          target);
    } else {
      ck_single_gradient(run, labels, all + at, gradient + at, target);
    }
    ck_put(target, shape, at, count, logits_gradient);
  }
}
