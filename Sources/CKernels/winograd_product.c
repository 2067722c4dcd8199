// SPDX-License-Identifier: Apache-2.0
#include "winograd.h"

/// What stays in registers: 8 × 32 sums where there are 32 wide ones, 4 × 16 elsewhere.
enum { ck_most_rows = 8, ck_most_vectors = 2 };

typedef struct ck_block {
  const float *left, *right;
  ptrdiff_t left_row, left_step, right_step;
  float *out;
  ptrdiff_t out_row;
  int32_t steps;
  int adds;
} ck_block;

/// One block of the product; `rows` and `vectors` are constants where this is inlined.
CK_INLINE void ck_multiply_block(const ck_block *block, const int32_t rows, const int32_t vectors) {
  ck_floats sum[ck_most_rows][ck_most_vectors];
  CK_UNROLL for (int32_t i = 0; i < rows; ++i) {
    CK_UNROLL for (int32_t j = 0; j < vectors; ++j) {
      const ck_floats *at = (const ck_floats *)(block->out + i * block->out_row) + j;
      sum[i][j] = block->adds ? *at : (ck_floats)(0);
    }
  }
  const float *left = block->left, *right = block->right;
  const ptrdiff_t left_row = block->left_row, left_step = block->left_step;
  for (int32_t step = 0; step < block->steps; ++step) {
    CK_UNROLL for (int32_t i = 0; i < rows; ++i) {
      const float factor = left[i * left_row];
      CK_UNROLL for (int32_t j = 0; j < vectors; ++j) {
        sum[i][j] += factor * ((const ck_floats *)right)[j];
      }
    }
    left += left_step;
    right += block->right_step;
  }
  CK_UNROLL for (int32_t i = 0; i < rows; ++i) {
    CK_UNROLL for (int32_t j = 0; j < vectors; ++j) {
      ((ck_floats *)(block->out + i * block->out_row))[j] = sum[i][j];
    }
  }
}

/// One point's product in blocks; `rows` and `vectors` are constants where this is inlined.
CK_INLINE void ck_multiply_point(const ck_product *sizes, const ck_block *point, const int32_t rows,
                                 const int32_t vectors) {
  for (int32_t column = 0; column < sizes->columns; column += vectors * ck_lanes) {
    ck_block block = *point;
    block.right += column;
    block.out += column;
    for (int32_t row = 0; row < sizes->rows; row += rows) {
      ck_multiply_block(&block, rows, vectors);
      block.left += rows * block.left_row;
      block.out += rows * block.out_row;
    }
  }
}

CK_INLINE void ck_multiply_points(const ck_product *sizes, const ck_matrices *left,
                                  const ck_matrices *right, const ck_matrices *out, int is_wide) {
  for (ptrdiff_t i = sizes->begin; i < sizes->end; ++i) {
    ck_block point = {left->values + i * left->point, right->values + i * right->point, left->row,
                      1, right->row, out->values + i * out->point, out->row, sizes->steps,
                      sizes->adds};
    if (sizes->transposed) {
      point.left_row = 1;
      point.left_step = left->row;
      if (is_wide && sizes->columns == ck_panel) {
        ck_multiply_point(sizes, &point, 8, 2);
      } else if (is_wide) {
        ck_multiply_point(sizes, &point, 8, 1);
      } else {
        ck_multiply_point(sizes, &point, 4, 1);
      }
    } else if (is_wide && sizes->columns == ck_panel) {
      ck_multiply_point(sizes, &point, 8, 2);
    } else if (is_wide) {
      ck_multiply_point(sizes, &point, 8, 1);
    } else {
      ck_multiply_point(sizes, &point, 4, 1);
    }
  }
}

int ck_has_wide_registers(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("x86-64-v4");
#else
  return 0;
#endif
}

CK_KERNEL void ck_multiply(const ck_product *sizes, const ck_matrices *left,
                           const ck_matrices *right, const ck_matrices *out) {
  ck_multiply_points(sizes, left, right, out, ck_has_wide_registers());
}
