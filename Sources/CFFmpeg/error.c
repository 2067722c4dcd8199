// SPDX-License-Identifier: Apache-2.0

#include "internal.h"
#include <errno.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/// The libraries name a cause only in their log, so the last line of each thread is kept.
static _Thread_local char complaint[160];

/// The most pixels that a decoder of this thread was told to take; 0 for none said.
static _Thread_local int64_t limit;

cff_code cff_fail(cff_error *error, cff_code code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->text, sizeof error->text, format, arguments);
  va_end(arguments);
  return code;
}

cff_code cff_fail_av(cff_error *error, int status, cff_code otherwise, const char *what) {
  char reason[AV_ERROR_MAX_STRING_SIZE] = "";
  av_strerror(status, reason, sizeof reason);
  cff_code code = otherwise;
  if (status == AVERROR(ENOMEM)) code = cff_out_of_memory;
  if (status == AVERROR(ENOSPC) || status == AVERROR(EDQUOT)) code = cff_disk_full;
  if (strstr(complaint, "Picture size")) {
    unsigned width = 0, height = 0;
    if (sscanf(strstr(complaint, "Picture size"), "Picture size %ux%u", &width, &height) == 2)
      return cff_fail_large(error, width, height, limit);
    code = cff_too_large;
  }
  if (code == cff_out_of_memory) return cff_fail(error, code, "%s: out of memory", what);
  if (*complaint) return cff_fail(error, code, "%s: %s (%s)", what, reason, complaint);
  return cff_fail(error, code, "%s: %s", what, reason);
}

static void keep(void *context, int level, const char *format, va_list arguments) {
  (void)context;
  // A size beyond the limit is told first and only blurred by what is said after it.
  if (level > AV_LOG_ERROR || strstr(complaint, "Picture size")) return;
  vsnprintf(complaint, sizeof complaint, format, arguments);
  complaint[strcspn(complaint, "\r\n")] = 0;
}

static void set_up(void) {
  av_log_set_callback(keep);
  av_max_alloc((size_t)1 << 30);
}

void cff_listen(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, set_up);
  complaint[0] = 0;
}

const char *cff_last_complaint(void) { return complaint; }

void cff_limit(int64_t max_pixels) { limit = max_pixels; }

cff_code cff_fail_large(cff_error *error, int64_t width, int64_t height, int64_t max_pixels) {
  if (max_pixels <= 0)
    return cff_fail(
      error, cff_too_large, "%lld×%lld pixels are too many", (long long)width, (long long)height);
  return cff_fail(
    error, cff_too_large, "%lld×%lld pixels are more than the limit of %lld", (long long)width,
    (long long)height, (long long)max_pixels);
}

void cff_free(void *start) { av_free(start); }
