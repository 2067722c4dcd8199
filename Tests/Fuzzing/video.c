// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "CFFmpeg.h"

static void read_all(cff_reader *reader) {
  cff_error error;
  cff_frame_info frame;
  long sum = 0;
  for (int i = 0; i < 20 && cff_reader_next(reader, &frame, &error) == cff_ok; ++i) {
    size_t count = 0;
    const cff_motion_vector *vectors = cff_reader_motion_vectors(reader, 64, 48, &count);
    for (size_t j = 0; j < count; ++j) sum += ((const uint8_t *)&vectors[j])[0];
    uint8_t picture[3 * 64 * 48];
    cff_reader_copy_bgr(reader, 64, 48, picture, &error);
  }
  (void)cff_reader_counts(reader);
  __asm__ volatile("" : : "r"(sum));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t count) {
  const int file = memfd_create("video", 0);
  if (file < 0 || write(file, data, count) != (ssize_t)count) abort();
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  const cff_reader_options options = {.max_pixels = 1 << 20, .threads = 1, .motion_vectors = true};
  cff_reader *reader = NULL;
  cff_error error;
  if (cff_reader_open(path, &options, &reader, &error) == cff_ok) {
    read_all(reader);
    cff_reader_close(reader);
  }
  close(file);
  return 0;
}
