// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Has the OpenBLAS that `library` brought in take its AVX-512 or AVX2 kernels where the processor can
/// run them and OpenBLAS, which does not know it, took narrower ones. A set OPENBLAS_CORETYPE is left
/// alone.
__attribute__((visibility("hidden"))) void ct_prefer_wide_kernels(void *library);
