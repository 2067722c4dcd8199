// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "processor.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
static int has_avx512(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
         && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#else
static int has_avx512(void) { return 0; }
#endif

static int took_narrow_kernels(void *library) {
  const char *(*name)(void) = NULL;
  *(void **)&name = dlsym(library, "openblas_get_corename");
  return name && (!strcmp(name(), "Haswell") || !strcmp(name(), "Zen"));
}

/// OpenBLAS chooses in its constructor, when OpenCV has it loaded at start-up, so the variable alone
/// would come too late. To choose again is safe as long as no product is under way.
static void choose_again(void *library) {
  void (*quit)(void) = NULL, (*init)(void) = NULL;
  *(void **)&quit = dlsym(library, "gotoblas_dynamic_quit");
  *(void **)&init = dlsym(library, "gotoblas_dynamic_init");
  if (!quit || !init) return;
  quit();
  init();
}

void ct_prefer_wide_kernels(void *library) {
  if (getenv("OPENBLAS_CORETYPE") || !has_avx512() || !took_narrow_kernels(library)) return;
  if (setenv("OPENBLAS_CORETYPE", "SkylakeX", 0) == 0) choose_again(library);
}
