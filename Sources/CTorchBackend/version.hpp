// SPDX-License-Identifier: Apache-2.0
// Which LibTorch this is built against: Debian's 1.13, or a later one.
#pragma once

#if __has_include(<torch/csrc/api/include/torch/version.h>)
#include <torch/csrc/api/include/torch/version.h>
#else
#include <torch/version.h>
#endif
