// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime and OpenVINO behind one C ABI, opened at run time: neither is needed to build.
//
// The contract. A call that can fail returns a code, takes the caller's `ce_error` last and writes
// its results through pointers, which it leaves untouched on failure. A session or a value that is
// handed out belongs to the caller, who releases it once. A library that was opened stays open.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Each image that links this has functions of its own.
#define CE_HIDDEN __attribute__((visibility("hidden")))

typedef enum ce_code {
  ce_ok = 0,
  ce_library_missing = 1,
  ce_bad_model = 2,
  ce_bad_argument = 3,
  ce_out_of_memory = 4,
  ce_failed = 5
} ce_code;

/// Filled in when, and only when, a call returns something other than `ce_ok`: one line of text.
typedef struct ce_error {
  char message[1024];
} ce_error;

typedef enum ce_kind { ce_onnxruntime = 0, ce_openvino = 1 } ce_kind;
#define CE_KINDS 2

/// How one element is stored, by the numbers of ONNX's `TensorProto.DataType`; 0 for what no call
/// here takes: texts, complex numbers, packed quarters of a byte.
typedef enum ce_type {
  ce_unknown = 0,
  ce_float32 = 1,
  ce_uint8 = 2,
  ce_int8 = 3,
  ce_uint16 = 4,
  ce_int16 = 5,
  ce_int32 = 6,
  ce_int64 = 7,
  ce_bool = 9,
  ce_float16 = 10,
  ce_float64 = 11,
  ce_uint32 = 12,
  ce_uint64 = 13,
  ce_bfloat16 = 16
} ce_type;

#define CE_MAX_RANK 8

/// Elements in memory, the last axis running fastest; or what is known of them before there are
/// any: a size of -1 is any size, a rank of -1 any number of axes.
typedef struct ce_view {
  ce_type type;
  int32_t rank;
  int64_t sizes[CE_MAX_RANK];
  void *elements;
} ce_view;

/// How a session is run.
typedef struct ce_options {
  /// Threads of one call, the caller's among them; at least 1.
  int32_t threads;
  /// Whether threads wait awake for each other within a call, where the engine leaves a choice: a
  /// little faster where nobody else wants the cores, many times slower where others do.
  int32_t waits_awake;
  /// Whether the engine may compute in fewer bits where it is faster on this processor; else in
  /// those of the file.
  int32_t reduces_precision;
  /// The number of the graphics processor that computes through CUDA; below 0 for none.
  int32_t cuda_device;
  /// Whether TensorRT computes there what it can.
  int32_t uses_tensorrt;
} ce_options;

typedef struct ce_session *ce_session_ref;
typedef struct ce_value *ce_value_ref;

/// Opens the library at `path` and checks that it is one of this kind and of a version that can be
/// used. Where one of this kind is open already, nothing happens.
CE_HIDDEN ce_code ce_library_open(ce_kind kind, const char *path, ce_error *error);

/// The file the library in use was read from, and its version; empty while none is open.
CE_HIDDEN const char *ce_library_path(ce_kind kind);
CE_HIDDEN const char *ce_library_version(ce_kind kind);

/// What the library in use can compute with: ONNX Runtime's execution providers, by its names, with
/// a space between; empty while none is open, and for OpenVINO. Whether a provider works, only a
/// session tells.
CE_HIDDEN const char *ce_library_providers(ce_kind kind);

/// Reads an ONNX model for a library that is open: the file at `path` or, where that is null,
/// `count` bytes, which are not needed afterwards.
CE_HIDDEN ce_code ce_session_open(
  ce_kind kind, const char *path, const void *bytes, size_t count, ce_options options,
  ce_session_ref *out, ce_error *error);
CE_HIDDEN void ce_session_release(ce_session_ref session);

CE_HIDDEN size_t ce_input_count(ce_session_ref session);
CE_HIDDEN size_t ce_output_count(ce_session_ref session);
/// What an input or output is called and what it holds, for as long as the session lives; `index`
/// must be below the count.
CE_HIDDEN const char *ce_input_name(ce_session_ref session, size_t index);
CE_HIDDEN const char *ce_output_name(ce_session_ref session, size_t index);
CE_HIDDEN ce_view ce_input_view(ce_session_ref session, size_t index);
CE_HIDDEN ce_view ce_output_view(ce_session_ref session, size_t index);

/// Computes the outputs whose places are in `outputs` from all inputs, in the session's order.
///
/// Inputs are read in place. Several threads may call it at once. `values` has room for
/// `output_count` values, which the caller owns afterwards.
CE_HIDDEN ce_code ce_session_run(
  ce_session_ref session, const ce_view *inputs, size_t input_count, const size_t *outputs,
  size_t output_count, ce_value_ref *values, ce_error *error);

/// What a value holds, in place, until it is released.
CE_HIDDEN ce_view ce_value_view(ce_value_ref value);
CE_HIDDEN void ce_value_release(ce_value_ref value);
