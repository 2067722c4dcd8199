// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "openvino_api.h"
#include "session.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_IDLE 16

static struct ov_table ov;
static ov_core *core;

struct session {
  struct ce_session shared;
  ov_compiled *compiled;
  /// Requests that no call is using: each call needs one of its own.
  pthread_mutex_t lock;
  ov_request *idle[MAX_IDLE];
  size_t idle_count;
};

static const struct { ce_type type; int32_t number; } types[] = {
  {ce_bool, ov_bool},       {ce_bfloat16, ov_bfloat16}, {ce_float16, ov_float16},
  {ce_float32, ov_float32}, {ce_float64, ov_float64},   {ce_int8, ov_int8},
  {ce_int16, ov_int16},     {ce_int32, ov_int32},       {ce_int64, ov_int64},
  {ce_uint8, ov_uint8},     {ce_uint16, ov_uint16},     {ce_uint32, ov_uint32},
  {ce_uint64, ov_uint64},
};
#define TYPES (sizeof types / sizeof *types)

static int32_t number_of(ce_type type) {
  for (size_t index = 0; index < TYPES; index++)
    if (types[index].type == type) return types[index].number;
  return 0;
}

static ce_type type_of(int32_t number) {
  for (size_t index = 0; index < TYPES; index++)
    if (types[index].number == number) return types[index].type;
  return ce_unknown;
}

/// The lines of a text that are reasons: those that name sources and checks of the library are not.
static void copy_reason(const char *text, char *reason, size_t capacity) {
  size_t used = 0;
  reason[0] = 0;
  while (*text && used + 2 < capacity) {
    const size_t length = strcspn(text, "\n");
    const int is_source = !strncmp(text, "Exception from ", 15) || !strncmp(text, "Check '", 7);
    if (length && !is_source)
      used += (size_t)snprintf(reason + used, capacity - used, "%s%.*s", used ? " " : "",
                               (int)(length < 400 ? length : 400), text);
    if (used >= capacity) used = capacity - 1;
    text += length + (text[length] == '\n');
  }
}

static ce_code failure(ov_status status, ce_code code, ce_error *error) {
  const char *text = ov.ov_get_last_err_msg();
  char reason[768];
  copy_reason(text && *text ? text : ov.ov_get_error_info(status), reason, sizeof reason);
  if (!*reason) snprintf(reason, sizeof reason, "%s", ov.ov_get_error_info(status));
  ce_fail(error, code, "OpenVINO: %s", reason);
  return strstr(reason, "bad_alloc") ? ce_out_of_memory : code;
}

#define TRY(call, as)                                              \
  do {                                                             \
    const ov_status status_ = (call);                              \
    if (status_ != ov_good) { code = failure(status_, as, error); goto done; } \
  } while (0)

/// Whether the numbers of element types are those that are declared: eight elements of each take
/// the bytes that they should, and so do those of the packed types in between.
static int has_known_types(void) {
  static const int32_t bytes[] = {0, 8, 16, 16, 32, 64, 4, 8, 16, 32, 64, 1, 2, 3, 4, 6, 8, 16, 32,
                                  64};
  int64_t eight = 8;
  for (int32_t number = 1; number < (int32_t)(sizeof bytes / sizeof *bytes); number++) {
    ov_tensor *tensor = NULL;
    size_t count = 0;
    if (ov.ov_tensor_create(number, (ov_sizes){1, &eight}, &tensor) != ov_good) return 0;
    const ov_status status = ov.ov_tensor_get_byte_size(tensor, &count);
    ov.ov_tensor_free(tensor);
    if (status != ov_good || count != (size_t)bytes[number]) return 0;
  }
  return 1;
}

