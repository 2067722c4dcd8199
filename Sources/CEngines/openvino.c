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
/// Sizes of inputs that the model is compiled for, each by itself; of more, it is once for all.
#define MAX_FITTED 4
/// Sizes that were found to go together, and are not looked at again.
#define MAX_CHECKED 64

static struct ov_table ov;
static ov_core *core;

/// The sizes of all inputs of a call.
struct sizes {
  int32_t *ranks;
  int64_t *axes;
};

/// The model as it was compiled, for inputs of one size or of any.
struct variant {
  ov_compiled *compiled;
  struct sizes inputs;
  /// The sizes of its outputs, as far as they are known before anything is computed.
  ce_view *outputs;
  /// Requests that no call is using: each call needs one of its own.
  ov_request *idle[MAX_IDLE];
  size_t idle_count;
};

struct session {
  struct ce_session shared;
  ce_options options;
  /// Guards all that follows.
  pthread_mutex_t lock;
  /// Null where the file states all sizes: there is one variant then.
  ov_model *model;
  /// The sizes that the file states, some of them ranges.
  ov_partial_sizes *stated;
  struct variant fitted[MAX_FITTED], general;
  size_t fitted_count;
  struct sizes checked[MAX_CHECKED];
  size_t checked_count, next_checked;
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

static ce_code failure(ov_status status, ce_code code, ce_error *error) {
  const char *text = ov.ov_get_last_err_msg();
  char reason[768];
  copy_reason(text && *text ? text : ov.ov_get_error_info(status), reason, sizeof reason);
  if (!*reason) snprintf(reason, sizeof reason, "%s", ov.ov_get_error_info(status));
  ce_fail(error, code, "OpenVINO: %s", reason);
  return strstr(reason, "bad_alloc") ? ce_out_of_memory : code;
}

static ce_code no_memory(ce_error *error) {
  return ce_fail(error, ce_out_of_memory, "there is not enough memory");
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
    code = no_memory(error);
    goto done;
  }
  code = describe(port, &out->view, error);
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
  if (!session->stated) return no_memory(error);
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

static int is_static(const ce_view *view) {
  if (view->rank < 0 || view->type == ce_unknown) return 0;
  for (int32_t axis = 0; axis < view->rank; axis++)
    if (view->sizes[axis] < 0) return 0;
  return 1;
}

/// One picture at a time on all threads; numbers as the file has them unless fewer bits are allowed,
/// and no thread bound to a core, which another library's threads may want.
static ce_code compile(
  const struct session *session, const ov_model *model, struct variant *variant,
  ce_error *error) {
  const ce_options options = session->options;
  const size_t outputs = session->shared.output_count;
  ce_code code = ce_ok;
  ov_port *port = NULL;
  char threads[16];
  snprintf(threads, sizeof threads, "%d", options.threads);
  variant->outputs = calloc(outputs + 1, sizeof *variant->outputs);
  if (!variant->outputs) return no_memory(error);
  TRY(ov.ov_core_compile_model(core, model, "CPU", 10, &variant->compiled, "PERFORMANCE_HINT",
                               "LATENCY", "NUM_STREAMS", "1", "INFERENCE_NUM_THREADS", threads,
                               options.reduces_precision ? "EXECUTION_MODE_HINT" : "INFERENCE_PRECISION_HINT",
                               options.reduces_precision ? "PERFORMANCE" : "f32", "ENABLE_CPU_PINNING", "NO"),
      ce_bad_model);
  for (size_t index = 0; index < outputs; index++) {
    TRY(ov.ov_compiled_model_output_by_index(variant->compiled, index, &port), ce_bad_model);
    code = describe(port, &variant->outputs[index], error);
    ov.ov_output_const_port_free(port);
    port = NULL;
    if (code != ce_ok) goto done;
  }
done:
  return code;
}

static void free_sizes(struct sizes *sizes) {
  free(sizes->ranks);
  free(sizes->axes);
  *sizes = (struct sizes){NULL, NULL};
}

static ce_code copy_sizes(
  const ce_view *views, size_t count, struct sizes *sizes, ce_error *error) {
  sizes->ranks = calloc(count + 1, sizeof *sizes->ranks);
  sizes->axes = calloc(count * CE_MAX_RANK + 1, sizeof *sizes->axes);
  if (!sizes->ranks || !sizes->axes) {
    free_sizes(sizes);
    return no_memory(error);
  }
  for (size_t index = 0; index < count; index++) {
    sizes->ranks[index] = views[index].rank;
    for (int32_t axis = 0; axis < views[index].rank; axis++)
      sizes->axes[index * CE_MAX_RANK + axis] = views[index].sizes[axis];
  }
  return ce_ok;
}

static int have_sizes(const ce_view *views, size_t count, const struct sizes *sizes) {
  for (size_t index = 0; index < count; index++) {
    if (views[index].rank != sizes->ranks[index]) return 0;
    for (int32_t axis = 0; axis < views[index].rank; axis++)
      if (views[index].sizes[axis] != sizes->axes[index * CE_MAX_RANK + axis]) return 0;
  }
  return 1;
}

static void close_variant(struct variant *variant) {
  for (size_t index = 0; index < variant->idle_count; index++)
    ov.ov_infer_request_free(variant->idle[index]);
  if (variant->compiled) ov.ov_compiled_model_free(variant->compiled);
  free_sizes(&variant->inputs);
  free(variant->outputs);
  *variant = (struct variant){0};
}

static ce_code open_session(
  const char *path, const void *bytes, size_t count, ce_options options, ce_session_ref *out,
  ce_error *error) {
  struct session *session = calloc(1, sizeof *session);
  if (!session) return no_memory(error);
  session->shared.kind = ce_openvino;
  session->options = options;
  pthread_mutex_init(&session->lock, NULL);
  ce_code code = ce_ok;
  int is_fixed = 1;
  if (path) {
    TRY(ov.ov_core_read_model(core, path, NULL, &session->model), ce_bad_model);
  } else {
    TRY(ov.ov_core_read_model_from_memory_buffer(core, bytes, count, NULL, &session->model),
        ce_bad_model);
  }
  code = read_ports(session, session->model, error);
  if (code != ce_ok) goto done;
  for (size_t index = 0; index < session->shared.input_count; index++)
    is_fixed &= is_static(&session->shared.inputs[index].view);
  if (is_fixed) {
    code = compile(session, session->model, &session->general, error);
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
    close_variant(&session->fitted[index]);
  close_variant(&session->general);
  for (size_t index = 0; index < session->checked_count; index++)
    free_sizes(&session->checked[index]);
  for (size_t index = 0; session->stated && index < shared->input_count; index++)
    ov.ov_partial_shape_free(&session->stated[index]);
  free(session->stated);
  if (session->model) ov.ov_model_free(session->model);
  pthread_mutex_destroy(&session->lock);
}

/// Gives the model's inputs these sizes, which finds those that do not go together: computed without
/// being asked, such an input may end the process.
static ce_code give_sizes(
  const struct session *session, const ce_view *views, ce_error *error) {
  const size_t count = session->shared.input_count;
  ce_code code = ce_ok;
  size_t *places = calloc(count + 1, sizeof *places);
  ov_partial_sizes *sizes = calloc(count + 1, sizeof *sizes);
  ov_range *axes = calloc(count * CE_MAX_RANK + 1, sizeof *axes);
  if (!places || !sizes || !axes) {
    code = no_memory(error);
    goto done;
  }
  for (size_t index = 0; index < count; index++) {
    places[index] = index;
    if (!views) {
      sizes[index] = session->stated[index];
      continue;
    }
    const int32_t rank = views[index].rank;
    sizes[index] = (ov_partial_sizes){{rank, rank}, &axes[index * CE_MAX_RANK]};
    for (int32_t axis = 0; axis < rank; axis++) {
      const int64_t size = views[index].sizes[axis];
      sizes[index].sizes[axis] = (ov_range){size, size};
    }
  }
  TRY(ov.ov_model_reshape_by_port_indexes(session->model, places, sizes, count), ce_bad_argument);
done:
  free(places);
  free(sizes);
  free(axes);
  return code;
}

/// Makes sure that inputs of these sizes go together; the caller holds the lock.
static ce_code check_sizes(struct session *session, const ce_view *views, ce_error *error) {
  const size_t count = session->shared.input_count;
  for (size_t index = 0; index < session->checked_count; index++)
    if (have_sizes(views, count, &session->checked[index])) return ce_ok;
  struct sizes sizes;
  ce_code code = give_sizes(session, views, error);
  if (code == ce_ok) code = copy_sizes(views, count, &sizes, error);
  if (code != ce_ok) return code;
  struct sizes *place = &session->checked[session->next_checked];
  if (session->checked_count == MAX_CHECKED) free_sizes(place);
  else session->checked_count++;
  *place = sizes;
  session->next_checked = (session->next_checked + 1) % MAX_CHECKED;
  return ce_ok;
}

/// The model compiled for inputs of these sizes; the caller holds the lock.
static ce_code choose(
  struct session *session, const ce_view *views, struct variant **out, ce_error *error) {
  const size_t count = session->shared.input_count;
  *out = &session->general;
  if (!session->model) return ce_ok;
  for (size_t index = 0; index < session->fitted_count; index++)
    if (have_sizes(views, count, &session->fitted[index].inputs)) {
      *out = &session->fitted[index];
      return ce_ok;
    }
  if (session->fitted_count == MAX_FITTED) {
    ce_code code = check_sizes(session, views, error);
    if (code != ce_ok || session->general.compiled) return code;
    code = give_sizes(session, NULL, error);
    if (code == ce_ok) code = compile(session, session->model, &session->general, error);
    if (code != ce_ok) close_variant(&session->general);
    return code;
  }
  struct variant *variant = &session->fitted[session->fitted_count];
  ce_code code = give_sizes(session, views, error);
  if (code == ce_ok) code = copy_sizes(views, count, &variant->inputs, error);
  if (code == ce_ok) code = compile(session, session->model, variant, error);
  if (code != ce_ok) {
    close_variant(variant);
    return code;
  }
  session->fitted_count++;
  *out = variant;
  return ce_ok;
}

static ce_code borrow(
  struct session *session, const ce_view *views, struct variant **variant, ov_request **out,
  ce_error *error) {
  pthread_mutex_lock(&session->lock);
  ov_request *request = NULL;
  ce_code code = choose(session, views, variant, error);
  if (code == ce_ok && (*variant)->idle_count)
    request = (*variant)->idle[--(*variant)->idle_count];
  pthread_mutex_unlock(&session->lock);
  if (code == ce_ok && !request)
    TRY(ov.ov_compiled_model_create_infer_request((*variant)->compiled, &request), ce_failed);
  *out = request;
done:
  return code;
}

static void give_back(struct session *session, struct variant *variant, ov_request *request) {
  pthread_mutex_lock(&session->lock);
  const int has_room = variant->idle_count < MAX_IDLE;
  if (has_room) variant->idle[variant->idle_count++] = request;
  pthread_mutex_unlock(&session->lock);
  if (!has_room) ov.ov_infer_request_free(request);
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
    if (!is_static(&view) || view.rank == 0) continue;
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
  if (!value) return no_memory(error);
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
  ce_code code = borrow(session, views, &variant, &request, error);
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
  if (request && code == ce_ok) give_back(session, variant, request);
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
