// SPDX-License-Identifier: Apache-2.0
// Intra-operation threads of LibTorch and of the BLAS behind it; at least 1.
CT_FUNCTION(ct_set_threads, (int32_t count, ct_error *error), (count, error))
CT_FUNCTION(ct_get_threads, (int32_t *count, ct_error *error), (count, error))
// How many threads operations take that are called from this thread; `before` is what it was.
CT_FUNCTION(ct_limit_threads, (int32_t count, int32_t *before, ct_error *error),
            (count, before, error))
// How many threads a BLAS with threads of its own takes for a product, whichever thread calls it;
// `before` is what it was. Never more than ct_set_threads said while products are under way.
CT_FUNCTION(ct_limit_blas_threads, (int32_t count, int32_t *before, ct_error *error),
            (count, before, error))
// Lines of `name: value`, cut at `capacity`, always with a zero at the end.
CT_FUNCTION(ct_describe, (char *text, size_t capacity, ct_error *error), (text, capacity, error))
