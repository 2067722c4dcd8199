// SPDX-License-Identifier: Apache-2.0
// What is used of ONNX Runtime's C interface, declared by ourselves.
//
// The library hands out one table of function pointers whose order never changes: later versions
// append. The numbers below are places in it, as include/onnxruntime/core/session/
// onnxruntime_c_api.h lists them (microsoft/onnxruntime, API version 13). `GetApi(13)` gives
// nothing where a library is older than 1.13.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define ORT_VERSION_USED 13

typedef struct ort_status ort_status;
typedef struct ort_environment ort_environment;
typedef struct ort_options ort_options;
typedef struct ort_session ort_session;
typedef struct ort_value ort_value;
typedef struct ort_memory ort_memory;
typedef struct ort_allocator ort_allocator;
typedef struct ort_type_info ort_type_info;
typedef struct ort_tensor_info ort_tensor_info;
typedef struct ort_run_options ort_run_options;
typedef struct ort_cuda_options ort_cuda_options;
typedef struct ort_tensorrt_options ort_tensorrt_options;

enum { ort_log_fatal = 4, ort_optimize_all = 99, ort_arena = 1, ort_default_memory = 0 };
enum { ort_code_no_file = 3, ort_code_no_model = 4, ort_code_bad_protobuf = 7,
       ort_code_not_implemented = 9, ort_code_bad_graph = 10 };

/// The table; `gap_…` are functions that are not used.
struct ort_api {
  void *gap_0;
  int (*error_code)(const ort_status *);
  const char *(*error_message)(const ort_status *);
  ort_status *(*create_environment)(int level, const char *name, ort_environment **);
  void *gap_4[3];
  ort_status *(*create_session)(
    const ort_environment *, const char *path, const ort_options *, ort_session **);
  ort_status *(*create_session_from_bytes)(
    const ort_environment *, const void *, size_t, const ort_options *, ort_session **);
  ort_status *(*run)(
    ort_session *, const ort_run_options *, const char *const *input_names,
    const ort_value *const *inputs, size_t input_count, const char *const *output_names,
    size_t output_count, ort_value **outputs);
  ort_status *(*create_options)(ort_options **);
  void *gap_11[12];
  ort_status *(*set_optimization)(ort_options *, int level);
  ort_status *(*set_threads_within)(ort_options *, int);
  ort_status *(*set_threads_between)(ort_options *, int);
  void *gap_26[4];
  ort_status *(*input_count)(const ort_session *, size_t *);
  ort_status *(*output_count)(const ort_session *, size_t *);
  void *gap_32;
  ort_status *(*input_type)(const ort_session *, size_t, ort_type_info **);
  ort_status *(*output_type)(const ort_session *, size_t, ort_type_info **);
  void *gap_35;
  ort_status *(*input_name)(const ort_session *, size_t, ort_allocator *, char **);
  ort_status *(*output_name)(const ort_session *, size_t, ort_allocator *, char **);
  void *gap_38[11];
  ort_status *(*create_tensor_over)(
    const ort_memory *, void *, size_t bytes, const int64_t *sizes, size_t rank, int type,
    ort_value **);
  ort_status *(*is_tensor)(const ort_value *, int *);
  ort_status *(*tensor_data)(ort_value *, void **);
  void *gap_52[3];
  ort_status *(*tensor_info_of_type)(const ort_type_info *, const ort_tensor_info **);
  void *gap_56[4];
  ort_status *(*element_type)(const ort_tensor_info *, int *);
  ort_status *(*rank)(const ort_tensor_info *, size_t *);
  ort_status *(*sizes)(const ort_tensor_info *, int64_t *, size_t);
  void *gap_63[2];
  ort_status *(*tensor_info_of_value)(const ort_value *, ort_tensor_info **);
  void *gap_66[3];
  ort_status *(*create_cpu_memory)(int allocator, int kind, ort_memory **);
  void *gap_70[6];
  ort_status *(*free_by)(ort_allocator *, void *);
  void *gap_77;
  ort_status *(*default_allocator)(ort_allocator **);
  void *gap_79[14];
  void (*release_status)(ort_status *);
  void *gap_94;
  void (*release_session)(ort_session *);
  void (*release_value)(ort_value *);
  void *gap_97;
  void (*release_type_info)(ort_type_info *);
  void (*release_tensor_info)(ort_tensor_info *);
  void (*release_options)(ort_options *);
  void *gap_101[24];
  ort_status *(*providers)(char ***names, int *count);
  ort_status *(*release_providers)(char **names, int count);
  void *gap_127[3];
  ort_status *(*add_setting)(ort_options *, const char *key, const char *value);
  void *gap_131[39];
  ort_status *(*add_tensorrt)(ort_options *, const ort_tensorrt_options *);
  ort_status *(*create_tensorrt)(ort_tensorrt_options **);
  ort_status *(*set_tensorrt)(
    ort_tensorrt_options *, const char *const *keys, const char *const *values, size_t count);
  void *gap_173;
  void (*release_tensorrt)(ort_tensorrt_options *);
  void *gap_175[29];
  ort_status *(*add_cuda)(ort_options *, const ort_cuda_options *);
  ort_status *(*create_cuda)(ort_cuda_options **);
  ort_status *(*set_cuda)(
    ort_cuda_options *, const char *const *keys, const char *const *values, size_t count);
  void *gap_207;
  void (*release_cuda)(ort_cuda_options *);
};

#define ORT_PLACE(member, place) \
  _Static_assert(offsetof(struct ort_api, member) == (place) * sizeof(void *), #member)
ORT_PLACE(error_message, 2);
ORT_PLACE(create_environment, 3);
ORT_PLACE(create_session, 7);
ORT_PLACE(run, 9);
ORT_PLACE(create_options, 10);
ORT_PLACE(set_optimization, 23);
ORT_PLACE(set_threads_between, 25);
ORT_PLACE(input_count, 30);
ORT_PLACE(input_type, 33);
ORT_PLACE(input_name, 36);
ORT_PLACE(create_tensor_over, 49);
ORT_PLACE(tensor_data, 51);
ORT_PLACE(tensor_info_of_type, 55);
ORT_PLACE(element_type, 60);
ORT_PLACE(sizes, 62);
ORT_PLACE(tensor_info_of_value, 65);
ORT_PLACE(create_cpu_memory, 69);
ORT_PLACE(free_by, 76);
ORT_PLACE(default_allocator, 78);
ORT_PLACE(release_status, 93);
ORT_PLACE(release_session, 95);
ORT_PLACE(release_value, 96);
ORT_PLACE(release_type_info, 98);
ORT_PLACE(release_options, 100);
ORT_PLACE(providers, 125);
ORT_PLACE(release_providers, 126);
ORT_PLACE(add_setting, 130);
ORT_PLACE(add_tensorrt, 170);
ORT_PLACE(create_tensorrt, 171);
ORT_PLACE(set_tensorrt, 172);
ORT_PLACE(release_tensorrt, 174);
ORT_PLACE(add_cuda, 204);
ORT_PLACE(create_cuda, 205);
ORT_PLACE(set_cuda, 206);
ORT_PLACE(release_cuda, 208);

struct ort_api_base {
  const struct ort_api *(*get_api)(uint32_t version);
  const char *(*version)(void);
};
