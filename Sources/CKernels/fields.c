// SPDX-License-Identifier: Apache-2.0
#include "CFields.h"

#include <string.h>

#include "kernel.h"

/// One displacement, or those of two cells.
typedef float ck_pair __attribute__((ext_vector_type(2), aligned(4), may_alias));
typedef float ck_pairs __attribute__((ext_vector_type(4), aligned(4), may_alias));

/// What a run of cells reads: the places of a field, then its values there.
typedef struct ck_reading {
  /// The cell at or before each place, the one below it, and how far it is to the next ones.
  int32_t top[ck_chunk], bottom[ck_chunk];
  float right[ck_chunk], below[ck_chunk];
  /// Whether a place means anything and, once read, what was read there.
  uint8_t known[ck_chunk];
  float values[2 * ck_chunk];
} ck_reading;

/// Sets one place, clamped to the grid; one that is not finite is unknown.
CK_INLINE void ck_set_place(ck_reading *reading, int32_t i, float x, float y, int32_t width,
                            int32_t height, int rounded, int known) {
  const int finite = ck_is_finite(x + y);
  const float last_column = (float)(width - 1), last_row = (float)(height - 1);
  x = finite ? x : 0;
  y = finite ? y : 0;
  x = x > 0 ? x : 0;
  x = x < last_column ? x : last_column;
  y = y > 0 ? y : 0;
  y = y < last_row ? y : last_row;
  int32_t column = (int32_t)x, row = (int32_t)y;
  float right = x - (float)column, below = y - (float)row;
  if (rounded) {
    column += right >= 0.5f;
    row += below >= 0.5f;
    right = below = 0;
  }
  const int32_t top = row * width + column;
  reading->top[i] = top;
  reading->bottom[i] = top + (below > 0 ? width : 0);
  reading->right[i] = right;
  reading->below[i] = below;
  reading->known[i] = (uint8_t)(finite & known);
}

/// The places that `count` cells of a row lead to, from cell (x, y) on.
CK_INLINE void ck_lead(const ck_field *field, int32_t x, int32_t y, int32_t count, int rounded,
                       ck_reading *reading) {
  const ptrdiff_t at = (ptrdiff_t)y * field->width + x;
  const float *restrict values = field->displacements + 2 * at;
  const uint8_t *restrict known = field->known ? field->known + at : 0;
  const int32_t width = field->width, height = field->height;
  if (known) {
    for (int32_t i = 0; i < count; ++i) {
      ck_set_place(reading, i, (float)(x + i) + values[2 * i], (float)y + values[2 * i + 1], width,
                   height, rounded, known[i] != 0);
    }
  } else {
    for (int32_t i = 0; i < count; ++i) {
      ck_set_place(reading, i, (float)(x + i) + values[2 * i], (float)y + values[2 * i + 1], width,
                   height, rounded, 1);
    }
  }
}

/// Reads one place from those cells only that have a weight.
CK_INLINE void ck_read_carefully(const ck_field *field, int32_t i, ck_reading *reading) {
  const float right = reading->right[i], below = reading->below[i];
  const ptrdiff_t across = right > 0, top = reading->top[i], bottom = reading->bottom[i];
  const float *from = field->displacements;
  const ck_pair a = *(const ck_pair *)(from + 2 * top);
  const ck_pair b = *(const ck_pair *)(from + 2 * (top + across));
  const ck_pair c = *(const ck_pair *)(from + 2 * bottom);
  const ck_pair d = *(const ck_pair *)(from + 2 * (bottom + across));
  const ck_pair above = a + right * (b - a), under = c + right * (d - c);
  const ck_pair value = above + below * (under - above);
  *(ck_pair *)(reading->values + 2 * i) = value;
  reading->known[i] &= (uint8_t)ck_is_finite(value.x + value.y);
  if (field->known) {
    reading->known[i] &= (field->known[top] != 0) & (field->known[top + across] != 0) &
                         (field->known[bottom] != 0) & (field->known[bottom + across] != 0);
  }
}

/// Reads all four cells around each place and then again, carefully, where one of them may have no
/// business there: where it lies beyond the last cell, is unknown or not finite.
CK_INLINE void ck_read_between(const ck_field *field, int32_t count, ck_reading *reading) {
  const float *from = field->displacements;
  const int32_t last = field->width * field->height - 1;
  uint8_t doubtful[ck_chunk];
  for (int32_t i = 0; i < count; ++i) {
    const float right = reading->right[i], below = reading->below[i];
    const int32_t bottom = reading->bottom[i], held = ck_smaller(bottom, last - 1);
    const int32_t top = ck_smaller(reading->top[i], last - 1);
    const ck_pairs a = *(const ck_pairs *)(from + 2 * (ptrdiff_t)top);
    const ck_pairs c = *(const ck_pairs *)(from + 2 * (ptrdiff_t)held);
    const ck_pair above = a.lo + right * (a.hi - a.lo), under = c.lo + right * (c.hi - c.lo);
    const ck_pair value = above + below * (under - above);
    *(ck_pair *)(reading->values + 2 * i) = value;
    doubtful[i] = bottom == last;
  }
  if (field->known) {
    for (int32_t i = 0; i < count; ++i) {
      const uint8_t *above = field->known + ck_smaller(reading->top[i], last - 1);
      const uint8_t *under = field->known + ck_smaller(reading->bottom[i], last - 1);
      doubtful[i] |= (above[0] == 0) | (above[1] == 0) | (under[0] == 0) | (under[1] == 0);
    }
  }
  int some = 0;
  for (int32_t i = 0; i < count; ++i) {
    const int finite = ck_is_finite(reading->values[2 * i] + reading->values[2 * i + 1]);
    doubtful[i] |= !finite;
    some |= doubtful[i];
  }
  for (int32_t i = 0; some && i < count; ++i) {
    if (doubtful[i]) ck_read_carefully(field, i, reading);
  }
}

