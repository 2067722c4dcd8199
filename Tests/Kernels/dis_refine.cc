// SPDX-License-Identifier: Apache-2.0
// The variational refinement of dense inverse search.
#include "dis.h"

namespace {
/// Residuals of brightness and of both of its slopes, as x, y and constant, of every pixel.
Doubles linearise(const Level &l) {
  const int w = l.width, h = l.height;
  const ptrdiff_t half = l.level.flow[0].stride / 2;
  Doubles mean(size_t(w) * h), gap = mean, slope_x = mean, slope_y = mean, out(l.terms.size());
  const auto at = [&](const Doubles &plane, int x, int y) {
    return plane[size_t(std::min(std::max(y, 0), h - 1)) * w + std::min(std::max(x, 0), w - 1)];
  };
  const auto along = [&](const Doubles &plane, int x, int y, int i, int j) {
    return 0.5 * (at(plane, x + i, y + j) - at(plane, x - i, y - j));
  };
  for (int i = 0; i < w * h; ++i) {
    const int x = i % w, y = i / w;
    const double moved = l.reference.at(held(x + double(l.flow[0][0][l.cell(x, y)]), 0, w - 1),
                                        held(y + double(l.flow[0][1][l.cell(x, y)]), 0, h - 1));
    mean[size_t(i)] = 0.5 * (moved + l.current.at(x, y)),
    gap[size_t(i)] = moved - l.current.at(x, y);
  }
  for (int i = 0; i < w * h; ++i) {
    slope_x[size_t(i)] = along(mean, i % w, i / w, 1, 0),
    slope_y[size_t(i)] = along(mean, i % w, i / w, 0, 1);
  }
  for (int i = 0; i < w * h; ++i) {
    const int x = i % w, y = i / w;
    const double xy = along(slope_x, x, y, 0, 1);
    const double rows[3][3] = {{slope_x[size_t(i)], slope_y[size_t(i)], gap[size_t(i)]},
                               {along(slope_x, x, y, 1, 0), xy, along(gap, x, y, 1, 0)},
                               {xy, along(slope_y, x, y, 0, 1), along(gap, x, y, 0, 1)}};
    for (int k = 0; k < 9; ++k) {
      const double *r = rows[k / 3], dx = l.flow[0][0][l.cell(x, y)],
                   dy = l.flow[0][1][l.cell(x, y)];
      const double scale = 1 / std::sqrt(r[0] * r[0] + r[1] * r[1] + 0.01);
      const double value = k % 3 == 2 ? r[2] - r[0] * dx - r[1] * dy : r[k % 3];
      out[size_t(((y * 9 + k) * 2 + x % 2) * half + x / 2)] = scale * value;
    }
  }
  return out;
}

/// One fixed point's five sweeps over the even and the odd cells of a grid.
Wanted refine(const Level &l, ck_dis_refine_settings s, int from) {
  const int w = l.width, h = l.height;
  const ptrdiff_t half = l.level.flow[0].stride / 2;
  Doubles dx(l.flow[from][0].begin(), l.flow[from][0].end()),
      dy(l.flow[from][1].begin(), l.flow[from][1].end());
  Doubles bond(dx.size());
  const double soft = 1e-6, hold = 0.01;
  struct System {
    double a, b, c, x, y;
  };
  std::vector<System> systems(dx.size());
  for (int i = 0; i < w * h; ++i) {
    const int x = i % w, y = i / w;
    const size_t c = l.cell(x, y), below = l.cell(x, std::min(y + 1, h - 1));
    // To the right of the last column lies no motion at all.
    const double nx = x + 1 < w ? dx[c + 1] : 0, ny = x + 1 < w ? dy[c + 1] : 0;
    const double squares = std::pow(nx - dx[c], 2) + std::pow(ny - dy[c], 2) +
                           std::pow(dx[below] - dx[c], 2) + std::pow(dy[below] - dy[c], 2);
    bond[c] = 0.5 * s.smoothness / std::sqrt(squares + soft);
    double terms[9], squared[3];
    for (int k = 0; k < 9; ++k)
      terms[k] = l.terms[size_t(((y * 9 + k) * 2 + x % 2) * half + x / 2)];
    for (int k = 0; k < 3; ++k) {
      squared[k] = std::pow(terms[3 * k + 2] + terms[3 * k] * dx[c] + terms[3 * k + 1] * dy[c], 2);
    }
    const double bright = 0.5 * s.brightness / std::sqrt(squared[0] + soft);
    const double slopes = 0.5 * s.gradients / std::sqrt(squared[1] + squared[2] + soft);
    System &system = systems[c];
    system = {hold, 0, hold, hold * dx[c], hold * dy[c]};
    for (int k = 0; k < 3; ++k) {
      const double *t = terms + 3 * k, weight = k ? slopes : bright;
      system.a += weight * t[0] * t[0], system.b += weight * t[0] * t[1],
          system.c += weight * t[1] * t[1];
      system.x -= weight * t[0] * t[2], system.y -= weight * t[1] * t[2];
    }
  }
  for (int sweep = 0; sweep < 2 * ck_dis_sweeps; ++sweep) {
    for (int i = 0; i < w * h; ++i) {
      const int x = i % w, y = i / w;
      if ((x + y + sweep) % 2) continue;
      const size_t c = l.cell(x, y);
      double sum = 0, pull_x = 0, pull_y = 0;
      const auto bind = [&](bool is, double weight, size_t to) {
        if (is) sum += weight, pull_x += weight * dx[to], pull_y += weight * dy[to];
      };
      bind(x + 1 < w, bond[c], c + 1);
      if (x > 0) bind(true, bond[c - 1], c - 1);
      if (y + 1 < h) bind(true, bond[c], l.cell(x, y + 1));
      if (y > 0) bind(true, bond[l.cell(x, y - 1)], l.cell(x, y - 1));
      const System &q = systems[c];
      dx[c] += 1.6 * ((pull_x + q.x - q.b * dy[c]) / (q.a + sum) - dx[c]);
      dy[c] += 1.6 * ((pull_y + q.y - q.b * dx[c]) / (q.c + sum) - dy[c]);
    }
  }
  return planes({dx, dy});
}
}  // namespace

FUSED_KERNEL(ck_dis_linearise, 1e-3) {
  Level l(check);
  const Outs got = check.run(l.height, {{l.terms}, {}}, [&](Outs &out, int begin, int end) {
    ck_dis_level level = l.all();
    level.terms = out.floats[0].data();
    Floats memory = scratch(l, begin, end);
    ck_dis_linearise(&level, aligned(memory), begin, end);
  });
  check.compare(got, check.reference([&] { return planes({linearise(l)}); }), limit);
}

FUSED_KERNEL(ck_dis_refine, 2e-3) {
  Level l(check);
  const Doubles exact = linearise(l);
  l.terms.assign(exact.begin(), exact.end());
  const ck_dis_refine_settings settings = {20, 5, 10};
  const int from = check.integer(0, 1);
  const Outs blank = {{Floats(l.flow[0][0].size(), 0), Floats(l.flow[0][0].size(), 0)}, {}};
  const Outs got = check.run(l.height, blank, [&](Outs &out, int begin, int end) {
    ck_dis_level level = l.all();
    level.flow[!from].dx = out.floats[0].data(), level.flow[!from].dy = out.floats[1].data();
    Floats memory = scratch(l, begin, end);
    ck_dis_refine(&level, settings, from, aligned(memory), begin, end);
  });
  check.compare(got, check.reference([&] { return refine(l, settings, from); }), limit);
}
