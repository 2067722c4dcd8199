// SPDX-License-Identifier: Apache-2.0
// CRC-32 as zip archives have it, eight bytes at a time.
#include "CTorch.h"
#include <pthread.h>
#include <string.h>

static uint32_t tables[8][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill(void) {
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ (sum & 1 ? 0xEDB88320u : 0);
    tables[0][byte] = sum;
  }
  for (int table = 1; table < 8; ++table)
    for (int byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[table - 1][byte];
      tables[table][byte] = (before >> 8) ^ tables[0][before & 255];
    }
}

static uint32_t little(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16
         | (uint32_t)bytes[3] << 24;
}

uint32_t ct_crc32(uint32_t sum, const void *start, size_t count) {
  pthread_once(&once, fill);
  const uint8_t *bytes = start;
  sum = ~sum;
  for (; count >= 8; count -= 8, bytes += 8) {
    const uint32_t low = little(bytes) ^ sum, high = little(bytes + 4);
    sum = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255]
          ^ tables[4][low >> 24] ^ tables[3][high & 255] ^ tables[2][high >> 8 & 255]
          ^ tables[1][high >> 16 & 255] ^ tables[0][high >> 24];
  }
  for (; count > 0; --count, ++bytes) sum = (sum >> 8) ^ tables[0][(sum ^ *bytes) & 255];
  return ~sum;
}