/// Reads the cell at each place.
CK_INLINE void ck_read_cells(const ck_field *field, int32_t count, ck_reading *reading) {
  const float *from = field->displacements;
  for (int32_t i = 0; i < count; ++i) {
    *(ck_pair *)(reading->values + 2 * i) =
        *(const ck_pair *)(from + 2 * (ptrdiff_t)reading->top[i]);
  }
  for (int32_t i = 0; i < count; ++i) {
    const float sum = reading->values[2 * i] + reading->values[2 * i + 1];
    reading->known[i] &= (uint8_t)ck_is_finite(sum);
  }
  if (!field->known) return;
  for (int32_t i = 0; i < count; ++i) reading->known[i] &= field->known[reading->top[i]] != 0;
}

CK_INLINE void ck_read(const ck_field *field, int32_t count, int rounded, ck_reading *reading) {
  if (rounded) {
    ck_read_cells(field, count, reading);
  } else if (field->width * field->height > 1) {
    ck_read_between(field, count, reading);
  } else {
    for (int32_t i = 0; i < count; ++i) ck_read_carefully(field, i, reading);
  }
}

/// Writes what is known of `reading`; gives how many cells are not.
CK_INLINE int32_t ck_write(const ck_reading *reading, int32_t count, ptrdiff_t at,
                           ck_field_rows out) {
  float *values = out.displacements + 2 * at;
  memcpy(values, reading->values, 2 * (size_t)count * sizeof(float));
  memcpy(out.known + at, reading->known, (size_t)count);
  int32_t known = 0;
  for (int32_t i = 0; i < count; ++i) known += reading->known[i];
  for (int32_t i = 0; known < count && i < count; ++i) {
    if (!reading->known[i]) *(ck_pair *)(values + 2 * i) = 0;
  }
  return count - known;
}

CK_INLINE int32_t ck_follow_rows(const ck_field *first, const ck_field *next, int rounded,
                                 ck_field_rows out) {
  ck_reading reading;
  int32_t unknown = 0;
  for (int32_t y = out.begin; y < out.end; ++y) {
    for (int32_t x = 0; x < first->width; x += ck_chunk) {
      const int32_t count = ck_smaller(ck_chunk, first->width - x);
      const ptrdiff_t at = (ptrdiff_t)y * first->width + x;
      ck_lead(first, x, y, count, rounded, &reading);
      ck_read(next, count, rounded, &reading);
      const float *restrict step = first->displacements + 2 * at;
      for (int32_t i = 0; i < 2 * count; ++i) reading.values[i] += step[i];
      unknown += ck_write(&reading, count, at, out);
    }
  }
  return unknown;
}

CK_KERNEL int32_t ck_follow_field(const ck_field *first, const ck_field *next, int rounded,
                                  ck_field_rows out) {
  return rounded ? ck_follow_rows(first, next, 1, out) : ck_follow_rows(first, next, 0, out);
}

CK_KERNEL int32_t ck_resize_field(const ck_field *field, int32_t width, int32_t height,
                                  ck_field_rows out) {
  const float across = (float)width / (float)field->width;
  const float down = (float)height / (float)field->height;
  ck_reading reading;
  int32_t unknown = 0;
  for (int32_t y = out.begin; y < out.end; ++y) {
    const float row = ((float)y + 0.5f) / down - 0.5f;
    for (int32_t x = 0; x < width; x += ck_chunk) {
      const int32_t count = ck_smaller(ck_chunk, width - x);
      for (int32_t i = 0; i < count; ++i) {
        ck_set_place(&reading, i, ((float)(x + i) + 0.5f) / across - 0.5f, row, field->width,
                     field->height, 0, 1);
      }
      ck_read(field, count, 0, &reading);
      for (int32_t i = 0; i < count; ++i) {
        reading.values[2 * i] *= across;
        reading.values[2 * i + 1] *= down;
      }
      unknown += ck_write(&reading, count, (ptrdiff_t)y * width + x, out);
    }
  }
  return unknown;
}