static ce_code bind(void *library, ce_facts *facts, ce_error *error) {
  ce_code code = ce_ok;
#define OV_FETCH(result, name, parameters)                                                     \
  *(void **)&ov.name = dlsym(library, #name);                                                  \
  if (!ov.name)                                                                                \
    return ce_fail(error, ce_library_missing,                                                  \
                   "it is not OpenVINO's C library, or too old a one: it has no " #name);
  OV_FUNCTIONS(OV_FETCH)
  ov_release release = {NULL, NULL};
  TRY(ov.ov_get_openvino_version(&release), ce_library_missing);
  const size_t length = strcspn(release.number, "-");
  snprintf(facts->version, sizeof facts->version, "%.*s", (int)length, release.number);
  ov.ov_version_free(&release);
  if (!has_known_types())
    return ce_fail(error, ce_library_missing,
                   "it is OpenVINO %s, which numbers element types in another way; 2025.4 or later "
                   "is needed",
                   facts->version);
  TRY(ov.ov_core_create(&core), ce_library_missing);
done:
  return code;
}

static ce_code describe(const ov_port *port, ce_view *view, ce_error *error) {
  ce_code code = ce_ok;
  int32_t number = 0;
  ov_partial_sizes shape = {{0, 0}, NULL};
  *view = (ce_view){.type = ce_unknown, .rank = -1};
  TRY(ov.ov_port_get_element_type(port, &number), ce_bad_model);
  view->type = type_of(number);
  TRY(ov.ov_port_get_partial_shape(port, &shape), ce_bad_model);
  if (shape.rank.least == shape.rank.most && shape.rank.least <= CE_MAX_RANK) {
    view->rank = (int32_t)shape.rank.least;
    for (int32_t axis = 0; axis < view->rank; axis++) {
      const ov_range size = shape.sizes[axis];
      view->sizes[axis] = size.least == size.most ? size.least : -1;
    }
  }
done:
  ov.ov_partial_shape_free(&shape);
  return code;
}

static ce_code read_port(
  const void *handle, size_t index, int is_output, ce_port *out, ce_error *error) {
  const ov_compiled *compiled = handle;
  ce_code code = ce_ok;
  ov_port *port = NULL;
  char *name = NULL;
  if (is_output) {
    TRY(ov.ov_compiled_model_output_by_index(compiled, index, &port), ce_bad_model);
  } else {
    TRY(ov.ov_compiled_model_input_by_index(compiled, index, &port), ce_bad_model);
  }
  // What the library has made itself may have no name.
  if (ov.ov_port_get_any_name(port, &name) != ov_good) name = NULL;
  out->name = strdup(name ? name : "");
  if (!out->name) {
    code = ce_fail(error, ce_out_of_memory, "there is not enough memory");
    goto done;
  }
  code = describe(port, &out->view, error);
done:
  if (name) ov.ov_free(name);
  if (port) ov.ov_output_const_port_free(port);
  return code;
}

static ce_code read_ports(struct session *session, ce_error *error) {
  ce_code code = ce_ok;
  size_t inputs = 0, outputs = 0;
  TRY(ov.ov_compiled_model_inputs_size(session->compiled, &inputs), ce_bad_model);
  TRY(ov.ov_compiled_model_outputs_size(session->compiled, &outputs), ce_bad_model);
  code = ce_read_ports(&session->shared, session->compiled, inputs, outputs, read_port, error);
done:
  return code;
}

/// One picture at a time on all threads; numbers as the file has them unless fewer bits are allowed,
/// and no thread bound to a core, which another library's threads may want.
static ce_code compile(
  struct session *session, const ov_model *model, ce_options options, ce_error *error) {
  ce_code code = ce_ok;
  char threads[16];
  snprintf(threads, sizeof threads, "%d", options.threads);
  TRY(ov.ov_core_compile_model(core, model, "CPU", 10, &session->compiled, "PERFORMANCE_HINT",
                               "LATENCY", "NUM_STREAMS", "1", "INFERENCE_NUM_THREADS", threads,
                               options.reduces_precision ? "EXECUTION_MODE_HINT" : "INFERENCE_PRECISION_HINT",
                               options.reduces_precision ? "PERFORMANCE" : "f32", "ENABLE_CPU_PINNING", "NO"),
      ce_bad_model);
done:
  return code;
}

static ce_code open_session(
  const char *path, const void *bytes, size_t count, ce_options options, ce_session_ref *out,
  ce_error *error) {
  struct session *session = calloc(1, sizeof *session);
  if (!session) return ce_fail(error, ce_out_of_memory, "there is not enough memory");
  session->shared.kind = ce_openvino;
  pthread_mutex_init(&session->lock, NULL);
  ce_code code = ce_ok;
  ov_model *model = NULL;
  if (path) {
    TRY(ov.ov_core_read_model(core, path, NULL, &model), ce_bad_model);
  } else {
    TRY(ov.ov_core_read_model_from_memory_buffer(core, bytes, count, NULL, &model), ce_bad_model);
  }
  code = compile(session, model, options, error);
  if (code == ce_ok) code = read_ports(session, error);
done:
  if (model) ov.ov_model_free(model);
  if (code == ce_ok) {
    *out = &session->shared;
  } else {
    ce_session_release(&session->shared);
  }
  return code;
}

static void close_session(ce_session_ref shared) {
  struct session *session = (struct session *)shared;
  for (size_t index = 0; index < session->idle_count; index++)
    ov.ov_infer_request_free(session->idle[index]);
  if (session->compiled) ov.ov_compiled_model_free(session->compiled);
  pthread_mutex_destroy(&session->lock);
}

static ce_code borrow(struct session *session, ov_request **out, ce_error *error) {
  ce_code code = ce_ok;
  pthread_mutex_lock(&session->lock);
  ov_request *request = session->idle_count ? session->idle[--session->idle_count] : NULL;
  pthread_mutex_unlock(&session->lock);
  if (!request)
    TRY(ov.ov_compiled_model_create_infer_request(session->compiled, &request), ce_failed);
  *out = request;
done:
  return code;
}

static void give_back(struct session *session, ov_request *request) {
  pthread_mutex_lock(&session->lock);
  const int has_room = session->idle_count < MAX_IDLE;
  if (has_room) session->idle[session->idle_count++] = request;
  pthread_mutex_unlock(&session->lock);
  if (!has_room) ov.ov_infer_request_free(request);
}

static int is_static(const ce_view *view) {
  if (view->rank < 0 || view->type == ce_unknown) return 0;
  for (int32_t axis = 0; axis < view->rank; axis++)
    if (view->sizes[axis] < 0) return 0;
  return 1;
}

static ce_code set_inputs(
  ov_request *request, const ce_view *views, size_t count, ov_tensor **tensors, ce_error *error) {
  ce_code code = ce_ok;
  for (size_t index = 0; index < count; index++) {
    ce_view view = views[index];
    TRY(ov.ov_tensor_create_from_host_ptr(number_of(view.type), (ov_sizes){view.rank, view.sizes},
                                          view.elements, &tensors[index]),
        ce_bad_argument);
    TRY(ov.ov_infer_request_set_input_tensor_by_index(request, index, tensors[index]),
        ce_bad_argument);
  }
done:
  return code;
}

/// Outputs of a known size are computed into memory of the value's own: the request's would be
/// written over by the next call.
static ce_code set_outputs(
  ov_request *request, const struct ce_session *session, const size_t *wanted, size_t count,
  ov_tensor **tensors, ce_error *error) {
  ce_code code = ce_ok;
  for (size_t index = 0; index < count; index++) {
    ce_view view = session->outputs[wanted[index]].view;
    if (!is_static(&view)) continue;
    TRY(ov.ov_tensor_create(number_of(view.type), (ov_sizes){view.rank, view.sizes},
                            &tensors[index]),
        ce_failed);
    TRY(ov.ov_infer_request_set_output_tensor_by_index(request, wanted[index], tensors[index]),
        ce_failed);
  }
done:
  return code;
}

/// A copy of what a request holds, whose size became known by computing it.
static ce_code copy_output(
  const ov_request *request, size_t index, ov_tensor **out, ce_error *error) {
  ce_code code = ce_ok;
  ov_tensor *held = NULL, *copy = NULL;
  ov_sizes shape = {0, NULL};
  int32_t number = 0;
  void *from = NULL, *to = NULL;
  size_t bytes = 0;
  TRY(ov.ov_infer_request_get_output_tensor_by_index(request, index, &held), ce_failed);
  TRY(ov.ov_tensor_get_shape(held, &shape), ce_failed);
  TRY(ov.ov_tensor_get_element_type(held, &number), ce_failed);
  TRY(ov.ov_tensor_create(number, shape, &copy), ce_failed);
  TRY(ov.ov_tensor_get_byte_size(held, &bytes), ce_failed);
  if (bytes) {
    TRY(ov.ov_tensor_data(held, &from), ce_failed);
    TRY(ov.ov_tensor_data(copy, &to), ce_failed);
    memcpy(to, from, bytes);
  }
  *out = copy;
  copy = NULL;
done:
  if (shape.sizes) ov.ov_shape_free(&shape);
  if (copy) ov.ov_tensor_free(copy);
  if (held) ov.ov_tensor_free(held);
  return code;
}

static ce_code take(ov_tensor *tensor, ce_value_ref *out, ce_error *error) {
  ce_code code = ce_ok;
  ov_sizes shape = {0, NULL};
  int32_t number = 0;
  size_t bytes = 0;
  ce_value_ref value = ce_make_value(ce_openvino);
  if (!value) return ce_fail(error, ce_out_of_memory, "there is not enough memory");
  TRY(ov.ov_tensor_get_shape(tensor, &shape), ce_failed);
  TRY(ov.ov_tensor_get_element_type(tensor, &number), ce_failed);
  value->view.type = type_of(number);
  if (shape.rank > CE_MAX_RANK || value->view.type == ce_unknown) {
    code = ce_fail(error, ce_bad_model, "an output has %d axes and elements of type %d",
                   (int)shape.rank, (int)number);
    goto done;
  }
  value->view.rank = (int32_t)shape.rank;
  for (int64_t axis = 0; axis < shape.rank; axis++) value->view.sizes[axis] = shape.sizes[axis];
  TRY(ov.ov_tensor_get_byte_size(tensor, &bytes), ce_failed);
  if (bytes) TRY(ov.ov_tensor_data(tensor, &value->view.elements), ce_failed);
  value->handle = tensor;
  *out = value;
done:
  if (shape.sizes) ov.ov_shape_free(&shape);
  if (code != ce_ok) free(value);
  return code;
}

static ce_code run(
  ce_session_ref shared, const ce_view *views, const size_t *wanted, size_t count,
  ce_value_ref *values, ce_error *error) {
  struct session *session = (struct session *)shared;
  ov_tensor *inputs[CE_MAX_PORTS] = {NULL}, *outputs[CE_MAX_PORTS] = {NULL};
  ce_value_ref taken[CE_MAX_PORTS] = {NULL};
  ov_request *request = NULL;
  ce_code code = borrow(session, &request, error);
  if (code == ce_ok) code = set_inputs(request, views, shared->input_count, inputs, error);
  if (code == ce_ok) code = set_outputs(request, shared, wanted, count, outputs, error);
  if (code != ce_ok) goto done;
  TRY(ov.ov_infer_request_infer(request), ce_failed);
  for (size_t index = 0; code == ce_ok && index < count; index++) {
    if (!outputs[index]) code = copy_output(request, wanted[index], &outputs[index], error);
    if (code == ce_ok) code = take(outputs[index], &taken[index], error);
    if (code == ce_ok) outputs[index] = NULL;
  }
done:
  // A request holds on to its tensors, whose memory is the caller's: after a failure it may hold
  // some of a call that never ran, so it is not used again.
  if (request && code == ce_ok) give_back(session, request);
  if (request && code != ce_ok) ov.ov_infer_request_free(request);
  for (size_t index = 0; index < shared->input_count; index++)
    if (inputs[index]) ov.ov_tensor_free(inputs[index]);
  for (size_t index = 0; index < count; index++) {
    if (outputs[index]) ov.ov_tensor_free(outputs[index]);
    if (code == ce_ok) values[index] = taken[index];
    if (code != ce_ok) ce_value_release(taken[index]);
  }
  return code;
}

static void release(ce_value_ref value) { ov.ov_tensor_free(value->handle); }

const ce_engine ce_openvino_engine = {bind, open_session, run, close_session, release};
