// SPDX-License-Identifier: Apache-2.0
// Spatially displaced convolution.
#include "check.h"

namespace {
/// Displaced neighbourhoods: every tap is a place of its own.
struct Displaced {
  ck_shape shape;
  size_t cells;
  Motion motion;
  Floats features, vertical, horizontal;
  ck_displaced given;

  explicit Displaced(Check &check) {
    shape = make_shape(check, check.one_in(2) ? 20 : 100, 20);
    shape.layout = ck_channels_last;
    cells = size_t(shape.height) * shape.width;
    const int size = check.timing ? 5 : check.one_in(9) ? 25 : 2 * check.integer(0, 4) + 1;
    motion = make_motion(check, shape.height, shape.width, check.one_in(3) ? whole : between);
    features = check.reals(count_of(shape));
    vertical = check.reals(cells * size_t(size), -1, 1);
    horizontal = check.reals(cells * size_t(size), -1, 1);
    given = {motion.motion, make_border(check), vertical.data(), horizontal.data(), size};
  }

  using Visit = std::function<void(size_t cell, int u, int v, ptrdiff_t there, double weight)>;
  /// Every cell that a tap reads, moved by some more, and its bilinear weight.
  void forEach(double right, double down, const Visit &visit) const {
    for (size_t cell = 0; cell < cells; ++cell) {
      for (int u = 0; u < given.size; ++u) {
        for (int v = 0; v < given.size; ++v) {
          const double x = int(cell) % shape.width + motion.dx[cell] + v - given.size / 2 + right;
          const double y = int(cell) / shape.width + motion.dy[cell] + u - given.size / 2 + down;
          for (const Tap &tap : taps_at(x, y, shape.width, shape.height, given.border)) {
            visit(cell, u, v, tap.cell, tap.weight);
          }
        }
      }
    }
  }
  double down(size_t cell, int u) const { return vertical[cell * size_t(given.size) + u]; }
  double across(size_t cell, int v) const { return horizontal[cell * size_t(given.size) + v]; }
  double value(ptrdiff_t cell, int c) const { return features[at(shape, c, cell)]; }
};
}  // namespace

KERNEL(ck_displace, 3e-5) {
  const Displaced d(check);
  const Outs got = check.run(
      d.shape.height, {{Floats(d.features.size(), 7)}, {}}, [&](Outs &out, int begin, int end) {
        ck_displace(d.features.data(), d.shape, &d.given, out.floats[0].data(), begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles out(d.features.size());
    d.forEach(0, 0, [&](size_t cell, int u, int v, ptrdiff_t there, double weight) {
      const double factor = weight * d.down(cell, u) * d.across(cell, v);
      for (int c = 0; c < d.shape.channels; ++c) {
        out[at(d.shape, c, ptrdiff_t(cell))] += factor * d.value(there, c);
      }
    });
    return Wanted{{out}, {}};
  }),
                limit);
}

KERNEL(ck_displace_features_gradient, 1e-4) {
  const Displaced d(check);
  const Outs got = check.run(d.shape.channels, {{Floats(d.features.size(), 7)}, {}},
                             [&](Outs &out, int begin, int end) {
                               ck_displace_features_gradient(d.features.data(), d.shape, &d.given,
                                                             out.floats[0].data(), begin, end);
                             });
  check.compare(got, check.reference([&] {
    Doubles out(d.features.size());
    d.forEach(0, 0, [&](size_t cell, int u, int v, ptrdiff_t there, double weight) {
      const double factor = weight * d.down(cell, u) * d.across(cell, v);
      for (int c = 0; c < d.shape.channels; ++c) {
        out[at(d.shape, c, there)] += factor * d.value(ptrdiff_t(cell), c);
      }
    });
    return Wanted{{out}, {}};
  }),
                limit);
}

KERNEL(ck_displace_taps_gradient, 1e-4) {
  const Displaced d(check);
  const Floats gradient = check.reals(d.features.size());
  const Outs blank = {
      {Floats(2 * d.cells, 7), Floats(d.vertical.size(), 7), Floats(d.vertical.size(), 7)}, {}};
  const Outs got = check.run(d.shape.height, blank, [&](Outs &out, int begin, int end) {
    ck_displace_taps_gradient(gradient.data(), d.features.data(), d.shape, &d.given,
                              out.floats[0].data(), out.floats[1].data(), out.floats[2].data(),
                              begin, end);
  });
  check.compare(got, check.reference([&] {
    Doubles motion(2 * d.cells), down(d.vertical.size()), across(d.vertical.size());
    const auto product = [&](size_t cell, ptrdiff_t there) {
      double sum = 0;
      for (int c = 0; c < d.shape.channels; ++c) {
        sum += double(gradient[at(d.shape, c, ptrdiff_t(cell))]) * d.value(there, c);
      }
      return sum;
    };
    d.forEach(0, 0, [&](size_t cell, int u, int v, ptrdiff_t there, double weight) {
      const double part = weight * product(cell, there);
      down[cell * size_t(d.given.size) + u] += part * d.across(cell, v);
      across[cell * size_t(d.given.size) + v] += part * d.down(cell, u);
    });
    const double step = 1.0 / 8192;  // values are linear that far to the right and down
    for (int k = 0; k < 4; ++k) {
      const double more = k % 2 ? step : 0;
      d.forEach(k < 2 ? more : 0, k < 2 ? 0 : more,
                [&](size_t cell, int u, int v, ptrdiff_t there, double weight) {
                  motion[cell + (k < 2 ? 0 : d.cells)] += (k % 2 ? 1 : -1) * weight / step *
                                                          product(cell, there) * d.down(cell, u) *
                                                          d.across(cell, v);
                });
    }
    for (size_t i = 0; i < d.cells; ++i) {
      const ck_motion &m = d.motion.motion;
      const float *to =
          m.values + int(i) % d.shape.width * m.column + int(i) / d.shape.width * m.row;
      const bool known = d.motion.known.empty() || d.motion.known[i];
      if (!known || !std::isfinite(to[0] + to[m.component])) motion[i] = motion[d.cells + i] = 0;
    }
    return Wanted{{motion, down, across}, {}};
  }),
                limit);
}