CK_KERNEL int32_t ck_check_field(const ck_field *field, const ck_field *back, float relative,
                                 float absolute, ck_field_rows out) {
  const float right = (float)(field->width - 1), bottom = (float)(field->height - 1);
  ck_reading reading;
  int32_t unknown = 0;
  for (int32_t y = out.begin; y < out.end; ++y) {
    for (int32_t x = 0; x < field->width; x += ck_chunk) {
      const int32_t count = ck_smaller(ck_chunk, field->width - x);
      const ptrdiff_t at = (ptrdiff_t)y * field->width + x;
      ck_lead(field, x, y, count, 0, &reading);
      ck_read(back, count, 0, &reading);
      const float *restrict there = field->displacements + 2 * at;
      for (int32_t i = 0; i < count; ++i) {
        const float dx = there[2 * i], dy = there[2 * i + 1];
        const float bx = reading.values[2 * i], by = reading.values[2 * i + 1];
        const float to_x = (float)(x + i) + dx, to_y = (float)y + dy;
        const int inside = (to_x >= 0) & (to_x <= right) & (to_y >= 0) & (to_y <= bottom);
        const float gap = (dx + bx) * (dx + bx) + (dy + by) * (dy + by);
        const float limit = relative * ((dx * dx + dy * dy) + (bx * bx + by * by)) + absolute;
        reading.known[i] &= (uint8_t)(inside & (gap <= limit));
        reading.values[2 * i] = dx;
        reading.values[2 * i + 1] = dy;
      }
      unknown += ck_write(&reading, count, at, out);
    }
  }
  return unknown;
}

/// The mean of what is known of the cells of one block that are on the grid; gives how many are.
CK_INLINE int32_t ck_mean_of_block(const ck_field *field, int32_t x, int32_t y, float *out) {
  ck_pair sum = 0;
  int32_t count = 0;
  for (int32_t i = 0; i < 4; ++i) {
    const int32_t column = 2 * x + i % 2, row = 2 * y + i / 2;
    if (column >= field->width || row >= field->height) continue;
    const ptrdiff_t cell = (ptrdiff_t)row * field->width + column;
    if (field->known && !field->known[cell]) continue;
    sum += *(const ck_pair *)(field->displacements + 2 * cell);
    ++count;
  }
  *(ck_pair *)out = count ? sum / (float)count : sum;
  return count;
}

CK_KERNEL int32_t ck_halve_field(const ck_field *field, ck_field_rows out) {
  const int32_t width = (field->width + 1) / 2, whole = field->width / 2;
  int32_t unknown = 0;
  for (int32_t y = out.begin; y < out.end; ++y) {
    const ptrdiff_t above = (ptrdiff_t)2 * y * field->width, under = above + field->width;
    float *values = out.displacements + (ptrdiff_t)2 * y * width;
    uint8_t *known = out.known + (ptrdiff_t)y * width;
    const int paired = 2 * y + 1 < field->height;
    for (int32_t x = 0; x < width; ++x) {
      uint16_t marks[2] = {0x0101, 0x0101};
      if (paired && x < whole && field->known) {
        memcpy(&marks[0], field->known + above + 2 * x, 2);
        memcpy(&marks[1], field->known + under + 2 * x, 2);
      }
      if (paired && x < whole && marks[0] == 0x0101 && marks[1] == 0x0101) {
        const ck_pairs sum = *(const ck_pairs *)(field->displacements + 2 * (above + 2 * x)) +
                             *(const ck_pairs *)(field->displacements + 2 * (under + 2 * x));
        *(ck_pair *)(values + 2 * x) = (sum.lo + sum.hi) * 0.25f;
        known[x] = 1;
        continue;
      }
      known[x] = ck_mean_of_block(field, x, y, values + 2 * x) > 0;
      unknown += !known[x];
    }
  }
  return unknown;
}

/// Whether eight marks hold one that says unknown.
CK_INLINE int ck_some_unknown(const uint8_t *marks) {
  int unknown = 0;
  for (int32_t i = 0; i < 8; ++i) unknown |= marks[i] == 0;
  return unknown;
}

CK_KERNEL int32_t ck_fill_field(const ck_field *field, const ck_field *coarse, ck_field_rows out) {
  const int32_t width = field->width;
  int32_t unknown = 0;
  for (int32_t y = out.begin; y < out.end; ++y) {
    const ptrdiff_t at = (ptrdiff_t)y * width, above = (ptrdiff_t)(y / 2) * coarse->width;
    float *values = out.displacements + 2 * at;
    uint8_t *known = out.known + at;
    memcpy(values, field->displacements + 2 * at, 2 * (size_t)width * sizeof(float));
    memset(known, 1, (size_t)width);
    for (int32_t x = 0; field->known && x < width; ++x) {
      if (x % 8 == 0 && x + 8 <= width && !ck_some_unknown(field->known + at + x)) {
        x += 7;
        continue;
      }
      if (field->known[at + x]) continue;
      const ptrdiff_t block = above + x / 2;
      known[x] = !coarse->known || coarse->known[block];
      *(ck_pair *)(values + 2 * x) =
          known[x] ? *(const ck_pair *)(coarse->displacements + 2 * block) : 0;
      unknown += !known[x];
    }
  }
  return unknown;
}
