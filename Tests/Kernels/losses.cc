// SPDX-License-Identifier: Apache-2.0
// Losses over the soft-max of logits, and their gradients.
#include "check.h"

namespace {
struct Labelled {
  ck_shape shape;
  Floats logits;
  Bytes labels;
  std::vector<uint32_t> sets;
  size_t cells;
  ck_labelled given;

  Labelled(Check &check, bool with_sets, bool may_be_infinite) {
    with_sets = with_sets && check.one_in(2);
    shape = make_shape(check,
                       with_sets         ? ck_most_set_classes
                       : check.one_in(2) ? 20
                                         : ck_most_classes,
                       40);
    cells = size_t(shape.height) * shape.width;
    logits = check.reals(count_of(shape), -8, 8);
    for (float &logit : logits) {
      if (may_be_infinite && !check.timing && check.one_in(300))
        logit = check.one_in(2) ? NAN : INFINITY;
    }
    labels = check.bytes(cells, check.one_in(2) ? shape.channels : 255);
    for (size_t i = 0; with_sets && i < cells; ++i) {
      const uint32_t all = shape.channels == 32 ? ~0u : (1u << shape.channels) - 1;
      const uint32_t own = labels[i] < shape.channels ? 1u << labels[i] : 0;
      sets.push_back(((uint32_t(check.integer(0, 65535)) * 65537u) & all) | own);
    }
    given = {logits.data(), shape, labels.data(), sets.empty() ? nullptr : sets.data()};
  }
  bool is_void(size_t cell) const { return labels[cell] >= shape.channels; }
};

/// log Σ exp of some logits, each times `scale`; NaN for one that is, or the largest at infinity.
double log_sum(const ck_shape &shape, const Floats &logits, size_t cell, double scale = 1,
               const std::function<bool(int)> &counts = nullptr) {
  double top = -INFINITY, sum = 0;
  for (int c = 0; c < shape.channels; ++c) {
    const double logit = scale * logits[at(shape, c, ptrdiff_t(cell))];
    if (counts && !counts(c)) continue;
    if (std::isnan(logit) || logit == INFINITY) return NAN;
    top = std::max(top, logit);
  }
  for (int c = 0; c < shape.channels; ++c) {
    if (!counts || counts(c)) sum += std::exp(scale * logits[at(shape, c, ptrdiff_t(cell))] - top);
  }
  return top + std::log(sum);
}

double wanted_sum(const Labelled &l, size_t cell) {
  if (l.sets.empty()) return l.logits[at(l.shape, l.labels[cell], ptrdiff_t(cell))];
  return log_sum(l.shape, l.logits, cell, 1, [&](int c) { return (l.sets[cell] >> c) & 1; });
}
}  // namespace

KERNEL(ck_cross_entropy, 1e-6) {
  Labelled l(check, true, true);
  const Outs got = check.run(l.shape.height, {{Floats(l.cells, 7), Floats(l.cells, 7)}, {}},
                             [&](Outs &out, int begin, int end) {
                               ck_cross_entropy(&l.given, out.floats[0].data(),
                                                out.floats[1].data(), begin, end);
                             });
  const Wanted wanted = check.reference([&] {
    Doubles all(l.cells), own(l.cells);
    for (size_t i = 0; i < l.cells; ++i) {
      if (l.is_void(i)) continue;
      all[i] = log_sum(l.shape, l.logits, i);
      own[i] = wanted_sum(l, i);
    }
    return Wanted{{all, own}, {}};
  });
  Outs finite = got;
  Wanted expected = wanted;
  for (size_t i = 0; i < l.cells; ++i) {
    if (std::isfinite(wanted.floats[0][i])) continue;
    // Only the loss, their difference, is promised here.
    if (!std::isnan(got.floats[0][i] - got.floats[1][i])) check.fail("cell %zu is a number", i);
    finite.floats[0][i] = finite.floats[1][i] = 0;
    expected.floats[0][i] = expected.floats[1][i] = 0;
  }
  check.compare(finite, expected, limit);
}

KERNEL(ck_cross_entropy_gradient, 2e-6) {
  Labelled l(check, true, false);
  const Floats gradient = check.reals(l.cells);
  Floats all(l.cells), own(l.cells);
  for (size_t i = 0; i < l.cells; ++i) {
    if (!l.is_void(i))
      all[i] = float(log_sum(l.shape, l.logits, i)), own[i] = float(wanted_sum(l, i));
  }
  const Outs got = check.run(
      l.shape.height, {{Floats(l.logits.size(), 7)}, {}}, [&](Outs &out, int begin, int end) {
        ck_cross_entropy_gradient(&l.given, all.data(), own.data(), gradient.data(),
                                  out.floats[0].data(), begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles out(l.logits.size());
    for (size_t i = 0; i < l.cells; ++i) {
      for (int c = 0; c < l.shape.channels && !l.is_void(i); ++c) {
        const size_t k = at(l.shape, c, ptrdiff_t(i));
        const bool within = l.sets.empty() ? l.labels[i] == c : (l.sets[i] >> c) & 1;
        const double share = within ? std::exp(double(l.logits[k]) - own[i]) : 0;
        out[k] = gradient[i] * (std::exp(double(l.logits[k]) - all[i]) - share);
      }
    }
    return Wanted{{out}, {}};
  }),
                limit);
}

