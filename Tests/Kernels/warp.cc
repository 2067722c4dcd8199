// SPDX-License-Identifier: Apache-2.0
// Warping and its gradients, labels along motion, and what is remembered.
#include "check.h"

ck_shape make_shape(Check &check, int channels, int most_side) {
  ck_shape shape;
  shape.channels = check.timing ? std::min(channels, 19) : check.integer(1, channels);
  shape.height = check.side(most_side);
  shape.width = check.side(most_side);
  shape.layout = check.one_in(2) ? ck_planar : ck_channels_last;
  return shape;
}

static float displacement(Check &check, int size, Places places) {
  const float far = check.one_in(2) ? 2.0f : float(size + 3);
  if (places == whole) return std::floor(check.real(-far, far));
  if (places == between || !check.one_in(12)) return check.real(-far, far);
  static const float odd[] = {1e-9f, -1e-9f, 1e30f, -1e30f, 3e38f, -0.0f, 1e-40f};
  return odd[check.integer(0, 6)];
}

/// Motion of a camera: it changes little from cell to cell, and here and there it jumps.
struct Drift {
  float start, across, down;
  int jump;
  float after;

  Drift(Check &check, int width) {
    const float far = check.one_in(3) ? float(width) : 3.0f;
    const float rate = check.one_in(4) ? 0.0f : check.one_in(2) ? 0.02f : 0.2f;
    start = check.real(-far, far), across = check.real(-rate, rate), down = check.real(-rate, rate);
    jump = check.one_in(2) ? width : check.integer(0, width), after = check.real(-3, 3);
    if (check.one_in(4)) start = std::floor(start), after = std::floor(after);
  }

  float at(int x, int y) const { return start + across * x + down * y + (x < jump ? 0 : after); }
};

Motion make_motion(Check &check, int height, int width, Places places) {
  Motion out;
  const Drift right(check, width), below(check, height);
  const ptrdiff_t cells = ptrdiff_t(height) * width;
  const int arrangement = check.integer(0, 2);
  ck_motion &motion = out.motion;
  motion.column = arrangement == 0 ? 2 : arrangement == 1 ? 1 : 3;
  motion.row = motion.column * width + (arrangement == 2 ? 5 : 0);
  motion.component = arrangement == 1 ? cells : 1;
  out.values.assign(
      size_t((width - 1) * motion.column + (height - 1) * motion.row + motion.component + 1), NAN);
  out.dx.assign(size_t(cells), 0);
  out.dy.assign(size_t(cells), 0);
  if (check.one_in(2)) out.known = check.bytes(size_t(cells), 2);
  for (ptrdiff_t i = 0; i < cells; ++i) {
    float x = displacement(check, width, places), y = displacement(check, height, places);
    if (places == drifting)
      x = right.at(int(i % width), int(i / width)), y = below.at(int(i % width), int(i / width));
    if (!check.timing && check.one_in(places == drifting ? 400 : 20))
      (check.one_in(2) ? x : y) = check.one_in(2) ? NAN : INFINITY;
    float *to = out.values.data() + i % width * motion.column + i / width * motion.row;
    to[0] = x;
    to[motion.component] = y;
    const bool usable = std::isfinite(x) && std::isfinite(y) && (out.known.empty() || out.known[i]);
    if (usable) out.dx[i] = x, out.dy[i] = y;
  }
  motion.values = out.values.data();
  motion.known = out.known.empty() ? nullptr : out.known.data();
  return out;
}

std::vector<Tap> taps_at(double x, double y, int width, int height, ck_border border) {
  if (border == ck_border_clamp) {
    x = std::min(std::max(x, 0.0), width - 1.0);
    y = std::min(std::max(y, 0.0), height - 1.0);
  } else if (!(x > -2 && y > -2 && x < width + 1 && y < height + 1)) {
    return {};
  }
  const int column = int(std::floor(x)), row = int(std::floor(y));
  std::vector<Tap> taps;
  for (int k = 0; k < 4; ++k) {
    const double right = x - column, below = y - row;
    const double weight = (k % 2 ? right : 1 - right) * (k / 2 ? below : 1 - below);
    const int c = column + k % 2, r = row + k / 2;
    if (weight > 0 && c >= 0 && r >= 0 && c < width && r < height) {
      taps.push_back({ptrdiff_t(r) * width + c, weight});
    }
  }
  return taps;
}

namespace {
struct Warp {
  ck_shape shape;
  ck_border border;
  Motion motion;
  Floats features;
  ptrdiff_t cells;

