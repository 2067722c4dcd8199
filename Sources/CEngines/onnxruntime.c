// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "onnxruntime_api.h"
#include "session.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ort_api *api;
static ort_environment *environment;
static ort_memory *memory;
static ort_allocator *allocator;

struct session {
  struct ce_session shared;
  ort_session *handle;
};

/// What is left of ONNX Runtime's text once its error's number and name, and the source and the
/// function that it came from, are gone: these say nothing to users.
static const char *reason_in(const char *text) {
  const char *mark = strstr(text, "ONNXRuntimeError] : ");
  for (int part = 0; mark && part < 3; part++) {
    mark = strstr(mark, " : ");
    if (mark) text = mark += 3;
  }
  const char *source = strstr(text, "onnxruntime_src/");
  if (!source) source = strstr(text, "/onnxruntime/core/");
  if (!source) return text;
  const char *end = strstr(source, " was false. ");
  if (end) return end + strlen(" was false. ");
  end = strstr(source, ") ");
  return end && end[2] ? end + 2 : text;
}

/// Turns a status into an error, and releases it.
static ce_code failure(ort_status *status, ce_error *error) {
  const char *text = api->error_message(status);
  const int number = api->error_code(status);
  const int is_model = number == ort_code_no_file || number == ort_code_no_model ||
                       number == ort_code_bad_protobuf || number == ort_code_bad_graph ||
                       number == ort_code_not_implemented;
  ce_fail(error, ce_failed, "ONNX Runtime: %s", reason_in(text));
  const int is_memory = strstr(text, "bad_alloc") || strstr(text, "Failed to allocate memory");
  api->release_status(status);
  return is_memory ? ce_out_of_memory : is_model ? ce_bad_model : ce_failed;
}

#define TRY(call)                                       \
  do {                                                  \
    ort_status *status_ = (call);                       \
    if (status_) { code = failure(status_, error); goto done; } \
  } while (0)

/// Writes the names of the library's providers with a space between, as many as there is room for.
static ce_code list_providers(char *text, size_t capacity, ce_error *error) {
  ce_code code = ce_ok;
  char **names = NULL;
  int count = 0;
  size_t length = 0;
  TRY(api->providers(&names, &count));
  for (int index = 0; index < count; index++) {
    const int added = snprintf(text + length, capacity - length, "%s%s", index ? " " : "",
                               names[index]);
    if (added < 0 || (size_t)added >= capacity - length) {
      text[length] = 0;
      break;
    }
    length += (size_t)added;
  }
  TRY(api->release_providers(names, count));
done:
  return code;
}

static ce_code bind(void *library, ce_facts *facts, ce_error *error) {
  const struct ort_api_base *(*base)(void) = NULL;
  *(void **)&base = dlsym(library, "OrtGetApiBase");
  if (!base) return ce_fail(error, ce_library_missing, "it is not ONNX Runtime");
  snprintf(facts->version, sizeof facts->version, "%s", base()->version());
  api = base()->get_api(ORT_VERSION_USED);
  if (!api)
    return ce_fail(error, ce_library_missing, "it is ONNX Runtime %s; 1.%d or later is needed",
                   facts->version, ORT_VERSION_USED);
  ce_code code = ce_ok;
  TRY(api->create_environment(ort_log_fatal, "inbetween", &environment));
  TRY(api->create_cpu_memory(ort_arena, ort_default_memory, &memory));
  TRY(api->default_allocator(&allocator));
  code = list_providers(facts->providers, sizeof facts->providers, error);
done:
  return code;
}

/// What an input or output holds; what is no tensor stays of unknown type.
static ce_code describe(const ort_type_info *info, ce_view *view, ce_error *error) {
  ce_code code = ce_ok;
  const ort_tensor_info *tensor = NULL;
  size_t rank = 0;
  int type = 0;
  *view = (ce_view){.type = ce_unknown, .rank = -1};
  TRY(api->tensor_info_of_type(info, &tensor));
  if (!tensor) return ce_ok;
  TRY(api->element_type(tensor, &type));
  if (ce_type_size((ce_type)type)) view->type = (ce_type)type;
  TRY(api->rank(tensor, &rank));
  if (rank > CE_MAX_RANK) return ce_ok;
  TRY(api->sizes(tensor, view->sizes, rank));
  view->rank = (int32_t)rank;
  for (size_t axis = 0; axis < rank; axis++)
    if (view->sizes[axis] < 0) view->sizes[axis] = -1;
done:
  return code;
}

