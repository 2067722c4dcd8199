// SPDX-License-Identifier: Apache-2.0
// Opens the backend on first use and forwards every call to it.
#define _GNU_SOURCE
#include "CTorch.h"
#include "processor.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libInbetweenTorch.so"
#define PATH_CAPACITY 4096

static const struct ct_table *table;
static char table_path[PATH_CAPACITY];
static ct_error load_failure;
static ct_code load_code = ct_backend_missing;
static pthread_once_t load_once = PTHREAD_ONCE_INIT;

static ct_code missing(ct_error *error, const char *path, const char *why) {
  if (why && (strstr(why, "failed to map segment") || strstr(why, "annot allocate memory"))) {
    snprintf(error->message, sizeof error->message,
             "LibTorch could not be opened from %s: out of memory (%s)", path, why);
    return ct_out_of_memory;
  }
  snprintf(error->message, sizeof error->message, "LibTorch could not be opened from %s: %s", path,
           why ? why : "no reason given");
  return ct_backend_missing;
}

static ct_code open_backend(const char *path, void **out_library, const struct ct_table **out,
                            ct_error *error) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) return missing(error, path, dlerror());
  const struct ct_table *(*entry)(void) = NULL;
  *(void **)&entry = dlsym(library, CT_BACKEND_SYMBOL);
  if (!entry) return missing(error, path, "it is not a backend of this package");
  const struct ct_table *found = entry();
  if (found->version != CT_ABI_VERSION || found->size != sizeof *found)
    return missing(error, path, "it was built for another version of this package");
  *out = found;
  *out_library = library;
  return ct_ok;
}

/// Writes where the library would be from the folder of `file`: there, or where it is installed.
static int near(const char *file, const char *folder, char *path) {
  const char *slash = strrchr(file, '/');
  if (!slash) return 0;
  const int length =
      snprintf(path, PATH_CAPACITY, "%.*s/%s" LIBRARY, (int)(slash - file), file, folder);
  return length < PATH_CAPACITY && access(path, R_OK) == 0;
}

static int near_executable(char *path) {
  char file[PATH_CAPACITY];
  ssize_t length = readlink("/proc/self/exe", file, sizeof file - 1);
  if (length <= 0) return 0;
  file[length] = 0;
  return near(file, "", path) || near(file, "../lib/inbetween/", path);
}

static int beside_loader(char *path) {
  Dl_info info;
  return dladdr((const void *)&load_once, &info) && info.dli_fname &&
         near(info.dli_fname, "", path);
}

static void find_backend(char *path) {
  const char *chosen = getenv("INBETWEEN_TORCH");
  if (chosen && *chosen) {
    snprintf(path, PATH_CAPACITY, "%s", chosen);
  } else if (!near_executable(path) && !beside_loader(path)) {
    snprintf(path, PATH_CAPACITY, "%s", LIBRARY);
  }
}

static void load(void) {
  char path[PATH_CAPACITY];
  find_backend(path);
  void *library = NULL;
  load_code = open_backend(path, &library, &table, &load_failure);
  if (load_code != ct_ok) return;
  memcpy(table_path, path, sizeof path);
  ct_prefer_wide_kernels(library);
}

static const struct ct_table *loaded(ct_error *error) {
  pthread_once(&load_once, load);
  if (!table && error) *error = load_failure;
  return table;
}

ct_code ct_probe_backend(const char *path, ct_error *error) {
  void *library = NULL;
  const struct ct_table *found = NULL;
  return open_backend(path, &library, &found, error);
}

const char *ct_backend_path(void) { return table_path; }

#define CT_FUNCTION(name, parameters, arguments)        \
  ct_code name parameters {                             \
    const struct ct_table *backend = loaded(error);     \
    return backend ? backend->name arguments : load_code; \
  }
#define CT_GETTER(result, name, parameters, arguments) \
  result name parameters { return table->name arguments; }
#include "functions/all.h"
