// SPDX-License-Identifier: Apache-2.0

#include "CFFmpeg.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdio.h>

void cff_versions(char *text, size_t capacity) {
  unsigned codec = avcodec_version(), format = avformat_version();
  snprintf(text, capacity, "libavcodec %u.%u.%u, libavformat %u.%u.%u", AV_VERSION_MAJOR(codec),
           AV_VERSION_MINOR(codec), AV_VERSION_MICRO(codec), AV_VERSION_MAJOR(format),
           AV_VERSION_MINOR(format), AV_VERSION_MICRO(format));
}

bool cff_can_encode_h264(void) { return avcodec_find_encoder_by_name("libx264") != NULL; }
