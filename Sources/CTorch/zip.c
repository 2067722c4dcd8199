// SPDX-License-Identifier: Apache-2.0
// What zip archives need of zlib.
#include "CTorch.h"
#include <limits.h>
#include <zlib.h>

uint32_t ct_crc32(uint32_t sum, const void *bytes, size_t count) {
  return bytes ? (uint32_t)crc32_z(sum, bytes, count) : sum;
}

int32_t ct_inflate(const void *packed, size_t packed_count, void *bytes, size_t count) {
  if (packed_count > UINT_MAX || count > UINT_MAX) return 0;
  uint8_t nothing;
  z_stream stream = {0};
  stream.next_in = (Bytef *)packed;
  stream.avail_in = (uInt)packed_count;
  stream.next_out = count > 0 ? bytes : &nothing;
  stream.avail_out = (uInt)count;
  // Raw: a zip archive has no zlib header before what is deflated.
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return 0;
  const int status = inflate(&stream, Z_FINISH);
  const int is_whole = status == Z_STREAM_END && stream.avail_in == 0 && stream.avail_out == 0;
  inflateEnd(&stream);
  return is_whole;
}
