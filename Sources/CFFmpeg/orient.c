// SPDX-License-Identifier: Apache-2.0

// How pictures are to be turned and mirrored to be seen upright: Exif 2.3, tag 0x0112. Orientation
// 1 is upright as stored, 2 to 4 keep rows as rows, 5 to 8 make columns of them.
#include "internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

// MARK: where it is stated

static unsigned number(const uint8_t *at, int size, bool little) {
  unsigned value = 0;
  for (int i = 0; i < size; i++) value |= (unsigned)at[little ? i : size - 1 - i] << (8 * i);
  return value;
}

int cff_orientation_in_tiff(const uint8_t *tiff, size_t count) {
  if (count < 8 || (tiff[0] != 'I' && tiff[0] != 'M')) return 1;
  const bool little = tiff[0] == 'I';
  const size_t directory = number(tiff + 4, 4, little);
  if (directory > count - 2 || directory < 8) return 1;
  const unsigned entries = number(tiff + directory, 2, little);
  for (unsigned i = 0; i < entries; i++) {
    const size_t entry = directory + 2 + 12 * (size_t)i;
    if (entry + 12 > count) return 1;
    if (number(tiff + entry, 2, little) != 0x0112) continue;
    const unsigned value = number(tiff + entry + 8, 2, little);
    return value >= 1 && value <= 8 ? (int)value : 1;
  }
  return 1;
}

// Some writers put JPEG's prefix before the data, where it has no place.
static int orientation_in_exif(const uint8_t *exif, size_t count) {
  const bool prefixed = count > 6 && memcmp(exif, "Exif\0", 6) == 0;
  return prefixed ? cff_orientation_in_tiff(exif + 6, count - 6)
                  : cff_orientation_in_tiff(exif, count);
}

static int orientation_of_png(const uint8_t *bytes, size_t count) {
  for (size_t at = 8; at < count && count - at >= 12;) {
    const size_t length = number(bytes + at, 4, false);
    if (length > count - at - 12) return 1;
    if (memcmp(bytes + at + 4, "eXIf", 4) == 0) return orientation_in_exif(bytes + at + 8, length);
    at += length + 12;
  }
  return 1;
}

static int orientation_of_webp(const uint8_t *bytes, size_t count) {
  for (size_t at = 12; at < count && count - at >= 8;) {
    const size_t length = number(bytes + at + 4, 4, true);
    if (length > count - at - 8) return 1;
    if (memcmp(bytes + at, "EXIF", 4) == 0) return orientation_in_exif(bytes + at + 8, length);
    at += 8 + length + (length & 1);
  }
  return 1;
}

int cff_orientation_of_still(enum AVCodecID id, const uint8_t *bytes, size_t count) {
  switch (id) {
  case AV_CODEC_ID_PNG: return orientation_of_png(bytes, count);
  case AV_CODEC_ID_WEBP: return orientation_of_webp(bytes, count);
  case AV_CODEC_ID_TIFF: return cff_orientation_in_tiff(bytes, count);
  default: return 1;
  }
}

cff_code cff_still_measure(
  const uint8_t *bytes, size_t count, int64_t max_pixels, int *width, int *height,
  cff_error *error
) {
  cff_still_info info;
  if (count >= 33 && memcmp(bytes, "\x89PNG\r\n\x1A\n", 8) == 0) {
    const bool swaps = cff_swaps(orientation_of_png(bytes, count));
    const unsigned columns = number(bytes + 16, 4, false), lines = number(bytes + 20, 4, false);
    if (cff_exceeds(columns, lines, max_pixels))
      return cff_fail(error, cff_too_large, "%u×%u pixels are too many", columns, lines);
    info.width = (int)(swaps ? lines : columns);
    info.height = (int)(swaps ? columns : lines);
  } else if (count > 3 && memcmp(bytes, "\xFF\xD8\xFF", 3) == 0) {
    cff_jpeg *jpeg = NULL;
    const cff_code code = cff_jpeg_open(bytes, count, max_pixels, &jpeg, error);
    if (code != cff_ok) return code;
    cff_jpeg_describe(jpeg, &info);
    cff_jpeg_close(jpeg);
  } else {
    cff_still *still = NULL;
    const cff_code code = cff_still_open(bytes, count, max_pixels, &still, error);
    if (code != cff_ok) return code;
    info = cff_still_describe(still);
    cff_still_close(still);
  }
  *width = info.width;
  *height = info.height;
  return cff_ok;
}

// x' = a x + c y, y' = b x + d y; angles between right ones go to the nearest.
int cff_orientation_of_matrix(const int32_t *matrix) {
  const int64_t a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  const int64_t kept = llabs(a) + llabs(d), swapped = llabs(b) + llabs(c);
  if (kept + swapped == 0) return 1;
  if (kept >= swapped) return a >= 0 ? (d >= 0 ? 1 : 4) : (d >= 0 ? 2 : 3);
  return c >= 0 ? (b >= 0 ? 5 : 8) : (b >= 0 ? 6 : 7);
}

