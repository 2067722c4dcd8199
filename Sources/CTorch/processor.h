// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Has the OpenBLAS that `library` brought in take its AVX-512 kernels where the processor could run them and
/// OpenBLAS does not know it. A set OPENBLAS_CORETYPE is left alone.
__attribute__((visibility("hidden"))) void ct_prefer_wide_kernels(void *library);
