// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "CFFmpeg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t count) {
  cff_error error;
  cff_still *still = NULL;
  if (cff_still_open(data, count, 1 << 22, &still, &error) != cff_ok) return 0;
  const cff_still_info info = cff_still_describe(still);
  const size_t capacity = (size_t)info.width * info.height * 8;
  void *out = malloc(capacity ? capacity : 1);
  for (int samples = cff_samples_bgr8; out && samples <= cff_samples_native; ++samples)
    cff_still_copy(still, samples, out, capacity, &error);
  free(out);
  cff_still_close(still);
  return 0;
}