  Warp(Check &check, int channels, bool may_be_infinite = false) {
    shape = make_shape(check, channels);
    cells = ptrdiff_t(shape.height) * shape.width;
    border = make_border(check);
    const Places places = check.timing ? drifting : Places(check.integer(0, 3));
    motion = make_motion(check, shape.height, shape.width, places);
    features = check.reals(count_of(shape));
    if (!may_be_infinite || places == anywhere || check.timing) return;
    for (float &value : features) {
      if (check.one_in(50)) value = check.one_in(2) ? NAN : -INFINITY;
    }
  }

  std::vector<Tap> taps(ptrdiff_t cell) const {
    return taps_at(double(cell % shape.width) + motion.dx[cell],
                   double(cell / shape.width) + motion.dy[cell], shape.width, shape.height, border);
  }

  Doubles warped() const {
    Doubles out(features.size());
    for (ptrdiff_t cell = 0; cell < cells; ++cell) {
      for (const Tap &tap : taps(cell)) {
        for (int c = 0; c < shape.channels; ++c) {
          out[at(shape, c, cell)] += tap.weight * features[at(shape, c, tap.cell)];
        }
      }
    }
    return out;
  }
};
}  // namespace

KERNEL(ck_warp, 5e-7) {
  // A single plane goes its own way.
  const Warp w(check, check.one_in(3) ? 1 : 40, true);
  const Outs got = check.run(w.shape.height, {{Floats(w.features.size(), 7)}, {}},
                             [&](Outs &out, int begin, int end) {
                               ck_warp(w.features.data(), w.shape, &w.motion.motion, w.border,
                                       out.floats[0].data(), begin, end);
                             });
  check.compare(got, check.reference([&] { return Wanted{{w.warped()}, {}}; }), limit);
}

KERNEL(ck_warp_features_gradient, 2e-5) {
  const Warp w(check, 20);
  const Outs got = check.run(
      w.shape.channels, {{Floats(w.features.size(), 7)}, {}}, [&](Outs &out, int begin, int end) {
        ck_warp_features_gradient(w.features.data(), w.shape, &w.motion.motion, w.border,
                                  out.floats[0].data(), begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles out(w.features.size());
    for (ptrdiff_t cell = 0; cell < w.cells; ++cell) {
      for (const Tap &tap : w.taps(cell)) {
        for (int c = 0; c < w.shape.channels; ++c) {
          out[at(w.shape, c, tap.cell)] += tap.weight * w.features[at(w.shape, c, cell)];
        }
      }
    }
    return Wanted{{out}, {}};
  }),
                limit);
}

/// The derivative of what is read at a place, along x: that to the right, where the two differ.
static double slope(const Warp &w, int channel, ptrdiff_t cell, bool down) {
  const double step = 1.0 / 8192;  // below the grid that motion lies on: the value is linear here
  const double x = double(cell % w.shape.width) + w.motion.dx[cell];
  const double y = double(cell / w.shape.width) + w.motion.dy[cell];
  double sum = 0;
  for (int end = 0; end < 2; ++end) {
    for (const Tap &tap : taps_at(x + (down ? 0 : end * step), y + (down ? end * step : 0),
                                  w.shape.width, w.shape.height, w.border)) {
      sum += (end ? 1 : -1) * tap.weight * w.features[at(w.shape, channel, tap.cell)];
    }
  }
  return sum / step;
}

KERNEL(ck_warp_motion_gradient, 2e-5) {
  Warp w(check, 40);
  w.motion = make_motion(check, w.shape.height, w.shape.width, check.one_in(3) ? whole : between);
  const Floats gradient = check.reals(w.features.size());
  const Outs got = check.run(
      w.shape.height, {{Floats(2 * size_t(w.cells), 7)}, {}}, [&](Outs &out, int begin, int end) {
        ck_warp_motion_gradient(gradient.data(), w.features.data(), w.shape, &w.motion.motion,
                                w.border, out.floats[0].data(), begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles out(2 * size_t(w.cells));
    for (ptrdiff_t cell = 0; cell < w.cells; ++cell) {
      const float *to = w.motion.motion.values + cell % w.shape.width * w.motion.motion.column +
                        cell / w.shape.width * w.motion.motion.row;
      const bool known = w.motion.known.empty() || w.motion.known[cell];
      if (!known || !std::isfinite(to[0]) || !std::isfinite(to[w.motion.motion.component]))
        continue;
      for (int c = 0; c < w.shape.channels; ++c) {
        const double g = gradient[at(w.shape, c, cell)];
        out[cell] += g * slope(w, c, cell, false);
        out[w.cells + cell] += g * slope(w, c, cell, true);
      }
    }
    return Wanted{{out}, {}};
  }),
                limit);
}

