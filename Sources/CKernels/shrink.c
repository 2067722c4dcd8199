// SPDX-License-Identifier: Apache-2.0
#include "CPictures.h"

#include "kernel.h"

typedef uint8_t ck_samples __attribute__((ext_vector_type(16), aligned(1), may_alias));
/// The channels of one pixel, and the first of the next.
typedef float ck_pixel __attribute__((ext_vector_type(4), aligned(4), may_alias));

void ck_find_coverage(int32_t from, int32_t to, ck_coverage *spans) {
  for (int64_t i = 0; i < to; ++i) {
    // In parts of a cell, `to` of which are one.
    const int64_t begin = i * from, end = begin + from;
    const int64_t first = begin / to, last = (end - 1) / to;
    ck_coverage *span = &spans[i];
    span->first = (int32_t)first;
    span->last = (int32_t)last;
    span->head = first == last ? 1 : (float)((first + 1) * to - begin) / (float)from;
    span->body = (float)to / (float)from;
    span->tail = (float)(end - last * to) / (float)from;
  }
}

/// The share of a cell of a span.
CK_INLINE float ck_share(const ck_coverage *span, int32_t cell) {
  return cell == span->first ? span->head : cell == span->last ? span->tail : span->body;
}

/// Adds a share of a row, or begins with it; asks for what is read next, which is seldom in cache.
CK_INLINE void ck_add_row(const uint8_t *samples, ptrdiff_t count, float share, int begins,
                          float *restrict out) {
  ptrdiff_t at = 0;
  for (; at + ck_lanes <= count; at += ck_lanes) {
    const ck_floats row =
        share * __builtin_convertvector(*(const ck_samples *)(samples + at), ck_floats);
    *(ck_floats *)(out + at) = begins ? row : *(ck_floats *)(out + at) + row;
    __builtin_prefetch(samples + at + 4096);
  }
  for (; at < count; ++at) {
    const float row = share * (float)samples[at];
    out[at] = begins ? row : out[at] + row;
  }
}

/// Up to three rows at once, so that sums stay in registers; gives how many samples are made.
CK_INLINE ptrdiff_t ck_mean_few_rows(const uint8_t *samples, ptrdiff_t count, int32_t rows,
                                     const float share[3], float *restrict out) {
  ptrdiff_t at = 0;
  for (; at + ck_lanes <= count; at += ck_lanes) {
    const uint8_t *from = samples + at;
    ck_floats sum = share[0] * __builtin_convertvector(*(const ck_samples *)from, ck_floats);
    for (int32_t row = 1; row < rows; ++row) {
      from += count;
      sum += share[row] * __builtin_convertvector(*(const ck_samples *)from, ck_floats);
    }
    *(ck_floats *)(out + at) = sum;
    __builtin_prefetch(from + 8192);
  }
  return at;
}

/// The mean of some rows of `count` samples each.
CK_INLINE void ck_mean_row(const uint8_t *samples, ptrdiff_t count, const ck_coverage *rows,
                           float *restrict out) {
  const uint8_t *first = samples + rows->first * count;
  const int32_t few = rows->last - rows->first + 1;
  const float two[3] = {rows->head, rows->tail, 0}, three[3] = {rows->head, rows->body, rows->tail};
  ptrdiff_t done = 0;
  if (few == 2) done = ck_mean_few_rows(first, count, 2, two, out);
  if (few == 3) done = ck_mean_few_rows(first, count, 3, three, out);
  const ptrdiff_t rest = count - done;
  ck_add_row(first + done, rest, rows->head, 1, out + done);
  for (int32_t row = rows->first + 1; row <= rows->last; ++row) {
    ck_add_row(samples + row * count + done, rest, ck_share(rows, row), 0, out + done);
  }
}

/// What sixteen of the numbers from `from` on, chosen by their places, and those a pixel on are
/// together, half of each.
#define ck_mean_of_pairs(from, out, ...)                                                           \
  do {                                                                                             \
    const float *near = (from), *next = near + 3;                                                  \
    const ck_floats a = __builtin_shufflevector(*(const ck_floats *)near,                          \
                                                *(const ck_floats *)(near + ck_lanes),             \
                                                __VA_ARGS__);                                      \
    const ck_floats b = __builtin_shufflevector(*(const ck_floats *)next,                          \
                                                *(const ck_floats *)(next + ck_lanes),             \
                                                __VA_ARGS__);                                      \
    *(ck_floats *)(out) = 0.5f * a + 0.5f * b;                                                     \
  } while (0)

