// SPDX-License-Identifier: Apache-2.0
CT_FUNCTION(ct_contiguous, (ct_tensor_ref tensor, int32_t channels_last, ct_tensor_ref *out, ct_error *error), (tensor, channels_last, out, error))
