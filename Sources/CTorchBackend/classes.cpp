// SPDX-License-Identifier: Apache-2.0
#include "classes.hpp"

namespace ct {

[[noreturn]] static void refuse_label(int64_t label, int64_t classes) {
  throw Failure(ct_bad_argument, "label " + std::to_string(label) + " is none of " +
                                     std::to_string(classes) + " classes, nor void");
}

void Labels::check() const {
  if (value.dim() != 3) throw Failure(ct_bad_shape, "labels are N × H × W, not " + shape(value));
  if (value.scalar_type() != at::kByte && value.scalar_type() != at::kLong)
    throw Failure(ct_bad_type, "labels are uint8 or int64");
  if (classes < 1) throw Failure(ct_bad_shape, "there must be a class at least");
}

template <class Number>
static void mark_void(const Labels &labels, const Number *from, int64_t count, uint8_t *to) {
  const int64_t classes = labels.classes, ignored = labels.ignored;
  int strays = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t label = from[i];
    const bool is_class = label >= 0 && label < classes && label != ignored;
    strays |= !is_class && label != ignored;
    to[i] = is_class ? uint8_t(label) : 255;
  }
  for (int64_t i = 0; strays && i < count; ++i)
    if (to[i] == 255 && from[i] != ignored) refuse_label(from[i], classes);
}

at::Tensor Labels::bytes() const {
  const auto from = value.contiguous();
  auto to = at::empty(from.sizes(), at::kByte);
  if (from.scalar_type() == at::kByte)
    mark_void(*this, from.data_ptr<uint8_t>(), from.numel(), to.data_ptr<uint8_t>());
  else
    mark_void(*this, from.data_ptr<int64_t>(), from.numel(), to.data_ptr<uint8_t>());
  return to;
}

at::Tensor Labels::numbers() const {
  const auto numbers = value.to(at::kLong);
  const auto is_void = numbers.eq(ignored);
  const auto strays = numbers.lt(0).logical_or(numbers.ge(classes)).logical_and(~is_void);
  if (strays.any().item<bool>())
    refuse_label(numbers.masked_select(strays)[0].item<int64_t>(), classes);
  return numbers.masked_fill(is_void, classes);
}

Labels labels_of(const at::Tensor &logits, const at::Tensor &labels, int64_t ignored) {
  require_rank(logits, 4);
  if (!at::isFloatingType(logits.scalar_type()))
    throw Failure(ct_bad_type, "logits are floating-point numbers");
  const Labels checked{labels, logits.size(1), ignored};
  checked.check();
  const bool fit = labels.size(0) == logits.size(0) && labels.size(1) == logits.size(2) &&
                   labels.size(2) == logits.size(3);
  if (!fit)
    throw Failure(ct_bad_shape, "labels of " + shape(labels) + " do not suit logits of " +
                                    shape(logits));
  return checked;
}

static at::Tensor looked_up(const Labels &labels, const at::Tensor &weights) {
  const auto from = labels.bytes(), packed = weights.contiguous();
  float table[256] = {0};
  std::copy_n(packed.data_ptr<float>(), packed.numel(), table);
  auto out = at::empty(from.sizes(), at::kFloat);
  const auto *label = from.data_ptr<uint8_t>();
  auto *to = out.data_ptr<float>();
  for (int64_t i = 0; i < from.numel(); ++i) to[i] = table[label[i]];
  return out;
}

namespace backend {

ct_code ct_label_weights(ct_tensor_ref labels, int64_t classes, ct_tensor_ref optional_weights,
                         int64_t ignored, ct_tensor_ref *out, ct_error *error) noexcept {
  return give(out, error, {labels}, [&] {
    const Labels given{labels->value, classes, ignored};
    given.check();
    const auto options = at::dtype(at::kFloat).device(given.value.device());
    auto weights = at::ones({classes}, options);
    if (optional_weights) weights = optional_weights->value.to(options);
    if (weights.dim() != 1 || weights.size(0) != classes)
      throw Failure(ct_bad_shape, "weights of " + shape(weights) + " are not one for each of " +
                                      std::to_string(classes) + " classes");
    if (given.value.is_cpu() && classes <= ck_most_classes) return looked_up(given, weights);
    const auto table = at::cat({weights, at::zeros({1}, options)});
    return table.index_select(0, given.numbers().flatten()).view(given.value.sizes());
  });
}

}  // namespace backend
}  // namespace ct
