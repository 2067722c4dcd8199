// SPDX-License-Identifier: Apache-2.0
// Sums over neighbourhoods.
#include "check.h"

namespace {
struct Local {
  ck_shape shape;
  int radius, size, taps;
  size_t cells;
  Floats values, weights;

  explicit Local(Check &check, int channels = 40) {
    shape = make_shape(check, channels, 24);
    radius = check.timing ? 3 : check.one_in(8) ? int(ck_most_radius) : check.integer(0, 4);
    size = 2 * radius + 1;
    taps = size * size;
    cells = size_t(shape.height) * shape.width;
    values = check.reals(count_of(shape));
    weights = check.reals(cells * size_t(taps));
  }

  /// The cell of a tap, or -1 outside.
  ptrdiff_t cell_of(size_t cell, int tap) const {
    const int x = int(cell) % shape.width + tap % size - radius;
    const int y = int(cell) / shape.width + tap / size - radius;
    if (x < 0 || y < 0 || x >= shape.width || y >= shape.height) return -1;
    return ptrdiff_t(y) * shape.width + x;
  }

  void compare(Check &check, double limit, size_t count, const Check::Call &call,
               const std::function<void(Doubles &)> &reference) const {
    const Outs got = check.run(shape.height, {{Floats(count, 7)}, {}}, call);
    check.compare(got, check.reference([&] {
      Doubles out(count);
      reference(out);
      return Wanted{{out}, {}};
    }),
                  limit);
  }
};
}  // namespace

KERNEL(ck_local_sum, 0) {
  const Local l(check);
  l.compare(
      check, limit, l.values.size(),
      [&](Outs &out, int begin, int end) {
        ck_local_sum(l.values.data(), l.shape, l.weights.data(), l.radius, out.floats[0].data(),
                     begin, end);
      },
      [&](Doubles &out) {
        for (size_t cell = 0; cell < l.cells; ++cell) {
          for (int c = 0; c < l.shape.channels; ++c) {
            float sum = 0;  // one after the other, in single precision, is what is promised
            for (int t = 0; t < l.taps; ++t) {
              const ptrdiff_t there = l.cell_of(cell, t);
              if (there >= 0) sum += l.weights[cell * l.taps + t] * l.values[at(l.shape, c, there)];
            }
            out[at(l.shape, c, ptrdiff_t(cell))] = sum;
          }
        }
      });
}

KERNEL(ck_local_products, 1e-5) {
  const Local l(check, 200);
  const Floats there = check.reals(l.values.size());
  l.compare(
      check, limit, l.weights.size(),
      [&](Outs &out, int begin, int end) {
        ck_local_products(l.values.data(), there.data(), l.shape, l.radius, out.floats[0].data(),
                          begin, end);
      },
      [&](Doubles &out) {
        for (size_t i = 0; i < out.size(); ++i) {
          const ptrdiff_t cell = l.cell_of(i / l.taps, int(i) % l.taps);
          for (int c = 0; c < l.shape.channels && cell >= 0; ++c) {
            out[i] += double(l.values[at(l.shape, c, ptrdiff_t(i / l.taps))]) *
                      there[at(l.shape, c, cell)];
          }
        }
      });
}

KERNEL(ck_local_turned, 0) {
  const Local l(check, 1);
  l.compare(
      check, limit, l.weights.size(),
      [&](Outs &out, int begin, int end) {
        ck_local_turned(l.weights.data(), l.shape.height, l.shape.width, l.radius,
                        out.floats[0].data(), begin, end);
      },
      [&](Doubles &out) {
        for (size_t i = 0; i < out.size(); ++i) {
          const int tap = int(i) % l.taps;
          const ptrdiff_t cell = l.cell_of(i / l.taps, tap);
          if (cell >= 0) out[i] = l.weights[size_t(cell) * l.taps + (l.taps - 1 - tap)];
        }
      });
}

/// Σ over the taps inside.
static double sum_inside(const Local &l, size_t cell, const std::function<double(int)> &term) {
  double sum = 0;
  for (int t = 0; t < l.taps; ++t) {
    if (l.cell_of(cell, t) >= 0) sum += term(t);
  }
  return sum;
}

static Local positive(Check &check) {
  Local l(check, 1);
  for (float &weight : l.weights) weight = std::abs(weight) + 0.125f;
  for (size_t cell = 0; cell < l.cells; ++cell) {  // some have no weight at all
    if (check.one_in(9)) std::fill_n(l.weights.begin() + ptrdiff_t(cell) * l.taps, l.taps, 0.0f);
  }
  return l;
}

