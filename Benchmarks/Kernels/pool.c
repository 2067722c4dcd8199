// SPDX-License-Identifier: Apache-2.0
// Cuts a kernel's rows over two or more threads, as LibTorch's pool does in the package.
#include <pthread.h>
#include <stdlib.h>

#include "CKernels.h"

typedef void (*bench_body)(void *context, int32_t begin, int32_t end);

typedef struct bench_part {
  bench_body body;
  void *context;
  int32_t begin, end;
  int state;  // 0 idle, 1 to do, 2 leave
  pthread_t thread;
} bench_part;

enum { most_threads = 64 };
static bench_part parts[most_threads];
static int thread_count = 1;

static void *work(void *argument) {
  bench_part *part = argument;
  for (;;) {
    int state;
    while ((state = __atomic_load_n(&part->state, __ATOMIC_ACQUIRE)) == 0) __builtin_ia32_pause();
    if (state == 2) return NULL;
    part->body(part->context, part->begin, part->end);
    __atomic_store_n(&part->state, 0, __ATOMIC_RELEASE);
  }
}

/// The extra threads spin while they wait: start them for a measurement, stop them after it.
void bench_start(int threads) {
  thread_count = threads < most_threads ? threads : most_threads;
  for (int i = 1; i < thread_count; ++i) {
    parts[i].state = 0;
    pthread_create(&parts[i].thread, NULL, work, &parts[i]);
  }
}

void bench_stop(void) {
  for (int i = 1; i < thread_count; ++i) {
    __atomic_store_n(&parts[i].state, 2, __ATOMIC_RELEASE);
    pthread_join(parts[i].thread, NULL);
  }
  thread_count = 1;
}

static void over(int32_t size, bench_body body, void *context) {
  for (int i = 1; i < thread_count; ++i) {
    parts[i].body = body;
    parts[i].context = context;
    parts[i].begin = (int32_t)((int64_t)size * i / thread_count);
    parts[i].end = (int32_t)((int64_t)size * (i + 1) / thread_count);
    __atomic_store_n(&parts[i].state, 1, __ATOMIC_RELEASE);
  }
  body(context, 0, size / thread_count);
  for (int i = 1; i < thread_count; ++i) {
    while (__atomic_load_n(&parts[i].state, __ATOMIC_ACQUIRE)) __builtin_ia32_pause();
  }
}

typedef struct bench_call {
  const float *features, *gradient;
  float *out;
  uint8_t *labels;
  const uint8_t *pixels;
  ck_shape shape;
  ck_motion motion;
  ck_border border;
  ck_affine affine;
} bench_call;

static void warp(void *context, int32_t begin, int32_t end) {
  bench_call *c = context;
  ck_warp(c->features, c->shape, &c->motion, c->border, c->out, begin, end);
}
static void warp_argmax(void *context, int32_t begin, int32_t end) {
  bench_call *c = context;
  ck_warp_argmax(c->features, c->shape, &c->motion, c->border, c->labels, begin, end);
}
static void argmax(void *context, int32_t begin, int32_t end) {
  bench_call *c = context;
  ck_argmax(c->features, c->shape, c->labels, begin, end);
}
static void features_gradient(void *context, int32_t begin, int32_t end) {
  bench_call *c = context;
  ck_warp_features_gradient(c->gradient, c->shape, &c->motion, c->border, c->out, begin, end);
}
static void motion_gradient(void *context, int32_t begin, int32_t end) {
  bench_call *c = context;
  ck_warp_motion_gradient(c->gradient, c->features, c->shape, &c->motion, c->border, c->out, begin,
                          end);
}
static void pixels(void *context, int32_t begin, int32_t end) {
  bench_call *c = context;
  ck_pixels(c->pixels, 3 * c->shape.width, c->shape.height, c->shape.width, &c->affine, 0,
            c->shape.layout, c->out, begin, end);
}