// MARK: turning

bool cff_swaps(int orientation) { return orientation >= 5; }
bool cff_mirrors_x(int orientation) {
  return orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
}
bool cff_mirrors_y(int orientation) {
  return orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
}

enum { tile = 32 };

// One tile of the upright picture: `in` is its first pixel as stored, and the steps lead from there
// to what lies right of and below it when upright.
static inline void turn_tile(
  const uint8_t *in, ptrdiff_t right, ptrdiff_t down, uint8_t *out, size_t stride, int columns,
  int lines, size_t size
) {
  for (int y = 0; y < lines; y++, in += down, out += stride) {
    const uint8_t *from = in;
    uint8_t *to = out;
    for (int x = 0; x < columns; x++, from += right, to += size) memcpy(to, from, size);
  }
}

void cff_turn(
  const uint8_t *in, int width, int height, int orientation, size_t size, uint8_t *out
) {
  const bool swaps = cff_swaps(orientation);
  const ptrdiff_t pixel = (ptrdiff_t)size, row = (ptrdiff_t)width * pixel;
  const ptrdiff_t along = cff_mirrors_x(orientation) ? -pixel : pixel;
  const ptrdiff_t across = cff_mirrors_y(orientation) ? -row : row;
  if (cff_mirrors_x(orientation)) in += row - pixel;
  if (cff_mirrors_y(orientation)) in += (ptrdiff_t)(height - 1) * row;
  const ptrdiff_t right = swaps ? across : along, down = swaps ? along : across;
  const int columns = swaps ? height : width, lines = swaps ? width : height;
  const size_t stride = (size_t)columns * size;
  for (int y = 0; y < lines; y += tile)
    for (int x = 0; x < columns; x += tile) {
      const uint8_t *from = in + x * right + y * down;
      uint8_t *to = out + (size_t)y * stride + (size_t)x * size;
      const int w = columns - x < tile ? columns - x : tile, h = lines - y < tile ? lines - y : tile;
      if (size == 3) turn_tile(from, right, down, to, stride, w, h, 3);
      else if (size == 1) turn_tile(from, right, down, to, stride, w, h, 1);
      else turn_tile(from, right, down, to, stride, w, h, size);
    }
}

// MARK: motion vectors

// The ends of a range of cells in the grid that is `to` cells long in the place of `from`, seen
// from its other end where it is mirrored.
static void map_range(int *low, int *high, int from, int to, bool mirrors) {
  const int begin = (int)(((int64_t)*low * 2 * to + from) / (2 * from));
  const int end = (int)(((int64_t)*high * 2 * to + from) / (2 * from));
  *low = mirrors ? to - end : begin;
  *high = mirrors ? to - begin : end;
}

static int32_t map_step(int32_t step, int from, int to, bool mirrors) {
  const int64_t scaled = llrint((double)step * cff_finer * to / from);
  const int64_t bounded = scaled > INT32_MAX ? INT32_MAX : scaled < -INT32_MAX ? -INT32_MAX : scaled;
  return (int32_t)(mirrors ? -bounded : bounded);
}

// A block along one axis, of stored pixels at first: `size` of them around `centre`.
static void map_axis(
  int16_t *centre, int16_t *source, uint8_t *size, int32_t *step, int crop, int from, int to,
  bool mirrors
) {
  int low = *centre - *size / 2 - crop, high = low + *size;
  const int reach = *source - *centre;
  map_range(&low, &high, from, to, mirrors);
  const int length = high - low < 1 ? 1 : high - low > 255 ? 255 : high - low;
  *size = (uint8_t)length;
  *centre = (int16_t)(low + length / 2);
  *source = (int16_t)(*centre + (mirrors ? -1 : 1) * reach * to / from);
  *step = map_step(*step, from, to, mirrors);
}

void cff_place_vectors(cff_motion_vector *vectors, size_t count, const cff_placement *placement) {
  const bool swaps = cff_swaps(placement->orientation);
  const int wide = swaps ? placement->out_height : placement->out_width;
  const int high = swaps ? placement->out_width : placement->out_height;
  const bool mirrors_x = cff_mirrors_x(placement->orientation);
  const bool mirrors_y = cff_mirrors_y(placement->orientation);
  for (size_t i = 0; i < count; i++) {
    cff_motion_vector v = vectors[i];
    map_axis(
      &v.x, &v.source_x, &v.width, &v.motion_x, placement->left, placement->width, wide,
      mirrors_x);
    map_axis(
      &v.y, &v.source_y, &v.height, &v.motion_y, placement->top, placement->height, high,
      mirrors_y);
    v.scale = (uint16_t)((v.scale ? v.scale : 1) * cff_finer);
    if (swaps)
      v = (cff_motion_vector){
        v.source, v.height, v.width, v.source_y, v.source_x, v.y, v.x, v.flags, v.motion_y,
        v.motion_x, v.scale,
      };
    vectors[i] = v;
  }
}
