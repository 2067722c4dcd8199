// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "openvino_session.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ov_table ov;
ov_core *vino_core;

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

/// Whether a line tells where in the library something was found, or that a report follows.
static int is_frame(const char *line, size_t length) {
  static const char *const starts[] = {"Exception from ", "Check '", "FrontEnd API failed", "Summary:",
                                       "-- Conversion is failed", "Model wasn't fully converted"};
  for (size_t index = 0; index < sizeof starts / sizeof *starts; index++)
    if (!strncmp(line, starts[index], strlen(starts[index]))) return 1;
  return memmem(line, length, " failed at src/", 15) || memmem(line, length, " with a message:", 16);
}

/// The lines of a text that are reasons.
static void copy_reason(const char *text, char *reason, size_t capacity) {
  size_t used = 0;
  reason[0] = 0;
  while (*text && used + 2 < capacity) {
    const size_t length = strcspn(text, "\n");
    if (length && !is_frame(text, length))
      used += (size_t)snprintf(reason + used, capacity - used, "%s%.*s", used ? " " : "",
                               (int)(length < 400 ? length : 400), text);
    if (used >= capacity) used = capacity - 1;
    text += length + (text[length] == '\n');
  }
  // What comes after it goes on with the sentence.
  while (used && (reason[used - 1] == '.' || reason[used - 1] == ' ')) reason[--used] = 0;
}

ce_code vino_failure(ov_status status, ce_code code, ce_error *error) {
  const char *text = ov.ov_get_last_err_msg();
  char reason[768];
  copy_reason(text && *text ? text : ov.ov_get_error_info(status), reason, sizeof reason);
  if (!*reason) snprintf(reason, sizeof reason, "%s", ov.ov_get_error_info(status));
  ce_fail(error, code, "OpenVINO: %s", reason);
  return strstr(reason, "bad_alloc") ? ce_out_of_memory : code;
}

ce_code vino_no_memory(ce_error *error) {
  return ce_fail(error, ce_out_of_memory, "there is not enough memory");
}

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
  TRY(ov.ov_core_create(&vino_core), ce_library_missing);
done:
  return code;
}

