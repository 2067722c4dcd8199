// SPDX-License-Identifier: Apache-2.0
// Dense inverse search, stage by stage.
#include "dis.h"

FUSED_KERNEL(ck_dis_shrink_bytes, 1e-6) {
  const int width = check.side(), height = check.side(),
            shift = check.timing ? 2 : check.integer(0, 4);
  const Bytes grey = check.bytes(size_t(width) * height);
  const Picture p(std::max(1, (width >> shift) + check.integer(0, 1)),
                  std::max(1, (height >> shift)));
  const Outs got =
      check.run(p.picture.height, {{p.memory}, {}}, [&](Outs &out, int begin, int end) {
        ck_dis_shrink_bytes(grey.data(), width, height, shift, p.in(out.floats[0]), begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles out(p.memory.begin(), p.memory.end());
    p.fill(out, [&](int column, int row) {
      double sum = 0;
      for (int y = row << shift; y < (row + 1) << shift; ++y) {
        for (int x = column << shift; x < (column + 1) << shift; ++x) {
          sum += grey[size_t(std::min(y, height - 1)) * width + std::min(x, width - 1)];
        }
      }
      return sum / (1 << 2 * shift);
    });
    return planes({out});
  }),
                limit);
}

FUSED_KERNEL(ck_dis_halve, 1e-6) {
  const Level l(check);
  const Picture p(l.width / 2, l.height / 2);
  const Outs got =
      check.run(p.picture.height, {{p.memory}, {}}, [&](Outs &out, int begin, int end) {
        ck_dis_halve(l.current.in(l.current.memory), p.in(out.floats[0]), begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles out(p.memory.begin(), p.memory.end());
    p.fill(out, [&](int x, int y) { return l.current.at(2 * x + 0.5, 2 * y + 0.5); });
    return planes({out});
  }),
                limit);
}

FUSED_KERNEL(ck_dis_differentiate, 1e-4) {
  Level l(check);
  const Outs got =
      check.run(l.height, {{l.gradient_x, l.gradient_y}, {}}, [&](Outs &out, int begin, int end) {
        ck_dis_level level = l.all();
        level.gradient_x = out.floats[0].data(), level.gradient_y = out.floats[1].data();
        ck_dis_differentiate(&level, begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles x(l.gradient_x.begin(), l.gradient_x.end()), y = x;
    for (int i = 0; i < l.width * l.height; ++i) {
      const int c = i % l.width, r = i / l.width;
      const size_t to = size_t(r * l.current.picture.stride + c);
      x[to] = y[to] = 0;
      for (int k = -1; k <= 1; ++k) {
        const double factor = (k == 0 ? 2 : 1) / 8.0;
        x[to] += factor * (l.current.at(c + 1, r + k) - l.current.at(c - 1, r + k));
        y[to] += factor * (l.current.at(c + k, r + 1) - l.current.at(c + k, r - 1));
      }
    }
    return planes({x, y});
  }),
                limit);
}

