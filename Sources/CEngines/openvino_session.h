// SPDX-License-Identifier: Apache-2.0
// What the files of the OpenVINO engine share.
#pragma once

#include "openvino_api.h"
#include "session.h"
#include <pthread.h>

#define MAX_IDLE 16
/// Sizes of inputs that the model is compiled for, each by itself; of more, it is once for all.
#define MAX_FITTED 4
/// Sizes that were found to go together, and are not looked at again.
#define MAX_CHECKED 64

// Nothing of this is seen outside the package.
#pragma GCC visibility push(hidden)

extern struct ov_table ov;
extern ov_core *vino_core;

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

/// What the library says of a call that failed.
ce_code vino_failure(ov_status status, ce_code code, ce_error *error);

ce_code vino_no_memory(ce_error *error);

#define TRY(call, as)                                              \
  do {                                                             \
    const ov_status status_ = (call);                              \
    if (status_ != ov_good) { code = vino_failure(status_, as, error); goto done; } \
  } while (0)

/// The type and the sizes of a port, as far as they are known.
ce_code vino_describe(const ov_port *port, ce_view *view, ce_error *error);

/// Whether the type and all sizes are known.
int vino_is_static(const ce_view *view);

ce_code vino_compile(const struct session *session, const ov_model *model, struct variant *variant,
                     ce_error *error);

void vino_close_variant(struct variant *variant);

void vino_free_sizes(struct sizes *sizes);

/// The model compiled for inputs of these sizes, and a request that no other call uses.
ce_code vino_borrow(struct session *session, const ce_view *views, struct variant **variant,
                    ov_request **out, ce_error *error);

/// Gives a request back for other calls.
void vino_give_back(struct session *session, struct variant *variant, ov_request *request);

#pragma GCC visibility pop
