// SPDX-License-Identifier: Apache-2.0
// As in tensors.cpp: propagation, and what only training needs.
#include "../cross_entropy.cpp"
#include "../displaced_convolution.cpp"
#include "../divergence.cpp"
#include "../gradient.cpp"
#include "../local.cpp"
#include "../local_attention.cpp"
#include "../training.cpp"
#include "../variant_convolution.cpp"
#include "../warp.cpp"
#include "../winograd_gradient.cpp"