namespace {
struct Fit {
  double error, x, y;
};

/// One patch: its variance against the reference at a place, and the step from there.
struct Patch {
  double pixels[64], answer_x[64], answer_y[64];
  Patch(const Level &l, ck_dis_search_settings settings, int left, int top) {
    double sum_x = 0, sum_y = 0, a = settings.damping, b = 0, c = settings.damping;
    const auto gradient = [&](const Floats &plane, int i) {
      return double(plane[size_t((top + i / 8) * l.current.picture.stride + left + i % 8)]);
    };
    for (int i = 0; i < 64; ++i) {
      pixels[i] = l.current.at(left + i % 8, top + i / 8);
      sum_x += gradient(l.gradient_x, i) / 64, sum_y += gradient(l.gradient_y, i) / 64;
    }
    for (int i = 0; i < 64; ++i) {
      const double x = answer_x[i] = gradient(l.gradient_x, i) - sum_x;
      const double y = answer_y[i] = gradient(l.gradient_y, i) - sum_y;
      a += x * x, b += x * y, c += y * y;
    }
    const double scale = settings.gain / (a * c - b * b);
    for (int i = 0; i < 64; ++i) {
      const double x = answer_x[i], y = answer_y[i];
      answer_x[i] = (x * c - y * b) * scale, answer_y[i] = (y * a - x * b) * scale;
    }
  }
  Fit at(const Level &l, double x, double y) const {
    x = held(x, -7, l.width - 1), y = held(y, -7, l.height - 1);
    double sum = 0, square = 0;
    Fit fit = {0, 0, 0};
    for (int i = 0; i < 64; ++i) {
      const double gap = l.reference.at(x + i % 8, y + i / 8) - pixels[i];
      sum += gap, square += gap * gap, fit.x += gap * answer_x[i], fit.y += gap * answer_y[i];
    }
    fit.error = square - sum * sum / 64;
    return fit;
  }
};

/// One patch's descent from the best of the candidates.
void search_patch(const Level &l, ck_dis_search_settings settings, int left, int top,
                  const std::vector<std::pair<double, double>> &candidates, double &dx,
                  double &dy) {
  const Patch patch(l, settings, left, top);
  Fit fit = {1e30, 0, 0};
  double x = 0, y = 0;
  for (const auto &[u, v] : candidates) {
    const Fit other = patch.at(l, left + u, top + v);
    if (other.error < fit.error) fit = other, x = u, y = v;
  }
  const double start_x = x, start_y = y;
  x -= fit.x, y -= fit.y;
  for (int step = 1; step < settings.steps; ++step) {
    const Fit next = patch.at(l, left + x, top + y);
    const bool better = next.error < fit.error;
    const bool back = !better && fit.x * fit.x + fit.y * fit.y > 0.0625;
    const double u = back ? -fit.x : next.x, v = back ? -fit.y : next.y;
    x -= u, y -= v;
    fit = next;
    if (!better || (std::abs(u) <= settings.least_step && std::abs(v) <= settings.least_step))
      break;
  }
  const bool near = (x - start_x) * (x - start_x) + (y - start_y) * (y - start_y) <= 64;
  dx = near ? x : start_x, dy = near ? y : start_y;
}

Wanted search(const Level &l, ck_dis_search_settings settings) {
  const int columns = l.level.patch_columns, rows = l.level.patch_rows;
  const int stripes = ck_dis_stripe_count(rows);
  Doubles dx(size_t(columns) * rows, 0), dy = dx;
  for (int stripe = 0; stripe < stripes; ++stripe) {
    const int first = rows * stripe / stripes, end = rows * (stripe + 1) / stripes;
    for (int pass = 0; pass < 2; ++pass) {
      for (int n = 0; n < columns * (end - first); ++n) {
        const int i = pass ? columns * end - 1 - n : columns * first + n, way = pass ? -1 : 1;
        const int c = i % columns, r = i / columns;
        std::vector<std::pair<double, double>> candidates = {{dx[i], dy[i]}};
        if (c - way >= 0 && c - way < columns) candidates.push_back({dx[i - way], dy[i - way]});
        if (r - way >= first && r - way < end) {
          candidates.push_back({dx[i - way * columns], dy[i - way * columns]});
        }
        search_patch(l, settings, std::min(c * l.level.patch_step, l.width - 8),
                     std::min(r * l.level.patch_step, l.height - 8), candidates, dx[i], dy[i]);
      }
    }
  }
  return planes({dx, dy});
}
}  // namespace

// Where two candidates fit alike either may win: one patch in fifty may be another one.
FUSED_KERNEL(ck_dis_search, 0.02) {
  Level l(check, check.timing ? 60 : 40);
  const ck_dis_level whole = l.all();
  ck_dis_differentiate(&whole, 0, l.height);
  const ck_dis_search_settings settings = {check.integer(1, 4), 1, 400, 0.01f};
  const Outs got = check.run(ck_dis_stripe_count(l.level.patch_rows),
                             {{l.patch_dx, l.patch_dy}, {}}, [&](Outs &out, int begin, int end) {
                               ck_dis_level level = l.all();
                               level.patch_dx = out.floats[0].data(),
                               level.patch_dy = out.floats[1].data();
                               ck_dis_search(&level, settings, begin, end);
                             });
  const Wanted wanted = check.reference([&] { return search(l, settings); });
  size_t others = 0;
  for (size_t i = 0; i < l.patch_dx.size(); ++i) {
    others += std::hypot(got.floats[0][i] - wanted.floats[0][i],
                         got.floats[1][i] - wanted.floats[1][i]) > 0.02;
  }
  check.worst = double(others) / double(l.patch_dx.size());
  if (double(others) > 1 + limit * double(l.patch_dx.size())) {
    check.fail("%zu of %zu patches moved otherwise", others, l.patch_dx.size());
  }
}