void bench_warp(bench_call *c) { over(c->shape.height, warp, c); }
void bench_warp_argmax(bench_call *c) { over(c->shape.height, warp_argmax, c); }
void bench_argmax(bench_call *c) { over(c->shape.height, argmax, c); }
void bench_features_gradient(bench_call *c) { over(c->shape.channels, features_gradient, c); }
void bench_motion_gradient(bench_call *c) { over(c->shape.height, motion_gradient, c); }
void bench_pixels(bench_call *c) { over(c->shape.height, pixels, c); }

typedef struct bench_local {
  const float *features, *other, *weights;
  float *out, *taps, *turned, *moved, *vertical_out, *horizontal_out;
  ck_shape shape;
  ck_displaced displaced;
  int32_t radius;
} bench_local;

static void local_sum(void *context, int32_t begin, int32_t end) {
  bench_local *c = context;
  ck_local_sum(c->features, c->shape, c->weights, c->radius, c->out, begin, end);
}
static void local_products(void *context, int32_t begin, int32_t end) {
  bench_local *c = context;
  ck_local_products(c->other, c->features, c->shape, c->radius, c->taps, begin, end);
}
static void local_softmax(void *context, int32_t begin, int32_t end) {
  bench_local *c = context;
  ck_local_softmax(c->shape.height, c->shape.width, c->radius, 0, c->taps, begin, end);
}
static void local_attended(void *context, int32_t begin, int32_t end) {
  bench_local *c = context;
  ck_local_sum(c->features, c->shape, c->taps, c->radius, c->out, begin, end);
}
static void local_turned(void *context, int32_t begin, int32_t end) {
  bench_local *c = context;
  ck_local_turned(c->weights, c->shape.height, c->shape.width, c->radius, c->turned, begin, end);
}
static void local_back(void *context, int32_t begin, int32_t end) {
  bench_local *c = context;
  ck_local_sum(c->other, c->shape, c->turned, c->radius, c->out, begin, end);
}
static void displace(void *context, int32_t begin, int32_t end) {
  bench_local *c = context;
  ck_displace(c->features, c->shape, &c->displaced, c->out, begin, end);
}
static void displace_features(void *context, int32_t begin, int32_t end) {
  bench_local *c = context;
  ck_displace_features_gradient(c->other, c->shape, &c->displaced, c->out, begin, end);
}
static void displace_taps(void *context, int32_t begin, int32_t end) {
  bench_local *c = context;
  ck_displace_taps_gradient(c->other, c->features, c->shape, &c->displaced, c->moved,
                            c->vertical_out, c->horizontal_out, begin, end);
}

void bench_local_sum(bench_local *c) { over(c->shape.height, local_sum, c); }
void bench_local_gradients(bench_local *c) {
  over(c->shape.height, local_turned, c);
  over(c->shape.height, local_back, c);
  over(c->shape.height, local_products, c);
}
void bench_local_attention(bench_local *c) {
  over(c->shape.height, local_products, c);
  over(c->shape.height, local_softmax, c);
  over(c->shape.height, local_attended, c);
}
void bench_displace(bench_local *c) { over(c->shape.height, displace, c); }
void bench_displace_gradients(bench_local *c) {
  over(c->shape.channels, displace_features, c);
  over(c->shape.height, displace_taps, c);
}

typedef struct bench_memory {
  ck_memory memory;
  ck_shape shape;
  ck_motion motion;
  float *out;
} bench_memory;

static void remember(void *context, int32_t begin, int32_t end) {
  bench_memory *c = context;
  ck_remember(&c->memory, c->shape, &c->motion, c->out, begin, end);
}
void bench_remember(bench_memory *c) { over(c->shape.height, remember, c); }

// Fields are put together on one thread, as the package does.
typedef struct bench_fields {
  ck_field first, next;
  ck_field_rows out;
} bench_fields;

void bench_follow(bench_fields *c) { ck_follow_field(&c->first, &c->next, 0, c->out); }
void bench_follow_rounded(bench_fields *c) { ck_follow_field(&c->first, &c->next, 1, c->out); }
void bench_halve(bench_fields *c) {
  ck_resize_field(&c->first, c->first.width / 2, c->first.height / 2, c->out);
}
