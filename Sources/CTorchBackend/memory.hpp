// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "guard.hpp"

namespace ct {

/// Has LibTorch keep the blocks of large tensors for the next ones, up to 256 MiB; `INBETWEEN_MEMORY=library` in the
/// environment leaves it to its own ways.
CT_HIDDEN void keep_memory();

}  // namespace ct
