// SPDX-License-Identifier: Apache-2.0

// What libavcodec's PNG decoder leaves unchecked: that every row is there, and how much the chunks
// that it does not need would take.

#include "internal.h"
#include <libavutil/intreadwrite.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum { signature_length = 8, chunk_frame = 12, most_text = 64 << 10 };

typedef struct png_header {
  uint32_t width, height;
  int bits, colour, interlaced;
} png_header;

typedef struct chunk {
  const uint8_t *start;
  uint32_t length;
} chunk;

static bool is_kind(const uint8_t *start, const char *kind) {
  return memcmp(start + 4, kind, 4) == 0;
}

// The chunk at `*at`, which goes on to the next; false where there is no whole one.
static bool next_chunk(const uint8_t *bytes, size_t count, size_t *at, chunk *out) {
  if (count - *at < chunk_frame) return false;
  const uint32_t length = AV_RB32(bytes + *at);
  if (length > count - *at - chunk_frame) return false;
  *out = (chunk){bytes + *at, length};
  *at += (size_t)length + chunk_frame;
  return true;
}

// What pixels are made of; anything else may be as large as it likes and is passed over, but for a
// little that says how the picture is to be shown.
static bool is_needed(const chunk *chunk) {
  if (!(chunk->start[4] & 0x20)) return true;
  if (is_kind(chunk->start, "tRNS")) return true;
  return is_kind(chunk->start, "eXIf") && chunk->length <= most_text;
}

static bool read_header(const chunk *chunk, png_header *out) {
  if (!is_kind(chunk->start, "IHDR") || chunk->length != 13) return false;
  const uint8_t *data = chunk->start + 8;
  *out = (png_header){AV_RB32(data), AV_RB32(data + 4), data[8], data[9], data[12]};
  return out->width > 0 && out->height > 0 && out->width <= INT32_MAX && out->height <= INT32_MAX
    && out->bits > 0 && out->bits <= 16;
}

static uint64_t rows_of(const png_header *header, uint64_t width, uint64_t height) {
  static const int channels[7] = {1, 0, 3, 1, 2, 0, 4};
  const int each = header->colour < 7 ? channels[header->colour] : 0;
  return width && height ? height * ((width * (unsigned)(each * header->bits) + 7) / 8 + 1) : 0;
}

// Bytes of all rows, each with its filter, before they are compressed.
static uint64_t size_of(const png_header *header) {
  static const struct { unsigned x, y, dx, dy; } passes[7] = {
    {0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2},
  };
  if (!header->interlaced) return rows_of(header, header->width, header->height);
  uint64_t size = 0;
  for (int pass = 0; pass < 7; pass++)
    size += rows_of(
      header, (header->width + passes[pass].dx - 1 - passes[pass].x) / passes[pass].dx,
      (header->height + passes[pass].dy - 1 - passes[pass].y) / passes[pass].dy);
  return size;
}

// Whether the data of one chunk can be decompressed; counts what comes of it, up to `wanted`.
static bool inflate_chunk(z_stream *stream, const chunk *data, uint64_t wanted, uint64_t *got) {
  uint8_t room[16384];
  stream->next_in = (uint8_t *)(uintptr_t)(data->start + 8);
  stream->avail_in = data->length;
  while (stream->avail_in > 0 && *got < wanted) {
    stream->next_out = room;
    stream->avail_out = sizeof room;
    const int status = inflate(stream, Z_NO_FLUSH);
    *got += sizeof room - stream->avail_out;
    if (status == Z_STREAM_END) return true;
    if (status != Z_OK && status != Z_BUF_ERROR) return false;
    if (status == Z_BUF_ERROR && stream->avail_out == sizeof room) return true;
  }
  return true;
}

// Whether the compressed rows hold all that the header promises.
static bool has_all_rows(const uint8_t *bytes, size_t count, const png_header *header) {
  z_stream stream = {0};
  if (inflateInit(&stream) != Z_OK) return true;
  const uint64_t wanted = size_of(header);
  uint64_t got = 0;
  size_t at = signature_length;
  bool sound = true;
  for (chunk found; sound && got < wanted && next_chunk(bytes, count, &at, &found);)
    if (is_kind(found.start, "IDAT")) sound = inflate_chunk(&stream, &found, wanted, &got);
  inflateEnd(&stream);
  return got >= wanted;
}

cff_code cff_png_prepare(
  const uint8_t *bytes, size_t count, int64_t max_pixels, uint8_t **out, size_t *out_count,
  cff_error *error
) {
  png_header header = {0};
  size_t at = signature_length;
  chunk found;
  if (!next_chunk(bytes, count, &at, &found) || !read_header(&found, &header))
    return cff_fail(error, cff_damaged_header, "damaged picture: its header is no PNG's");
  if (cff_exceeds(header.width, header.height, max_pixels))
    return cff_fail_large(error, header.width, header.height, max_pixels);
  uint8_t *copy = malloc(count);
  if (!copy) return cff_fail(error, cff_out_of_memory, "no memory for a picture");
  memcpy(copy, bytes, signature_length);
  size_t length = signature_length;
  bool ended = false;
  at = signature_length;
  while (!ended && next_chunk(bytes, count, &at, &found)) {
    ended = is_kind(found.start, "IEND");
    if (!is_needed(&found)) continue;
    memcpy(copy + length, found.start, (size_t)found.length + chunk_frame);
    length += (size_t)found.length + chunk_frame;
  }
  const bool whole = has_all_rows(bytes, count, &header);
  if (!ended || !whole) {
    free(copy);
    return cff_fail(
      error, cff_damaged_data, "damaged picture: it breaks off%s",
      whole ? "" : " before its last row");
  }
  *out = copy;
  *out_count = length;
  return cff_ok;
}