static ce_code read_port(
  const void *handle, size_t index, int is_output, ce_port *port, ce_error *error) {
  const ort_session *session = handle;
  ce_code code = ce_ok;
  ort_type_info *info = NULL;
  char *name = NULL;
  if (is_output) {
    TRY(api->output_name(session, index, allocator, &name));
    TRY(api->output_type(session, index, &info));
  } else {
    TRY(api->input_name(session, index, allocator, &name));
    TRY(api->input_type(session, index, &info));
  }
  port->name = strdup(name);
  if (!port->name) code = ce_fail(error, ce_out_of_memory, "there is not enough memory");
  if (code == ce_ok) code = describe(info, &port->view, error);
done:
  if (info) api->release_type_info(info);
  if (name) {
    ort_status *status = api->free_by(allocator, name);
    if (status) api->release_status(status);
  }
  return code;
}

static ce_code read_ports(struct session *session, ce_error *error) {
  ce_code code = ce_ok;
  size_t inputs = 0, outputs = 0;
  TRY(api->input_count(session->handle, &inputs));
  TRY(api->output_count(session->handle, &outputs));
  code = ce_read_ports(&session->shared, session->handle, inputs, outputs, read_port, error);
done:
  return code;
}

/// Lets a session compute on the graphics processor of that number; what has no kernel there is
/// computed on the processor. A failure means that CUDA, or such a processor, is not there.
static ce_code add_cuda(ort_options *options, int32_t device, ce_error *error) {
  ce_code code = ce_ok;
  ort_cuda_options *cuda = NULL;
  char number[16];
  const char *keys[] = {"device_id"}, *values[] = {number};
  snprintf(number, sizeof number, "%d", device);
  TRY(api->create_cuda(&cuda));
  TRY(api->set_cuda(cuda, keys, values, 1));
  TRY(api->add_cuda(options, cuda));
done:
  if (cuda) api->release_cuda(cuda);
  return code == ce_ok || code == ce_out_of_memory ? code : ce_library_missing;
}

/// The same through TensorRT, before CUDA is asked: in half precision where fewer bits are allowed.
static ce_code add_tensorrt(
  ort_options *options, int32_t device, int reduces_precision, ce_error *error) {
  ce_code code = ce_ok;
  ort_tensorrt_options *tensorrt = NULL;
  char number[16];
  const char *keys[] = {"device_id", "trt_fp16_enable"};
  const char *values[] = {number, reduces_precision ? "1" : "0"};
  snprintf(number, sizeof number, "%d", device);
  TRY(api->create_tensorrt(&tensorrt));
  TRY(api->set_tensorrt(tensorrt, keys, values, 2));
  TRY(api->add_tensorrt(options, tensorrt));
done:
  if (tensorrt) api->release_tensorrt(tensorrt);
  return code == ce_ok || code == ce_out_of_memory ? code : ce_library_missing;
}

/// Between calls threads sleep in any case: what runs next, flow and decoding, would have to share
/// cores with them.
static ce_code make_options(ce_options wanted, ort_options **out, ce_error *error) {
  ce_code code = ce_ok;
  ort_options *options = NULL;
  TRY(api->create_options(&options));
  TRY(api->set_threads_within(options, wanted.threads));
  TRY(api->set_threads_between(options, 1));
  TRY(api->set_optimization(options, ort_optimize_all));
  TRY(api->add_setting(options, "session.intra_op.allow_spinning",
                       wanted.waits_awake ? "1" : "0"));
  TRY(api->add_setting(options, "session.force_spinning_stop", "1"));
  if (wanted.cuda_device >= 0 && wanted.uses_tensorrt)
    code = add_tensorrt(options, wanted.cuda_device, wanted.reduces_precision, error);
  if (code == ce_ok && wanted.cuda_device >= 0) code = add_cuda(options, wanted.cuda_device, error);
  if (code != ce_ok) goto done;
  *out = options;
  return ce_ok;
done:
  if (options) api->release_options(options);
  return code;
}

