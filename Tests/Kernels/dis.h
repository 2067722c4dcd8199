// SPDX-License-Identifier: Apache-2.0
// Two pictures and the arrays of one level of dense inverse search.
#pragma once

#include "check.h"

enum { margin = ck_dis_margin };

/// A picture with its margins, and the margins' own values.
struct Picture {
  Floats memory;
  ck_dis_picture picture;
  Picture(int width, int height) {
    const ptrdiff_t stride = (width + 2 * margin + 15) / 16 * 16;
    memory.assign(size_t(stride * (height + 2 * margin)), 7);
    picture = {nullptr, width, height, stride};
  }
  /// The picture in a copy of its memory.
  ck_dis_picture in(const Floats &floats) const {
    ck_dis_picture out = picture;
    out.pixels = const_cast<float *>(floats.data()) + margin * out.stride + margin;
    return out;
  }
  size_t index(int x, int y) const { return size_t((y + margin) * picture.stride + margin + x); }
  /// Sets what `value` says, ends repeated into the margins.
  template <class Array>
  void fill(Array &to, const std::function<double(int x, int y)> &value) const {
    for (int y = -margin; y < picture.height + margin; ++y) {
      for (int x = -margin; x < picture.width + margin; ++x) {
        to[index(x, y)] =
            typename Array::value_type(value(std::min(std::max(x, 0), picture.width - 1),
                                             std::min(std::max(y, 0), picture.height - 1)));
      }
    }
  }
  double at(double x, double y) const {
    const int c = int(std::floor(x)), r = int(std::floor(y));
    const double u = x - c, v = y - r;
    const auto p = [&](int i, int j) { return double(memory[index(c + i, r + j)]); };
    return (p(0, 0) * (1 - u) + p(1, 0) * u) * (1 - v) + (p(0, 1) * (1 - u) + p(1, 1) * u) * v;
  }
};

inline double held(double value, double least, double most) {
  return std::min(std::max(value, least), most);
}

/// A level of two pictures of waves that move by (1.3, -0.8), of planes that tests fill.
struct Level {
  Picture current, reference;
  Floats gradient_x, gradient_y, patch_dx, patch_dy, coarse_dx, coarse_dy, terms;
  Floats flow[2][2];
  ck_dis_level level = {};
  int width, height;

  explicit Level(Check &check, int most = 60)
      : Level(check, std::max(8, check.side(most)), std::max(8, check.side(most))) {}

  Level(Check &check, int w, int h) : current(w, h), reference(w, h), width(w), height(h) {
    const double a = check.real(0.2f, 0.6f), b = check.real(0.2f, 0.6f);
    const auto wave = [&](double x, double y) {
      return 128 + 60 * std::sin(a * x + 0.1 * y) + 40 * std::cos(b * y - 0.07 * x);
    };
    const auto noise = [&] { return check.real(-1, 1); };
    current.fill(current.memory, [&](int x, int y) { return wave(x, y); });
    reference.fill(reference.memory, [&](int x, int y) { return wave(x - 1.3, y + 0.8); });
    const ptrdiff_t stride = (w + 31) / 32 * 32;
    for (auto &plane : {&flow[0][0], &flow[0][1], &flow[1][0], &flow[1][1]}) {
      plane->assign(size_t(stride * h), 0);
      for (int i = 0; i < w * h; ++i) (*plane)[size_t(i / w * stride + i % w)] = noise();
    }
    gradient_x.assign(size_t(current.picture.stride * h), 7);
    gradient_y = gradient_x;
    level.patch_step = check.integer(3, 4);
    level.patch_columns = ck_dis_patch_count(w, level.patch_step);
    level.patch_rows = ck_dis_patch_count(h, level.patch_step);
    patch_dx = check.reals(size_t(level.patch_columns) * level.patch_rows, -3, 3);
    patch_dy = check.reals(patch_dx.size(), -3, 3);
    terms.assign(size_t(stride) * h * ck_dis_terms, 0);
    level.flow[0] = level.flow[1] = {nullptr, nullptr, w, h, stride};
  }

  /// The level, on the arrays here.
  ck_dis_level all() {
    ck_dis_level out = level;
    out.current = current.in(current.memory), out.reference = reference.in(reference.memory);
    out.gradient_x = gradient_x.data(), out.gradient_y = gradient_y.data();
    out.patch_dx = patch_dx.data(), out.patch_dy = patch_dy.data(), out.terms = terms.data();
    for (int k = 0; k < 2; ++k)
      out.flow[k].dx = flow[k][0].data(), out.flow[k].dy = flow[k][1].data();
    return out;
  }
  size_t cell(int x, int y) const { return size_t(y * level.flow[0].stride + x); }
};

inline Wanted planes(std::vector<Doubles> floats) { return Wanted{std::move(floats), {}}; }

/// A scratch memory of its own for each call, so that what lies beyond it is seen.
inline Floats scratch(const Level &l, int begin, int end) {
  return Floats(ck_dis_scratch(end - begin, l.level.flow[0].stride) / sizeof(float) + 16);
}
inline float *aligned(Floats &floats) {
  return reinterpret_cast<float *>((reinterpret_cast<uintptr_t>(floats.data()) + 63) / 64 * 64);
}