ce_code vino_describe(const ov_port *port, ce_view *view, ce_error *error) {
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

int vino_is_static(const ce_view *view) {
  if (view->rank < 0 || view->type == ce_unknown) return 0;
  for (int32_t axis = 0; axis < view->rank; axis++)
    if (view->sizes[axis] < 0) return 0;
  return 1;
}

static ce_code read_port(
  const void *handle, size_t index, int is_output, ce_port *out, ce_error *error) {
  const ov_model *model = handle;
  ce_code code = ce_ok;
  ov_port *port = NULL;
  char *name = NULL;
  if (is_output) {
    TRY(ov.ov_model_const_output_by_index(model, index, &port), ce_bad_model);
  } else {
    TRY(ov.ov_model_const_input_by_index(model, index, &port), ce_bad_model);
  }
  // What the library has made itself may have no name.
  if (ov.ov_port_get_any_name(port, &name) != ov_good) name = NULL;
  out->name = strdup(name ? name : "");
  if (!out->name) {
    code = vino_no_memory(error);
    goto done;
  }
  code = vino_describe(port, &out->view, error);
done:
  if (name) ov.ov_free(name);
  if (port) ov.ov_output_const_port_free(port);
  return code;
}

static ce_code read_ports(struct session *session, const ov_model *model, ce_error *error) {
  ce_code code = ce_ok;
  size_t inputs = 0, outputs = 0;
  TRY(ov.ov_model_inputs_size(model, &inputs), ce_bad_model);
  TRY(ov.ov_model_outputs_size(model, &outputs), ce_bad_model);
  code = ce_read_ports(&session->shared, model, inputs, outputs, read_port, error);
done:
  return code;
}

static ce_code read_stated_sizes(struct session *session, ce_error *error) {
  const size_t count = session->shared.input_count;
  ce_code code = ce_ok;
  ov_port *port = NULL;
  session->stated = calloc(count + 1, sizeof *session->stated);
  if (!session->stated) return vino_no_memory(error);
  for (size_t index = 0; index < count; index++) {
    TRY(ov.ov_model_const_input_by_index(session->model, index, &port), ce_bad_model);
    TRY(ov.ov_port_get_partial_shape(port, &session->stated[index]), ce_bad_model);
    ov.ov_output_const_port_free(port);
    port = NULL;
  }
done:
  if (port) ov.ov_output_const_port_free(port);
  return code;
}

static ce_code open_session(
  const char *path, const void *bytes, size_t count, ce_options options, ce_session_ref *out,
  ce_error *error) {
  struct session *session = calloc(1, sizeof *session);
  if (!session) return vino_no_memory(error);
  session->shared.kind = ce_openvino;
  session->options = options;
  pthread_mutex_init(&session->lock, NULL);
  ce_code code = ce_ok;
  int is_fixed = 1;
  if (path) {
    TRY(ov.ov_core_read_model(vino_core, path, NULL, &session->model), ce_bad_model);
  } else {
    TRY(ov.ov_core_read_model_from_memory_buffer(vino_core, bytes, count, NULL, &session->model),
        ce_bad_model);
  }
  code = read_ports(session, session->model, error);
  if (code != ce_ok) goto done;
  for (size_t index = 0; index < session->shared.input_count; index++)
    is_fixed &= vino_is_static(&session->shared.inputs[index].view);
  if (is_fixed) {
    code = vino_compile(session, session->model, &session->general, error);
    ov.ov_model_free(session->model);
    session->model = NULL;
  } else {
    code = read_stated_sizes(session, error);
  }
done:
  if (code == ce_ok) {
    *out = &session->shared;
  } else {
    ce_session_release(&session->shared);
  }
  return code;
}

static void close_session(ce_session_ref shared) {
  struct session *session = (struct session *)shared;
  for (size_t index = 0; index < session->fitted_count; index++)
    vino_close_variant(&session->fitted[index]);
  vino_close_variant(&session->general);
  for (size_t index = 0; index < session->checked_count; index++)
    vino_free_sizes(&session->checked[index]);
  for (size_t index = 0; session->stated && index < shared->input_count; index++)
    ov.ov_partial_shape_free(&session->stated[index]);
  free(session->stated);
  if (session->model) ov.ov_model_free(session->model);
  pthread_mutex_destroy(&session->lock);
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
  ov_request *request, const struct variant *variant, const size_t *wanted, size_t count,
  ov_tensor **tensors, ce_error *error) {
  ce_code code = ce_ok;
  for (size_t index = 0; index < count; index++) {
    ce_view view = variant->outputs[wanted[index]];
    if (!vino_is_static(&view) || view.rank == 0) continue;
    TRY(ov.ov_tensor_create(number_of(view.type), (ov_sizes){view.rank, view.sizes},
                            &tensors[index]),
        ce_failed);
    TRY(ov.ov_infer_request_set_output_tensor_by_index(request, wanted[index], tensors[index]),
        ce_failed);
  }
done:
  return code;
}

/// The sizes of a tensor; a single number has none, for which the library has no words.
static ov_status get_sizes(const ov_tensor *tensor, ov_sizes *sizes) {
  size_t bytes = 0;
  const ov_status status = ov.ov_tensor_get_shape(tensor, sizes);
  if (status != ov_bad_argument) return status;
  *sizes = (ov_sizes){0, NULL};
  return ov.ov_tensor_get_byte_size(tensor, &bytes);
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
  int64_t one = 1;
  TRY(get_sizes(held, &shape), ce_failed);
  TRY(ov.ov_tensor_get_element_type(held, &number), ce_failed);
  TRY(ov.ov_tensor_create(number, shape.sizes ? shape : (ov_sizes){1, &one}, &copy), ce_failed);
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

static ce_code take(
  ov_tensor *tensor, const ce_view *known, ce_value_ref *out, ce_error *error) {
  ce_code code = ce_ok;
  ov_sizes shape = {0, NULL};
  int32_t number = 0;
  size_t bytes = 0;
  ce_value_ref value = ce_make_value(ce_openvino);
  if (!value) return vino_no_memory(error);
  TRY(get_sizes(tensor, &shape), ce_failed);
  // A single number was copied as a row of one.
  if (known->rank == 0 && shape.rank == 1) shape.rank = 0;
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
  struct variant *variant = NULL;
  ov_request *request = NULL;
  ce_code code = vino_borrow(session, views, &variant, &request, error);
  if (code == ce_ok) code = set_inputs(request, views, shared->input_count, inputs, error);
  if (code == ce_ok) code = set_outputs(request, variant, wanted, count, outputs, error);
  if (code != ce_ok) goto done;
  TRY(ov.ov_infer_request_infer(request), ce_failed);
  for (size_t index = 0; code == ce_ok && index < count; index++) {
    if (!outputs[index]) code = copy_output(request, wanted[index], &outputs[index], error);
    if (code == ce_ok) code = take(outputs[index], &variant->outputs[wanted[index]], &taken[index], error);
    if (code == ce_ok) outputs[index] = NULL;
  }
done:
  // A request holds on to its tensors, whose memory is the caller's: after a failure it may hold
  // some of a call that never ran, so it is not used again.
  if (request && code == ce_ok) vino_give_back(session, variant, request);
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
