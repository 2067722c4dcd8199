// SPDX-License-Identifier: Apache-2.0
// Losses over the softmax of N × C × H × W logits. Labels are N × H × W, uint8 or int64; `ignored`
// marks void, and any other number that is no class is refused. On the CPU these are CKernels.
//
// How much each label counts, N × H × W: 0 where void, else its class's of `optional_weights` (C), or 1.
CT_FUNCTION(ct_label_weights, (ct_tensor_ref labels, int64_t classes, ct_tensor_ref optional_weights, int64_t ignored, ct_tensor_ref *out, ct_error *error), (labels, classes, optional_weights, ignored, out, error))
// Each cell's, N × H × W, 0 where void; with a radius, any class that occurs so near is as good.
CT_FUNCTION(ct_cross_entropies, (ct_tensor_ref logits, ct_tensor_ref labels, int64_t ignored, int64_t radius, ct_tensor_ref *out, ct_error *error), (logits, labels, ignored, radius, out, error))
// 3 × C: over labelled cells, the sum of each class's probability, of it where it is the label, and how
// many cells have the label.
CT_FUNCTION(ct_class_sums, (ct_tensor_ref logits, ct_tensor_ref labels, int64_t ignored, ct_tensor_ref *out, ct_error *error), (logits, labels, ignored, out, error))
// Each cell's Σ q log(q / p), N × H × W; gradients flow to the student alone.
CT_FUNCTION(ct_divergences, (ct_tensor_ref student, ct_tensor_ref teacher, double temperature, ct_tensor_ref *out, ct_error *error), (student, teacher, temperature, out, error))
