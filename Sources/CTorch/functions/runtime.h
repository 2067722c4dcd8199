// SPDX-License-Identifier: Apache-2.0
// Intra-operation threads of LibTorch and of the BLAS behind it; at least 1.
CT_FUNCTION(ct_set_threads, (int32_t count, ct_error *error), (count, error))
CT_FUNCTION(ct_get_threads, (int32_t *count, ct_error *error), (count, error))
// Lines of `name: value`, cut at `capacity`, always with a zero at the end.
CT_FUNCTION(ct_describe, (char *text, size_t capacity, ct_error *error), (text, capacity, error))