static ce_code open_session(
  const char *path, const void *bytes, size_t count, ce_options wanted, ce_session_ref *out,
  ce_error *error) {
  struct session *session = calloc(1, sizeof *session);
  if (!session) return ce_fail(error, ce_out_of_memory, "there is not enough memory");
  session->shared.kind = ce_onnxruntime;
  ort_options *options = NULL;
  int has_options = 0;
  ce_code code = make_options(wanted, &options, error);
  if (code != ce_ok) goto done;
  has_options = 1;
  if (path) {
    TRY(api->create_session(environment, path, options, &session->handle));
  } else {
    TRY(api->create_session_from_bytes(environment, bytes, count, options, &session->handle));
  }
  code = read_ports(session, error);
done:
  // What it cannot make ready is the model's fault, by whatever name it calls that.
  if (code == ce_failed && has_options) code = ce_bad_model;
  if (options) api->release_options(options);
  if (code == ce_ok) {
    *out = &session->shared;
  } else {
    ce_session_release(&session->shared);
  }
  return code;
}

static void close_session(ce_session_ref shared) {
  struct session *session = (struct session *)shared;
  if (session->handle) api->release_session(session->handle);
}

/// Takes over an output; a value that is no tensor of a known type is refused.
static ce_code take(ort_value *output, ce_value_ref *out, ce_error *error) {
  ce_code code = ce_ok;
  ort_tensor_info *info = NULL;
  size_t rank = 0;
  int is_tensor = 0, type = 0;
  ce_value_ref value = ce_make_value(ce_onnxruntime);
  if (!value) return ce_fail(error, ce_out_of_memory, "there is not enough memory");
  TRY(api->is_tensor(output, &is_tensor));
  if (!is_tensor) {
    code = ce_fail(error, ce_bad_model, "an output is no tensor");
    goto done;
  }
  TRY(api->tensor_info_of_value(output, &info));
  TRY(api->element_type(info, &type));
  TRY(api->rank(info, &rank));
  if (rank > CE_MAX_RANK || !ce_type_size((ce_type)type)) {
    code = ce_fail(error, ce_bad_model, "an output has %zu axes and elements of type %d", rank,
                   type);
    goto done;
  }
  TRY(api->sizes(info, value->view.sizes, rank));
  TRY(api->tensor_data(output, &value->view.elements));
  value->view.type = (ce_type)type;
  value->view.rank = (int32_t)rank;
  value->handle = output;
  *out = value;
done:
  if (info) api->release_tensor_info(info);
  if (code != ce_ok) free(value);
  return code;
}

static ce_code make_inputs(
  const ce_view *views, size_t count, ort_value **inputs, ce_error *error) {
  ce_code code = ce_ok;
  for (size_t index = 0; index < count; index++) {
    const ce_view *view = &views[index];
    size_t bytes = ce_type_size(view->type);
    for (int32_t axis = 0; axis < view->rank; axis++) bytes *= (size_t)view->sizes[axis];
    TRY(api->create_tensor_over(memory, view->elements, bytes, view->sizes, (size_t)view->rank,
                                view->type, &inputs[index]));
  }
done:
  return code;
}

static ce_code run(
  ce_session_ref shared, const ce_view *views, const size_t *wanted, size_t count,
  ce_value_ref *values, ce_error *error) {
  struct session *session = (struct session *)shared;
  const size_t input_count = shared->input_count;
  const char *input_names[CE_MAX_PORTS] = {NULL}, *output_names[CE_MAX_PORTS] = {NULL};
  ort_value *inputs[CE_MAX_PORTS] = {NULL}, *outputs[CE_MAX_PORTS] = {NULL};
  ce_value_ref taken[CE_MAX_PORTS] = {NULL};
  for (size_t index = 0; index < input_count; index++)
    input_names[index] = shared->inputs[index].name;
  for (size_t index = 0; index < count; index++)
    output_names[index] = shared->outputs[wanted[index]].name;
  ce_code code = make_inputs(views, input_count, inputs, error);
  if (code != ce_ok) goto done;
  TRY(api->run(session->handle, NULL, input_names, (const ort_value *const *)inputs, input_count,
               output_names, count, outputs));
  for (size_t index = 0; code == ce_ok && index < count; index++) {
    code = take(outputs[index], &taken[index], error);
    if (code == ce_ok) outputs[index] = NULL;
  }
done:
  for (size_t index = 0; index < input_count; index++)
    if (inputs[index]) api->release_value(inputs[index]);
  for (size_t index = 0; index < count; index++) {
    if (outputs[index]) api->release_value(outputs[index]);
    if (code == ce_ok) values[index] = taken[index];
    if (code != ce_ok) ce_value_release(taken[index]);
  }
  return code;
}

static void release(ce_value_ref value) { api->release_value(value->handle); }

const ce_engine ce_onnxruntime_engine = {bind, open_session, run, close_session, release};
