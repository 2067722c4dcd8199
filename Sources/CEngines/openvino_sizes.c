// SPDX-License-Identifier: Apache-2.0
// One model, compiled for each size of inputs by itself as long as these are few, and the requests
// that compute it.
#include "openvino_session.h"
#include <stdio.h>
#include <stdlib.h>

/// One picture at a time on all threads; numbers as the file has them unless fewer bits are allowed,
/// and no thread bound to a core, which another library's threads may want.
ce_code vino_compile(
  const struct session *session, const ov_model *model, struct variant *variant,
  ce_error *error) {
  const ce_options options = session->options;
  const size_t outputs = session->shared.output_count;
  ce_code code = ce_ok;
  ov_port *port = NULL;
  char threads[16];
  snprintf(threads, sizeof threads, "%d", options.threads);
  variant->outputs = calloc(outputs + 1, sizeof *variant->outputs);
  if (!variant->outputs) return vino_no_memory(error);
  TRY(ov.ov_core_compile_model(vino_core, model, "CPU", 10, &variant->compiled, "PERFORMANCE_HINT",
                               "LATENCY", "NUM_STREAMS", "1", "INFERENCE_NUM_THREADS", threads,
                               options.reduces_precision ? "EXECUTION_MODE_HINT" : "INFERENCE_PRECISION_HINT",
                               options.reduces_precision ? "PERFORMANCE" : "f32", "ENABLE_CPU_PINNING", "NO"),
      ce_bad_model);
  for (size_t index = 0; index < outputs; index++) {
    TRY(ov.ov_compiled_model_output_by_index(variant->compiled, index, &port), ce_bad_model);
    code = vino_describe(port, &variant->outputs[index], error);
    ov.ov_output_const_port_free(port);
    port = NULL;
    if (code != ce_ok) goto done;
  }
done:
  return code;
}

void vino_free_sizes(struct sizes *sizes) {
  free(sizes->ranks);
  free(sizes->axes);
  *sizes = (struct sizes){NULL, NULL};
}

static ce_code copy_sizes(
  const ce_view *views, size_t count, struct sizes *sizes, ce_error *error) {
  sizes->ranks = calloc(count + 1, sizeof *sizes->ranks);
  sizes->axes = calloc(count * CE_MAX_RANK + 1, sizeof *sizes->axes);
  if (!sizes->ranks || !sizes->axes) {
    vino_free_sizes(sizes);
    return vino_no_memory(error);
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

void vino_close_variant(struct variant *variant) {
  for (size_t index = 0; index < variant->idle_count; index++)
    ov.ov_infer_request_free(variant->idle[index]);
  if (variant->compiled) ov.ov_compiled_model_free(variant->compiled);
  vino_free_sizes(&variant->inputs);
  free(variant->outputs);
  *variant = (struct variant){0};
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
    code = vino_no_memory(error);
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
  if (session->checked_count == MAX_CHECKED) vino_free_sizes(place);
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
    if (code == ce_ok) code = vino_compile(session, session->model, &session->general, error);
    if (code != ce_ok) vino_close_variant(&session->general);
    return code;
  }
  struct variant *variant = &session->fitted[session->fitted_count];
  ce_code code = give_sizes(session, views, error);
  if (code == ce_ok) code = copy_sizes(views, count, &variant->inputs, error);
  if (code == ce_ok) code = vino_compile(session, session->model, variant, error);
  if (code != ce_ok) {
    vino_close_variant(variant);
    return code;
  }
  session->fitted_count++;
  *out = variant;
  return ce_ok;
}

ce_code vino_borrow(
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

void vino_give_back(struct session *session, struct variant *variant, ov_request *request) {
  pthread_mutex_lock(&session->lock);
  const int has_room = variant->idle_count < MAX_IDLE;
  if (has_room) variant->idle[variant->idle_count++] = request;
  pthread_mutex_unlock(&session->lock);
  if (!has_room) ov.ov_infer_request_free(request);
}
