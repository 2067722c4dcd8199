// SPDX-License-Identifier: Apache-2.0
// What is used of OpenVINO's C interface, declared by ourselves as openvino/c/*.h of 2026.4 has it.
//
// Functions are fetched by name. The numbers of element types have changed between releases:
// `openvino.c` asks the library for the size of each before it believes them.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef int32_t ov_status;
enum { ov_good = 0, ov_not_implemented = -2, ov_bad_argument = -14 };

/// `ov_element_type_e`, those that are used.
enum {
  ov_bool = 1, ov_bfloat16 = 2, ov_float16 = 3, ov_float32 = 4, ov_float64 = 5, ov_int8 = 7,
  ov_int16 = 8, ov_int32 = 9, ov_int64 = 10, ov_uint8 = 16, ov_uint16 = 17, ov_uint32 = 18,
  ov_uint64 = 19
};

typedef struct ov_core ov_core;
typedef struct ov_model ov_model;
typedef struct ov_compiled ov_compiled;
typedef struct ov_request ov_request;
typedef struct ov_tensor ov_tensor;
typedef struct ov_port ov_port;
typedef struct ov_sizes { int64_t rank; int64_t *sizes; } ov_sizes;
typedef struct ov_range { int64_t least, most; } ov_range;
typedef struct ov_partial_sizes { ov_range rank; ov_range *sizes; } ov_partial_sizes;
typedef struct ov_release { const char *number; const char *description; } ov_release;

#define OV_FUNCTIONS(F)                                                                          \
  F(ov_status, ov_get_openvino_version, (ov_release *))                                          \
  F(void, ov_version_free, (ov_release *))                                                       \
  F(const char *, ov_get_error_info, (ov_status))                                                \
  F(const char *, ov_get_last_err_msg, (void))                                                   \
  F(void, ov_free, (const char *))                                                               \
  F(ov_status, ov_core_create, (ov_core **))                                                     \
  F(ov_status, ov_core_read_model, (const ov_core *, const char *, const char *, ov_model **))   \
  F(ov_status, ov_core_read_model_from_memory_buffer,                                            \
    (const ov_core *, const char *, size_t, const ov_tensor *, ov_model **))                     \
  F(ov_status, ov_core_compile_model,                                                            \
    (const ov_core *, const ov_model *, const char *, size_t, ov_compiled **, ...))              \
  F(void, ov_model_free, (ov_model *))                                                           \
  F(ov_status, ov_model_inputs_size, (const ov_model *, size_t *))                               \
  F(ov_status, ov_model_outputs_size, (const ov_model *, size_t *))                              \
  F(ov_status, ov_model_const_input_by_index, (const ov_model *, size_t, ov_port **))            \
  F(ov_status, ov_model_const_output_by_index, (const ov_model *, size_t, ov_port **))           \
  F(ov_status, ov_model_reshape_by_port_indexes,                                                 \
    (const ov_model *, const size_t *, const ov_partial_sizes *, size_t))                        \
  F(ov_status, ov_compiled_model_output_by_index, (const ov_compiled *, size_t, ov_port **))     \
  F(ov_status, ov_compiled_model_create_infer_request, (const ov_compiled *, ov_request **))     \
  F(void, ov_compiled_model_free, (ov_compiled *))                                               \
  F(ov_status, ov_port_get_any_name, (const ov_port *, char **))                                 \
  F(ov_status, ov_port_get_element_type, (const ov_port *, int32_t *))                           \
  F(ov_status, ov_port_get_partial_shape, (const ov_port *, ov_partial_sizes *))                 \
  F(void, ov_output_const_port_free, (ov_port *))                                                \
  F(void, ov_partial_shape_free, (ov_partial_sizes *))                                           \
  F(ov_status, ov_infer_request_set_input_tensor_by_index,                                       \
    (ov_request *, size_t, const ov_tensor *))                                                   \
  F(ov_status, ov_infer_request_set_output_tensor_by_index,                                      \
    (ov_request *, size_t, const ov_tensor *))                                                   \
  F(ov_status, ov_infer_request_get_output_tensor_by_index,                                      \
    (const ov_request *, size_t, ov_tensor **))                                                  \
  F(ov_status, ov_infer_request_infer, (ov_request *))                                           \
  F(void, ov_infer_request_free, (ov_request *))                                                 \
  F(ov_status, ov_tensor_create, (int32_t, ov_sizes, ov_tensor **))                              \
  F(ov_status, ov_tensor_create_from_host_ptr, (int32_t, ov_sizes, void *, ov_tensor **))        \
  F(ov_status, ov_tensor_data, (const ov_tensor *, void **))                                     \
  F(ov_status, ov_tensor_get_shape, (const ov_tensor *, ov_sizes *))                             \
  F(ov_status, ov_tensor_get_element_type, (const ov_tensor *, int32_t *))                       \
  F(ov_status, ov_tensor_get_byte_size, (const ov_tensor *, size_t *))                           \
  F(void, ov_tensor_free, (ov_tensor *))                                                         \
  F(ov_status, ov_shape_free, (ov_sizes *))

struct ov_table {
#define OV_MEMBER(result, name, parameters) result(*name) parameters;
  OV_FUNCTIONS(OV_MEMBER)
#undef OV_MEMBER
};