KERNEL(ck_warp_labels, 0) {
  const Warp w(check, 1);
  const Bytes labels = check.bytes(size_t(w.cells));
  const Outs got = check.run(
      w.shape.height, {{}, {Bytes(size_t(w.cells), 7)}}, [&](Outs &out, int begin, int end) {
        ck_warp_labels(labels.data(), w.shape.height, w.shape.width, &w.motion.motion, w.border,
                       200, out.bytes[0].data(), begin, end);
      });
  check.compare(got, check.reference([&] {
    Bytes out(size_t(w.cells), 200);
    for (ptrdiff_t cell = 0; cell < w.cells; ++cell) {
      double x = double(cell % w.shape.width) + w.motion.dx[cell];
      double y = double(cell / w.shape.width) + w.motion.dy[cell];
      if (w.border == ck_border_clamp) {
        x = std::min(std::max(x, 0.0), w.shape.width - 1.0);
        y = std::min(std::max(y, 0.0), w.shape.height - 1.0);
      }
      x = std::floor(x + 0.5), y = std::floor(y + 0.5);
      if (x < 0 || y < 0 || x >= w.shape.width || y >= w.shape.height) continue;
      out[cell] = labels[size_t(y) * w.shape.width + size_t(x)];
    }
    return Wanted{{}, {out}};
  }),
                limit);
}

KERNEL(ck_remember, 1e-6) {
  Warp w(check, 40);
  w.border = ck_border_clamp;
  if (w.shape.channels > ck_most_remembered()) return;
  const int pictures = check.integer(1, 3);
  const size_t cells = size_t(w.cells);
  const Floats own = check.reals(w.features.size()), here = check.reals(cells * pictures, 0, 255);
  const Floats there = check.reals(cells * pictures, 0, 255);
  const ck_memory memory = {own.data(), w.features.data(),   here.data(),       there.data(),
                            pictures,   check.real(0.1f, 1), check.real(1, 300)};
  const Outs got = check.run(
      w.shape.height, {{Floats(w.features.size(), 7)}, {}}, [&](Outs &out, int begin, int end) {
        ck_remember(&memory, w.shape, &w.motion.motion, out.floats[0].data(), begin, end);
      });
  check.compare(got, check.reference([&] {
    const Doubles carried = w.warped();
    Doubles out(own.size());
    for (size_t cell = 0; cell < cells; ++cell) {
      double change = 0;
      for (int p = 0; p < pictures; ++p) {
        double seen = 0;
        for (const Tap &tap : w.taps(ptrdiff_t(cell)))
          seen += tap.weight * there[p * cells + tap.cell];
        change += std::abs(here[p * cells + cell] - seen) / pictures;
      }
      const bool known = w.motion.known.empty() || w.motion.known[cell];
      const double gate = known ? memory.weight * std::exp(-change / memory.tolerance) : 0;
      for (int c = 0; c < w.shape.channels; ++c) {
        const size_t i = at(w.shape, c, ptrdiff_t(cell));
        out[i] = own[i] + gate * (carried[i] - own[i]);
      }
    }
    return Wanted{{out}, {}};
  }),
                limit);
}

KERNEL(ck_warp_argmax, 0) {
  Warp w(check, check.one_in(2) ? 20 : 256, true);
  const Outs got = check.run(w.shape.height, {{}, {Bytes(size_t(w.cells), 7)}},
                             [&](Outs &out, int begin, int end) {
                               ck_warp_argmax(w.features.data(), w.shape, &w.motion.motion,
                                              w.border, out.bytes[0].data(), begin, end);
                             });
  // Of what `ck_warp` gives, to the last bit, which is checked on its own.
  check.compare(got, check.reference([&] {
    Floats carried(w.features.size());
    ck_warp(w.features.data(), w.shape, &w.motion.motion, w.border, carried.data(), 0,
            w.shape.height);
    Bytes out(size_t(w.cells), 0);
    for (ptrdiff_t cell = 0; cell < w.cells; ++cell) {
      float top = -INFINITY;
      for (int c = 0; c < w.shape.channels; ++c) {
        const float score = carried[at(w.shape, c, cell)];
        if (score > top) top = score, out[cell] = uint8_t(c);
      }
    }
    return Wanted{{}, {out}};
  }),
                limit);
}
