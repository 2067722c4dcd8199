// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "session.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_CAPACITY 4096

static struct {
  int is_open;
  char path[PATH_CAPACITY];
  ce_facts facts;
} libraries[CE_KINDS];
static pthread_mutex_t libraries_lock = PTHREAD_MUTEX_INITIALIZER;

static const ce_engine *engine(ce_kind kind) {
  return kind == ce_openvino ? &ce_openvino_engine : &ce_onnxruntime_engine;
}

ce_code ce_fail(ce_error *error, ce_code code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->message, sizeof error->message, format, arguments);
  va_end(arguments);
  for (char *at = error->message; *at; at++)
    if ((unsigned char)*at < ' ') *at = ' ';
  return code;
}

static ce_code open_library(ce_kind kind, const char *path, ce_error *error) {
  if (strlen(path) >= PATH_CAPACITY)
    return ce_fail(error, ce_library_missing, "the path of the library is too long");
  // Symbols stay the library's own: several of those here carry the same C++ names.
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *why = dlerror();
    return ce_fail(error, ce_library_missing, "%s", why ? why : "no reason given");
  }
  ce_facts facts = {"", ""};
  const ce_code code = engine(kind)->bind(library, &facts, error);
  if (code != ce_ok) return code;
  memcpy(libraries[kind].path, path, strlen(path) + 1);
  libraries[kind].facts = facts;
  libraries[kind].is_open = 1;
  return ce_ok;
}

ce_code ce_library_open(ce_kind kind, const char *path, ce_error *error) {
  pthread_mutex_lock(&libraries_lock);
  const ce_code code = libraries[kind].is_open ? ce_ok : open_library(kind, path, error);
  pthread_mutex_unlock(&libraries_lock);
  return code;
}

const char *ce_library_path(ce_kind kind) { return libraries[kind].path; }
const char *ce_library_version(ce_kind kind) { return libraries[kind].facts.version; }
const char *ce_library_providers(ce_kind kind) { return libraries[kind].facts.providers; }

ce_code ce_session_open(
  ce_kind kind, const char *path, const void *bytes, size_t count, ce_options options,
  ce_session_ref *out, ce_error *error) {
  pthread_mutex_lock(&libraries_lock);
  const int is_open = libraries[kind].is_open;
  pthread_mutex_unlock(&libraries_lock);
  if (!is_open) return ce_fail(error, ce_library_missing, "the library is not open");
  if (options.threads < 1) return ce_fail(error, ce_bad_argument, "fewer than one thread");
  return engine(kind)->open(path, bytes, count, options, out, error);
}

static void free_ports(ce_port *ports, size_t count) {
  for (size_t index = 0; ports && index < count; index++) free(ports[index].name);
  free(ports);
}

void ce_session_release(ce_session_ref session) {
  if (!session) return;
  engine(session->kind)->close(session);
  free_ports(session->inputs, session->input_count);
  free_ports(session->outputs, session->output_count);
  free(session);
}

ce_code ce_read_ports(
  ce_session_ref session, const void *handle, size_t inputs, size_t outputs,
  ce_port_reader reader, ce_error *error) {
  if (inputs > CE_MAX_PORTS || outputs > CE_MAX_PORTS)
    return ce_fail(error, ce_bad_model, "it has %zu inputs and %zu outputs, more than %d", inputs,
                   outputs, CE_MAX_PORTS);
  session->inputs = calloc(inputs + 1, sizeof *session->inputs);
  session->outputs = calloc(outputs + 1, sizeof *session->outputs);
  if (!session->inputs || !session->outputs)
    return ce_fail(error, ce_out_of_memory, "there is not enough memory");
  session->input_count = inputs;
  session->output_count = outputs;
  ce_code code = ce_ok;
  for (size_t index = 0; code == ce_ok && index < inputs; index++)
    code = reader(handle, index, 0, &session->inputs[index], error);
  for (size_t index = 0; code == ce_ok && index < outputs; index++)
    code = reader(handle, index, 1, &session->outputs[index], error);
  return code;
}

ce_value_ref ce_make_value(ce_kind kind) {
  ce_value_ref value = calloc(1, sizeof *value);
  if (value) value->kind = kind;
  return value;
}

size_t ce_type_size(ce_type type) {
  switch (type) {
  case ce_uint8:
  case ce_int8:
  case ce_bool: return 1;
  case ce_uint16:
  case ce_int16:
  case ce_float16:
  case ce_bfloat16: return 2;
  case ce_float32:
  case ce_int32:
  case ce_uint32: return 4;
  case ce_int64:
  case ce_float64:
  case ce_uint64: return 8;
  case ce_unknown: return 0;
  }
  return 0;
}

size_t ce_input_count(ce_session_ref session) { return session->input_count; }
size_t ce_output_count(ce_session_ref session) { return session->output_count; }
const char *ce_input_name(ce_session_ref session, size_t index) {
  return session->inputs[index].name;
}
const char *ce_output_name(ce_session_ref session, size_t index) {
  return session->outputs[index].name;
}
ce_view ce_input_view(ce_session_ref session, size_t index) { return session->inputs[index].view; }
ce_view ce_output_view(ce_session_ref session, size_t index) {
  return session->outputs[index].view;
}

ce_code ce_session_run(
  ce_session_ref session, const ce_view *inputs, size_t input_count, const size_t *outputs,
  size_t output_count, ce_value_ref *values, ce_error *error) {
  if (input_count != session->input_count)
    return ce_fail(error, ce_bad_argument, "%zu inputs for a network of %zu", input_count,
                   session->input_count);
  if (output_count > CE_MAX_PORTS)
    return ce_fail(error, ce_bad_argument, "more than %d outputs", CE_MAX_PORTS);
  for (size_t index = 0; index < output_count; index++)
    if (outputs[index] >= session->output_count)
      return ce_fail(error, ce_bad_argument, "no output %zu", outputs[index]);
  for (size_t index = 0; index < input_count; index++)
    if (inputs[index].rank < 0 || inputs[index].rank > CE_MAX_RANK)
      return ce_fail(error, ce_bad_argument, "an input of %d axes", inputs[index].rank);
  return engine(session->kind)->run(session, inputs, outputs, output_count, values, error);
}

ce_view ce_value_view(ce_value_ref value) { return value->view; }

void ce_value_release(ce_value_ref value) {
  if (!value) return;
  engine(value->kind)->release(value);
  free(value);
}
