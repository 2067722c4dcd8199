// SPDX-License-Identifier: Apache-2.0
// Operations that move elements and change no values.
#include "backend.hpp"

namespace ct::backend {

ct_code ct_contiguous(ct_tensor_ref tensor, int32_t channels_last, ct_tensor_ref *out,
                      ct_error *error) noexcept {
  return give(out, error, {tensor}, [&] {
    if (!channels_last) return tensor->value.contiguous();
    if (tensor->value.dim() != 4) throw Failure(ct_bad_shape, "channels last takes four axes, not " + shape(tensor->value));
    return tensor->value.contiguous(at::MemoryFormat::ChannelsLast);
  });
}

}  // namespace ct::backend
