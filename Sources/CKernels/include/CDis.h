// SPDX-License-Identifier: Apache-2.0
// Dense inverse search optical flow (Kroeger et al., ECCV 2016), stage by stage.
//
// Every function runs on the calling thread over a range of rows or stripes, allocates nothing and
// cannot fail; ranges of one stage that do not overlap may run at the same time, a stage starts
// when the one before is done, and how the work is cut never changes a bit of the result. Nothing
// outside the described arrays is touched, whatever the pixels or the motion say. Processors with
// fused multiplication may differ in the last bits from those without.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CK_DIS_NOEXCEPT noexcept
extern "C" {
#else
#define CK_DIS_NOEXCEPT
#endif

enum {
  /// Side of a patch in pixels.
  ck_dis_patch = 8,
  /// How far a picture is extended beyond each of its sides by repeating its edge.
  ck_dis_margin = 16,
  /// Most rows of patches that are searched together, as one stripe.
  ck_dis_stripe = 16,
  /// Sweeps of the linear solver between two linearisations of the robust weights.
  ck_dis_sweeps = 5,
  /// Planes of `ck_dis_level.terms`.
  ck_dis_terms = 9,
};

/// One level of a pyramid of grey pictures; `pixels` points at its first pixel. There are
/// `ck_dis_margin` pixels before each row and rows above and below; a row with both margins fits
/// in `stride`, which is a multiple of 16.
typedef struct ck_dis_picture {
  float *pixels;
  int32_t width, height;
  ptrdiff_t stride;
} ck_dis_picture;

/// A plane of motion: rows of `stride` values of each component, `stride` a multiple of 32 and at
/// least the width; what lies beyond the width is zero.
typedef struct ck_dis_flow {
  float *dx, *dy;
  int32_t width, height;
  ptrdiff_t stride;
} ck_dis_flow;

/// How the patches are searched.
typedef struct ck_dis_search_settings {
  /// Steps of the descent from the best candidate, in each of the two passes.
  int32_t steps;
  /// Part of the Gauss-Newton step that is taken.
  float gain;
  /// Added to the diagonal of the structure tensor, in (grey levels a pixel)² summed over a patch.
  float damping;
  /// A patch is done when both components of its step are smaller, in pixels.
  float least_step;
} ck_dis_search_settings;

/// One level of the search. Width and height are at least `ck_dis_patch`.
typedef struct ck_dis_level {
  ck_dis_picture current, reference;
  /// Derivatives of `current`, same stride, no margins.
  float *gradient_x, *gradient_y;
  /// Patches lie `patch_step` apart, the last ones flush with the edge.
  int32_t patch_step, patch_columns, patch_rows;
  float *patch_dx, *patch_dy;
  /// The dense motion; refinement goes to and fro between the two.
  ck_dis_flow flow[2];
  /// The motion of the next coarser level, half the size; null pointers at the coarsest.
  ck_dis_flow coarser;
  /// height × `ck_dis_terms` × 2 × `half` values: even columns, then odd ones. `half` is half of
  /// the flow's stride.
  float *terms;
} ck_dis_level;

/// How many patches fit along `size` pixels.
int32_t ck_dis_patch_count(int32_t size, int32_t step) CK_DIS_NOEXCEPT;

/// How many stripes the patches are cut into, as evenly as can be. While they are searched, motion
/// does not spread from one stripe to the next.
int32_t ck_dis_stripe_count(int32_t patch_rows) CK_DIS_NOEXCEPT;

/// Writes rows of `picture`: means of blocks of 2^shift × 2^shift bytes of `grey` (rows of `width`
/// bytes), where blocks reach beyond it the last column and row are repeated.
void ck_dis_shrink_bytes(const uint8_t *grey, int32_t width, int32_t height, int32_t shift,
                         ck_dis_picture picture, int32_t row_begin,
                         int32_t row_end) CK_DIS_NOEXCEPT;

/// Writes rows of `coarser`: means of blocks of 2 × 2 pixels of `finer`.
void ck_dis_halve(ck_dis_picture finer, ck_dis_picture coarser, int32_t row_begin,
                  int32_t row_end) CK_DIS_NOEXCEPT;

/// Writes rows of the gradients.
void ck_dis_differentiate(const ck_dis_level *level, int32_t row_begin,
                          int32_t row_end) CK_DIS_NOEXCEPT;

/// Finds the motion of the patches of some stripes, from the coarser level's.
void ck_dis_search(const ck_dis_level *level, ck_dis_search_settings settings,
                   int32_t stripe_begin, int32_t stripe_end) CK_DIS_NOEXCEPT;

/// Writes rows of `flow[0]`: the mean of the patches over each pixel, weighted by how well they
/// fit; `flow[1]` holds the weights meanwhile.
void ck_dis_densify(const ck_dis_level *level, int32_t row_begin, int32_t row_end) CK_DIS_NOEXCEPT;

/// What the variational refinement (Brox et al., ECCV 2004) weighs against each other.
typedef struct ck_dis_refine_settings {
  /// Weights of a smooth motion, of equal brightness and of equal gradients.
  float smoothness, brightness, gradients;
} ck_dis_refine_settings;

/// Bytes of scratch memory that `ck_dis_linearise` and `ck_dis_refine` need for `rows` rows of a
/// motion with rows of `stride` values.
size_t ck_dis_scratch(int32_t rows, ptrdiff_t stride) CK_DIS_NOEXCEPT;

/// Writes rows of `terms` from `flow[0]`. `scratch` is aligned to 64 bytes.
void ck_dis_linearise(const ck_dis_level *level, float *scratch, int32_t row_begin,
                      int32_t row_end) CK_DIS_NOEXCEPT;

/// One fixed-point iteration: reads `flow[from]`, writes rows of the other one.
void ck_dis_refine(const ck_dis_level *level, ck_dis_refine_settings settings, int32_t from,
                   float *scratch, int32_t row_begin, int32_t row_end) CK_DIS_NOEXCEPT;

/// Writes rows of a field of width × height × (dx, dy): `flow`, 2^shift times enlarged in size and
/// length.
void ck_dis_enlarge(ck_dis_flow flow, int32_t shift, int32_t width, int32_t height,
                    float *displacements, int32_t row_begin, int32_t row_end) CK_DIS_NOEXCEPT;

/// Writes rows of `out`: `plane` (height × width) along the field that `ck_dis_enlarge` writes, which
/// is not written; the bits are those of `ck_warp` with a clamped border.
///
/// `memory` has room for `ck_dis_warp_memory` floats, and is the caller's alone meanwhile.
void ck_dis_warp(ck_dis_flow flow, int32_t shift, const float *plane, int32_t width, int32_t height,
                 float *memory, float *out, int32_t row_begin, int32_t row_end) CK_DIS_NOEXCEPT;

/// Floats of memory that `ck_dis_warp` needs.
ptrdiff_t ck_dis_warp_memory(int32_t flow_width, int32_t shift, int32_t width) CK_DIS_NOEXCEPT;

#ifdef __cplusplus
}
#endif