FUSED_KERNEL(ck_dis_densify, 2e-5) {
  Level l(check);
  const Floats &blank = l.flow[0][0];
  const Outs got =
      check.run(l.height, {{blank, blank, blank}, {}}, [&](Outs &out, int begin, int end) {
        ck_dis_level level = l.all();
        level.flow[0].dx = out.floats[0].data(), level.flow[0].dy = out.floats[1].data();
        level.flow[1].dx = out.floats[2].data();
        ck_dis_densify(&level, begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles dx(blank.size()), dy = dx, sum = dx;
    for (size_t i = 0; i < l.patch_dx.size(); ++i) {
      const int left = std::min(int(i) % l.level.patch_columns * l.level.patch_step, l.width - 8);
      const int top = std::min(int(i) / l.level.patch_columns * l.level.patch_step, l.height - 8);
      const double x = held(left + l.patch_dx[i], -7, l.width - 1),
                   y = held(top + l.patch_dy[i], -7, l.height - 1);
      for (int k = 0; k < 64; ++k) {
        const double gap =
            l.reference.at(x + k % 8, y + k / 8) - l.current.at(left + k % 8, top + k / 8);
        const double weight = 1 / std::max(1.0, std::abs(gap));
        const size_t cell = l.cell(left + k % 8, top + k / 8);
        sum[cell] += weight, dx[cell] += weight * l.patch_dx[i], dy[cell] += weight * l.patch_dy[i];
      }
    }
    for (size_t i = 0; i < dx.size(); ++i) {
      if (sum[i] > 0) dx[i] /= sum[i], dy[i] /= sum[i];
    }
    return planes({dx, dy});
  }),
                limit);
}

FUSED_KERNEL(ck_dis_enlarge, 1e-5) {
  Level l(check, 40);
  const int shift = check.timing ? 2 : check.integer(0, 3), factor = 1 << shift;
  const int width = (l.width << shift) + check.integer(0, factor - 1);
  const int height = (l.height << shift) + check.integer(0, factor - 1);
  const Outs got = check.run(
      height, {{Floats(2 * size_t(width) * height, 7)}, {}}, [&](Outs &out, int begin, int end) {
        ck_dis_enlarge(l.all().flow[0], shift, width, height, out.floats[0].data(), begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles out(2 * size_t(width) * height);
    for (int i = 0; i < width * height; ++i) {
      const int column = std::min(i % width, factor * l.width - 1);
      const double x = held((column + 0.5) / factor - 0.5, 0, l.width - 1);
      const double y = held((i / width + 0.5) / factor - 0.5, 0, l.height - 1);
      for (const Tap &tap : taps_at(x, y, l.width, l.height, ck_border_clamp)) {
        const size_t cell = l.cell(int(tap.cell) % l.width, int(tap.cell) / l.width);
        for (int k = 0; k < 2; ++k)
          out[2 * size_t(i) + k] += factor * tap.weight * l.flow[0][k][cell];
      }
    }
    return planes({out});
  }),
                limit);
}

FUSED_KERNEL(ck_dis_warp, 2e-4) {
  Level l(check, 40);
  const int shift = check.timing ? 2 : check.integer(0, 3), factor = 1 << shift;
  const int width = (l.width << shift) + check.integer(0, factor - 1);
  const int height = (l.height << shift) + check.integer(0, factor - 1);
  const Floats plane = check.reals(size_t(width) * height);
  const ck_dis_flow flow = l.all().flow[0];
  Floats memory(size_t(ck_dis_warp_memory(flow.width, shift, width)), NAN);
  const Outs got = check.run(
      height, {{Floats(plane.size(), 7)}, {}}, [&](Outs &out, int begin, int end) {
        ck_dis_warp(flow, shift, plane.data(), width, height, memory.data(), out.floats[0].data(),
                    begin, end);
      });
  // The field in full, and a warp along it: not one bit differs.
  Floats field(2 * plane.size()), warped(plane.size());
  ck_dis_enlarge(flow, shift, width, height, field.data(), 0, height);
  const ck_motion motion = {field.data(), 2, 2 * ptrdiff_t(width), 1, nullptr};
  ck_warp(plane.data(), {1, height, width, ck_planar}, &motion, ck_border_clamp, warped.data(), 0,
          height);
  if (std::memcmp(warped.data(), got.floats[0].data(), sizeof(float) * warped.size()))
    check.fail("other bits than those of the two kernels");
  check.compare(got, check.reference([&] {
    Doubles out(plane.size());
    for (int i = 0; i < width * height; ++i) {
      for (const Tap &tap : taps_at(i % width + double(field[2 * size_t(i)]),
                                    i / width + double(field[2 * size_t(i) + 1]), width, height,
                                    ck_border_clamp)) {
        out[size_t(i)] += tap.weight * plane[size_t(tap.cell)];
      }
    }
    return planes({out});
  }),
                limit);
}
