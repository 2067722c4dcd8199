// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "processor.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/// The widest kernels of OpenBLAS that the processor can run, among those of a whole range of
/// processors; NULL where that is not known.
static const char *widest(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
      && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return "SkylakeX";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
  return NULL;
}

/// How wide the kernels of a name are, in bits: OpenBLAS takes those of a processor of long ago,
/// `Prescott`, where it knows neither the processor nor its family.
static int width(const char *kernels) {
  static const char *const of512[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
  static const char *const of256[] = {"Haswell", "Zen", "Excavator"};
  for (size_t i = 0; i < sizeof of512 / sizeof *of512; i++)
    if (!strcasecmp(kernels, of512[i])) return 512;
  for (size_t i = 0; i < sizeof of256 / sizeof *of256; i++)
    if (!strcasecmp(kernels, of256[i])) return 256;
  return 128;
}

static int took_narrower_kernels(void *library, const char *than) {
  const char *(*name)(void) = NULL;
  *(void **)&name = dlsym(library, "openblas_get_corename");
  return name && width(name()) < width(than);
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
  const char *const kernels = widest();
  if (!kernels || getenv("OPENBLAS_CORETYPE") || !took_narrower_kernels(library, kernels)) return;
  if (setenv("OPENBLAS_CORETYPE", kernels, 0) == 0) choose_again(library);
}