KERNEL(ck_class_sums, 2e-6) {
  Labelled l(check, false, true);
  const size_t channels = size_t(l.shape.channels), count = 2 * channels * size_t(l.shape.height);
  const Outs got =
      check.run(l.shape.height, {{Floats(count, 7)}, {}}, [&](Outs &out, int begin, int end) {
        ck_class_sums(&l.given, out.floats[0].data(), begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles out(count);
    for (size_t i = 0; i < l.cells; ++i) {
      if (l.is_void(i)) continue;
      const double all = log_sum(l.shape, l.logits, i);
      double *row = out.data() + i / size_t(l.shape.width) * 2 * channels;
      for (size_t c = 0; c < channels; ++c) {
        const double p = std::exp(l.logits[at(l.shape, int(c), ptrdiff_t(i))] - all);
        row[c] += p;
        if (l.labels[i] == c) row[channels + c] += p;
      }
    }
    return Wanted{{out}, {}};
  }),
                limit);
}

KERNEL(ck_class_sums_gradient, 2e-6) {
  Labelled l(check, false, false);
  const size_t channels = size_t(l.shape.channels);
  const Floats gradient = check.reals(2 * channels);
  const Outs got = check.run(
      l.shape.height, {{Floats(l.logits.size(), 7)}, {}}, [&](Outs &out, int begin, int end) {
        ck_class_sums_gradient(&l.given, gradient.data(), out.floats[0].data(), begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles out(l.logits.size()), p(channels);
    for (size_t i = 0; i < l.cells; ++i) {
      if (l.is_void(i)) continue;
      const double all = log_sum(l.shape, l.logits, i);
      double mean = 0;
      const auto pull = [&](size_t c) {
        return gradient[c] + (l.labels[i] == c ? gradient[channels + c] : 0);
      };
      for (size_t c = 0; c < channels; ++c) {
        p[c] = std::exp(l.logits[at(l.shape, int(c), ptrdiff_t(i))] - all);
        mean += p[c] * pull(c);
      }
      for (size_t c = 0; c < channels; ++c) {
        out[at(l.shape, int(c), ptrdiff_t(i))] = p[c] * (pull(c) - mean);
      }
    }
    return Wanted{{out}, {}};
  }),
                limit);
}

namespace {
struct Taught {
  Labelled student;
  Floats teacher;
  ck_taught given;
  Taught(Check &check, bool may_be_infinite)
      : student(check, false, may_be_infinite), teacher(check.reals(student.logits.size(), -8, 8)) {
    given = {student.logits.data(), teacher.data(), student.shape, check.real(0.25f, 2)};
  }
};
}  // namespace

KERNEL(ck_divergence, 1e-5) {
  Taught t(check, true);
  const ck_shape shape = t.student.shape;
  const size_t cells = t.student.cells;
  const Floats blank(cells, 7);
  const Outs got =
      check.run(shape.height, {{blank, blank, blank}, {}}, [&](Outs &out, int begin, int end) {
        ck_divergence(&t.given, out.floats[0].data(), out.floats[1].data(), out.floats[2].data(),
                      begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles divergence(cells), student(cells), teacher(cells);
    const double scale = t.given.inverse_temperature;
    for (size_t i = 0; i < cells; ++i) {
      student[i] = log_sum(shape, t.student.logits, i, scale);
      teacher[i] = log_sum(shape, t.teacher, i, scale);
      for (int c = 0; c < shape.channels; ++c) {
        const size_t k = at(shape, c, ptrdiff_t(i));
        const double q = scale * t.teacher[k] - teacher[i];
        divergence[i] += std::exp(q) * (q - (scale * t.student.logits[k] - student[i]));
      }
    }
    return Wanted{{divergence, student, teacher}, {}};
  }),
                limit);
}

KERNEL(ck_divergence_gradient, 1e-5) {
  Taught t(check, false);
  const ck_shape shape = t.student.shape;
  const double scale = t.given.inverse_temperature;
  const Floats gradient = check.reals(t.student.cells);
  Floats student(t.student.cells), teacher(t.student.cells);
  for (size_t i = 0; i < student.size(); ++i) {
    student[i] = float(log_sum(shape, t.student.logits, i, scale));
    teacher[i] = float(log_sum(shape, t.teacher, i, scale));
  }
  const Outs got = check.run(
      shape.height, {{Floats(t.teacher.size(), 7)}, {}}, [&](Outs &out, int begin, int end) {
        ck_divergence_gradient(&t.given, student.data(), teacher.data(), gradient.data(),
                               out.floats[0].data(), begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles out(t.teacher.size());
    for (size_t i = 0; i < student.size(); ++i) {
      for (int c = 0; c < shape.channels; ++c) {
        const size_t k = at(shape, c, ptrdiff_t(i));
        out[k] = gradient[i] * scale *
                 (std::exp(scale * t.student.logits[k] - student[i]) -
                  std::exp(scale * t.teacher[k] - teacher[i]));
      }
    }
    return Wanted{{out}, {}};
  }),
                limit);
}