/// The means of pairs of pixels of three channels, sixteen pixels at a time; gives how many are
/// made. One value past the last pair is read.
CK_INLINE int32_t ck_mean_colour_pairs(const float *row, int32_t width, float *restrict out) {
  int32_t x = 0;
  for (; x + ck_lanes <= width; x += ck_lanes) {
    const float *from = row + 6 * x;
    float *to = out + 3 * x;
    ck_mean_of_pairs(from, to, 0, 1, 2, 6, 7, 8, 12, 13, 14, 18, 19, 20, 24, 25, 26, 30);
    ck_mean_of_pairs(from + 31, to + 16, 0, 1, 5, 6, 7, 11, 12, 13, 17, 18, 19, 23, 24, 25, 29, 30);
    ck_mean_of_pairs(from + 62, to + 32, 0, 4, 5, 6, 10, 11, 12, 16, 17, 18, 22, 23, 24, 28, 29, 30);
  }
  return x;
}

/// The means of some columns each of a row of pixels of three channels; past the end of `row` there
/// is one value that can be read, and past that of `out` one that can be written.
CK_INLINE void ck_mean_colours(const float *row, const ck_coverage *columns, int32_t width,
                               float *restrict out) {
  for (int32_t x = 0; x < width; ++x) {
    const ck_coverage span = columns[x];
    const float *from = row + 3 * span.first;
    ck_pixel sum = span.head * *(const ck_pixel *)from;
    for (int32_t column = span.first + 1; column < span.last; ++column) {
      sum += span.body * *(const ck_pixel *)(from += 3);
    }
    if (span.last > span.first) sum += span.tail * *(const ck_pixel *)(from + 3);
    *(ck_pixel *)(out + 3 * x) = sum;
  }
}

/// The same of any number of channels.
CK_INLINE void ck_mean_pixels(const float *row, const ck_coverage *columns, int32_t width,
                              int32_t channels, float *restrict out) {
  for (int32_t x = 0; x < width; ++x) {
    const ck_coverage span = columns[x];
    for (int32_t channel = 0; channel < channels; ++channel) {
      const float *from = row + (ptrdiff_t)span.first * channels + channel;
      float sum = span.head * *from;
      for (int32_t column = span.first + 1; column <= span.last; ++column) {
        sum += ck_share(&span, column) * *(from += channels);
      }
      out[(ptrdiff_t)x * channels + channel] = sum;
    }
  }
}

/// Rounded to nearest, halves up: what rounding has taken off a half is less than 1/4096.
CK_INLINE void ck_round_row(const float *means, ptrdiff_t count, uint8_t *restrict out) {
  for (ptrdiff_t i = 0; i < count; ++i) out[i] = (uint8_t)(int32_t)(means[i] + 0.500244140625f);
}

CK_KERNEL void ck_shrink(const uint8_t *samples, int32_t from_width, int32_t channels,
                         const ck_coverage *rows, const ck_coverage *columns, int32_t width, float *memory,
                         uint8_t *out, int32_t row_begin, int32_t row_end) {
  const ptrdiff_t from_count = (ptrdiff_t)from_width * channels;
  const ptrdiff_t count = (ptrdiff_t)width * channels;
  float *row = memory, *means = memory + from_count + 1;
  row[from_count] = 0;
  for (int32_t y = row_begin; y < row_end; ++y) {
    ck_mean_row(samples, from_count, &rows[y], row);
    if (channels == 3) {
      const int32_t x = from_width == 2 * width ? ck_mean_colour_pairs(row, width, means) : 0;
      ck_mean_colours(row, columns + x, width - x, means + 3 * x);
    } else {
      ck_mean_pixels(row, columns, width, channels, means);
    }
    ck_round_row(means, count, out + y * count);
  }
}

ptrdiff_t ck_shrink_memory(int32_t from_width, int32_t width, int32_t channels) {
  return ((ptrdiff_t)from_width + width) * channels + 2;
}
