// SPDX-License-Identifier: Apache-2.0
// LibTorch behind a C ABI that is opened on first use.
//
// Every function is listed once, by topic, in functions/*.h. From the lists come the prototypes
// below, `struct ct_table`, the forwarders in loader.c and the table that the backend fills.
//
// The contract. A call that can fail returns a code, takes the caller's `ct_error` last and writes
// its results through pointers, which it leaves untouched on failure. Every tensor or module handed
// out belongs to the caller, who releases it once. What is not a `ct_code` cannot fail and may only
// be called with a handle, so after a call that has opened the backend.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CT_NOEXCEPT noexcept
#define CT_EXTERN extern "C"
#else
#define CT_NOEXCEPT
#define CT_EXTERN extern
#endif

/// Prototypes are hidden: each image that links the loader has its own.
#define CT_HIDDEN __attribute__((visibility("hidden")))

/// Counts changes of `struct ct_table`; a backend of another version is refused.
#define CT_ABI_VERSION 6

typedef enum ct_code {
  ct_ok = 0,
  ct_bad_shape = 1,
  ct_bad_type = 2,
  ct_bad_argument = 3,
  ct_out_of_memory = 4,
  ct_bad_file = 5,
  ct_no_device = 6,
  ct_backend_missing = 7,
  ct_unknown = 8
} ct_code;

/// Filled in when, and only when, a call returns something other than `ct_ok`.
typedef struct ct_error {
  char message[1024];
} ct_error;

typedef struct ct_tensor *ct_tensor_ref;
typedef struct ct_module *ct_module_ref;

/// How one element is stored; what a library call makes of another type (bool, double, other
/// integers) is converted to the nearest of these before it is handed out.
typedef enum ct_type {
  ct_float32 = 0,
  ct_float16 = 1,
  ct_bfloat16 = 2,
  ct_uint8 = 3,
  ct_int64 = 4
} ct_type;

#include "../functions/kinds.h"

// The prototypes.
#define CT_FUNCTION(name, parameters, arguments) \
  CT_EXTERN CT_HIDDEN ct_code name parameters CT_NOEXCEPT;
#define CT_GETTER(result, name, parameters, arguments) \
  CT_EXTERN CT_HIDDEN result name parameters CT_NOEXCEPT;
#include "../functions/all.h"
#undef CT_FUNCTION
#undef CT_GETTER

/// What a backend hands over: its version, and one pointer a function.
struct ct_table {
  uint32_t version;
  uint32_t size;
#define CT_FUNCTION(name, parameters, arguments) ct_code(*name) parameters;
#define CT_GETTER(result, name, parameters, arguments) result(*name) parameters;
#include "../functions/all.h"
#undef CT_FUNCTION
#undef CT_GETTER
};

/// The one symbol a backend exports: `const struct ct_table *ct_backend_table(void)`.
#define CT_BACKEND_SYMBOL "ct_backend_table"

/// Opens the backend at `path` and checks its version, without putting it to use.
CT_EXTERN CT_HIDDEN ct_code ct_probe_backend(const char *path, ct_error *error) CT_NOEXCEPT;

/// The CRC-32 of zip archives: of `count` bytes that follow those whose CRC-32 is `sum`.
CT_EXTERN CT_HIDDEN uint32_t ct_crc32(uint32_t sum, const void *bytes, size_t count) CT_NOEXCEPT;

/// Inflates what zip archives deflate (RFC 1951); 0 where that is not `count` bytes, all told.
CT_EXTERN CT_HIDDEN int32_t ct_inflate(
  const void *packed, size_t packed_count, void *bytes, size_t count) CT_NOEXCEPT;

/// The file the backend in use was read from; empty while none is.
CT_EXTERN CT_HIDDEN const char *ct_backend_path(void) CT_NOEXCEPT;