static Doubles shares_of(const Local &l) {
  Doubles shares(l.weights.size());
  for (size_t cell = 0; cell < l.cells; ++cell) {
    const float *own = l.weights.data() + cell * l.taps;
    const double sum = sum_inside(l, cell, [&](int t) { return own[t]; });
    for (int t = 0; t < l.taps; ++t) {
      if (sum != 0 && l.cell_of(cell, t) >= 0) shares[cell * l.taps + t] = own[t] / sum;
    }
  }
  return shares;
}

KERNEL(ck_local_shares, 1e-6) {
  const Local l = positive(check);
  l.compare(
      check, limit, l.weights.size(),
      [&](Outs &out, int begin, int end) {
        ck_local_shares(l.weights.data(), l.shape.height, l.shape.width, l.radius,
                        out.floats[0].data(), begin, end);
      },
      [&](Doubles &out) { out = shares_of(l); });
}

KERNEL(ck_local_shares_gradient, 1e-5) {
  const Local l = positive(check);
  const Doubles exact = shares_of(l);
  const Floats shares(exact.begin(), exact.end()), gradient = check.reals(l.weights.size());
  l.compare(
      check, limit, l.weights.size(),
      [&](Outs &out, int begin, int end) {
        const size_t row = size_t(l.shape.width) * l.taps;
        std::copy(gradient.begin() + ptrdiff_t(begin * row),
                  gradient.begin() + ptrdiff_t(end * row),
                  out.floats[0].begin() + ptrdiff_t(begin * row));
        ck_local_shares_gradient(l.weights.data(), shares.data(), l.shape.height, l.shape.width,
                                 l.radius, out.floats[0].data(), begin, end);
      },
      [&](Doubles &out) {
        for (size_t cell = 0; cell < l.cells; ++cell) {
          const size_t first = cell * l.taps;
          const double sum = sum_inside(l, cell, [&](int t) { return l.weights[first + t]; });
          const double mean = sum_inside(
              l, cell, [&](int t) { return double(shares[first + t]) * gradient[first + t]; });
          for (int t = 0; t < l.taps; ++t) {
            if (sum != 0 && l.cell_of(cell, t) >= 0)
              out[first + t] = (gradient[first + t] - mean) / sum;
          }
        }
      });
}

KERNEL(ck_local_softmax, 1e-6) {
  const Local l(check, 1);
  const int inside = check.one_in(2);
  l.compare(
      check, limit, l.weights.size(),
      [&](Outs &out, int begin, int end) {
        const size_t row = size_t(l.shape.width) * l.taps;
        std::copy(l.weights.begin() + ptrdiff_t(begin * row),
                  l.weights.begin() + ptrdiff_t(end * row),
                  out.floats[0].begin() + ptrdiff_t(begin * row));
        ck_local_softmax(l.shape.height, l.shape.width, l.radius, inside, out.floats[0].data(),
                         begin, end);
      },
      [&](Doubles &out) {
        for (size_t cell = 0; cell < l.cells; ++cell) {
          const size_t first = cell * l.taps;
          double sum = 0;
          for (int t = 0; t < l.taps; ++t) {
            const bool counts = !inside || l.cell_of(cell, t) >= 0;
            sum += out[first + t] = counts ? std::exp(double(l.weights[first + t])) : 0;
          }
          for (int t = 0; t < l.taps; ++t) out[first + t] /= sum;
        }
      });
}

KERNEL(ck_local_softmax_gradient, 1e-6) {
  const Local l = positive(check);
  const Doubles exact = shares_of(l);
  const Floats shares(exact.begin(), exact.end()), gradient = check.reals(l.weights.size());
  l.compare(
      check, limit, l.weights.size(),
      [&](Outs &out, int begin, int end) {
        const size_t row = size_t(l.shape.width) * l.taps;
        std::copy(gradient.begin() + ptrdiff_t(begin * row),
                  gradient.begin() + ptrdiff_t(end * row),
                  out.floats[0].begin() + ptrdiff_t(begin * row));
        ck_local_softmax_gradient(shares.data(), l.shape.height, l.shape.width, l.radius,
                                  out.floats[0].data(), begin, end);
      },
      [&](Doubles &out) {
        for (size_t cell = 0; cell < l.cells; ++cell) {
          const size_t first = cell * l.taps, end = first + l.taps;
          double mean = 0;
          for (size_t t = first; t < end; ++t) mean += double(shares[t]) * gradient[t];
          for (size_t t = first; t < end; ++t) out[t] = shares[t] * (gradient[t] - mean);
        }
      });
}
