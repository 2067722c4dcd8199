// SPDX-License-Identifier: Apache-2.0
// What both engines share: a session's ports, and what each engine does in its own way.
#pragma once
#include "CEngines.h"

#define CE_MAX_PORTS 1024

typedef struct ce_port {
  char *name;
  ce_view view;
} ce_port;

struct ce_value {
  ce_kind kind;
  /// The engine's own handle, and what is to be freed with it.
  void *handle;
  ce_view view;
};

struct ce_session {
  ce_kind kind;
  size_t input_count, output_count;
  ce_port *inputs, *outputs;
};

/// What a library says of itself: its version, and its providers with a space between.
typedef struct ce_facts {
  char version[64];
  char providers[1024];
} ce_facts;

/// One engine: how its library is bound, and how sessions are opened and run.
typedef struct ce_engine {
  /// Fetches the functions from an open library and fills in what it is.
  ce_code (*bind)(void *library, ce_facts *facts, ce_error *error);
  ce_code (*open)(
    const char *path, const void *bytes, size_t count, ce_options options, ce_session_ref *out,
    ce_error *error);
  ce_code (*run)(
    ce_session_ref session, const ce_view *inputs, const size_t *outputs, size_t output_count,
    ce_value_ref *values, ce_error *error);
  /// Frees all but the ports and the structure itself, which the caller frees.
  void (*close)(ce_session_ref session);
  void (*release)(ce_value_ref value);
} ce_engine;

CE_HIDDEN extern const ce_engine ce_onnxruntime_engine;
CE_HIDDEN extern const ce_engine ce_openvino_engine;

/// Writes a sentence as an error's text, on one line, and returns `code`.
CE_HIDDEN ce_code ce_fail(ce_error *error, ce_code code, const char *format, ...)
  __attribute__((format(printf, 3, 4)));

/// Reads one port of an engine's own `handle`: an input, or an output.
typedef ce_code (*ce_port_reader)(
  const void *handle, size_t index, int is_output, ce_port *port, ce_error *error);

/// Makes room for the ports of a session and lets each be read; too many are refused.
CE_HIDDEN ce_code ce_read_ports(
  ce_session_ref session, const void *handle, size_t inputs, size_t outputs,
  ce_port_reader reader, ce_error *error);

/// A value with nothing in it yet; null where there is no memory.
CE_HIDDEN ce_value_ref ce_make_value(ce_kind kind);

/// Bytes of one element; 0 for types that are not taken.
CE_HIDDEN size_t ce_type_size(ce_type type);
