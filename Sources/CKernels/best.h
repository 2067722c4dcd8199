// SPDX-License-Identifier: Apache-2.0
// The best of several scores, sixteen cells at a time.
#pragma once

#include <string.h>

#include "kernel.h"

#define CK_UNROLL_GROUPS _Pragma("clang loop unroll(full)")

/// Sixteen best scores so far, and whose they are.
typedef struct ck_best {
  ck_floats score;
  ck_ints label;
} ck_best;

CK_INLINE void ck_start(ck_best *best) {
  best->score = (ck_floats)(-__builtin_inff());
  best->label = (ck_ints)(0);
}

CK_INLINE void ck_keep(ck_best *best, const ck_floats *score, const ck_ints *label) {
  const ck_ints better = *score > best->score;
  best->label = better ? *label : best->label;
  best->score = better ? *score : best->score;
}
