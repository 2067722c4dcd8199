// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "kernel.h"

CK_INLINE void ck_count(uint8_t truth, uint8_t predicted, int64_t pixels, int32_t classes,
                        int64_t *counts) {
  if (truth >= classes) return;
  const int32_t column = predicted < classes ? predicted : classes;
  counts[(ptrdiff_t)truth * (classes + 1) + column] += pixels;
}

CK_INLINE int ck_all_alike(const uint8_t *eight) {
  uint64_t word;
  memcpy(&word, eight, sizeof word);
  return word == eight[0] * UINT64_C(0x0101010101010101);
}

/// Eight neighbours mostly agree, and then count as one.
void ck_confusion(const uint8_t *truth, const uint8_t *predicted, size_t count, int32_t classes,
                  int64_t *counts) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    if (ck_all_alike(truth + i) && ck_all_alike(predicted + i)) {
      ck_count(truth[i], predicted[i], 8, classes, counts);
      continue;
    }
    for (size_t k = i; k < i + 8; ++k) ck_count(truth[k], predicted[k], 1, classes, counts);
  }
  for (; i < count; ++i) ck_count(truth[i], predicted[i], 1, classes, counts);
}
