// SPDX-License-Identifier: Apache-2.0
// Fields of motion.
#include "check.h"

namespace {
struct Field {
  Floats values;
  Bytes known;
  ck_field field;

  Field(Check &check, int width, int height, bool may_be_infinite) {
    const size_t cells = size_t(width) * height;
    const float far = check.one_in(2) ? 2 : float(width + 3);
    values = check.reals(2 * cells, -far, far);
    if (check.one_in(2)) {
      for (float &value : values) value = std::floor(value);
    }
    for (float &value : values) {
      if (may_be_infinite && !check.timing && check.one_in(40))
        value = check.one_in(2) ? NAN : INFINITY;
    }
    if (check.one_in(2)) {
      known = check.bytes(cells, 8);
      for (uint8_t &mark : known) mark = mark != 0;
    }
    field = {values.data(), known.empty() ? nullptr : known.data(), width, height};
  }
  size_t cells() const { return size_t(field.width) * field.height; }
  bool is_known(ptrdiff_t cell) const { return known.empty() || known[cell]; }
};

struct Reading {
  double x = 0, y = 0;
  bool known = false;
};

/// What is read at a place held to the grid, from cells that have a weight.
Reading read(const Field &from, double x, double y, bool rounded) {
  if (!std::isfinite(x + y)) return {};
  const int width = from.field.width, height = from.field.height;
  x = std::min(std::max(x, 0.0), width - 1.0), y = std::min(std::max(y, 0.0), height - 1.0);
  if (rounded) x = std::floor(x + 0.5), y = std::floor(y + 0.5);
  Reading out;
  out.known = true;
  for (const Tap &tap : taps_at(x, y, width, height, ck_border_clamp)) {
    out.x += tap.weight * from.values[2 * tap.cell];
    out.y += tap.weight * from.values[2 * tap.cell + 1];
    out.known = out.known && from.is_known(tap.cell);
  }
  out.known = out.known && std::isfinite(out.x + out.y);
  return out;
}

struct Made {
  Doubles values;
  Bytes known;
  explicit Made(size_t cells) : values(2 * cells), known(cells) {}
  void set(size_t cell, double x, double y) {
    known[cell] = 1;
    values[2 * cell] = x;
    values[2 * cell + 1] = y;
  }
};

using Call = std::function<int32_t(ck_field_rows out)>;
/// Runs one, whose numbers of unknown cells have to be right too.
Outs run(Check &check, size_t width, int height, const Call &call) {
  const size_t cells = width * size_t(height);
  return check.run(
      height, {{Floats(2 * cells, 7)}, {Bytes(cells, 7)}}, [&](Outs &out, int begin, int end) {
        const int32_t unknown = call({out.floats[0].data(), out.bytes[0].data(), begin, end});
        int32_t counted = 0;
        for (size_t i = size_t(begin) * width; i < size_t(end) * width; ++i) {
          counted += out.bytes[0][i] == 0;
        }
        if (unknown != counted) check.fail("%d unknown are counted as %d", counted, unknown);
      });
}
}  // namespace

KERNEL(ck_follow_field, 4e-5) {
  const int width = check.side(), height = check.side(), rounded = check.one_in(2);
  const Field first(check, width, height, true), next(check, width, height, true);
  const Outs got = run(check, size_t(width), height, [&](ck_field_rows out) {
    return ck_follow_field(&first.field, &next.field, rounded, out);
  });
  check.compare(got, check.reference([&] {
    Made out(first.cells());
    for (size_t i = 0; i < out.known.size(); ++i) {
      const double dx = first.values[2 * i], dy = first.values[2 * i + 1];
      const Reading there =
          read(next, double(int(i) % width) + dx, double(int(i) / width) + dy, rounded);
      if (first.is_known(ptrdiff_t(i)) && there.known) out.set(i, dx + there.x, dy + there.y);
    }
    return Wanted{{out.values}, {out.known}};
  }),
                limit);
}

KERNEL(ck_resize_field, 4e-5) {
  const int width = check.side(), height = check.side();
  const Field field(check, check.side(), check.side(), true);
  const Outs got = run(check, size_t(width), height, [&](ck_field_rows out) {
    return ck_resize_field(&field.field, width, height, out);
  });
  check.compare(got, check.reference([&] {
    Made out(size_t(width) * height);
    const float across = float(width) / float(field.field.width);
    const float down = float(height) / float(field.field.height);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        // Places are single: whether a cell has a weight hangs on their last bit.
        const float column = (float(x) + 0.5f) / across - 0.5f,
                    row = (float(y) + 0.5f) / down - 0.5f;
        const Reading there = read(field, column, row, false);
        if (there.known) out.set(size_t(y) * width + x, there.x * across, there.y * down);
      }
    }
    return Wanted{{out.values}, {out.known}};
  }),
                limit);
}

KERNEL(ck_check_field, 0) {
  const int width = check.side(), height = check.side();
  const Field field(check, width, height, true);
  Field back(check, width, height, true);
  for (size_t i = 0; i < back.values.size(); ++i) {  // so that about half of it leads back
    if (check.one_in(2)) back.values[i] = -field.values[i];
  }
  const float relative = check.real(0, 0.25f), absolute = check.real(0, 4);
  const Outs got = run(check, size_t(width), height, [&](ck_field_rows out) {
    return ck_check_field(&field.field, &back.field, relative, absolute, out);
  });
  check.compare(got, check.reference([&] {
    Made out(field.cells());
    for (size_t i = 0; i < out.known.size(); ++i) {
      const double dx = field.values[2 * i], dy = field.values[2 * i + 1];
      const double x = double(int(i) % width) + dx, y = double(int(i) / width) + dy;
      const Reading there = read(back, x, y, false);
      if (!field.is_known(ptrdiff_t(i)) || !there.known) continue;
      if (!(x >= 0 && y >= 0 && x <= width - 1 && y <= height - 1)) continue;
      const double gap = (dx + there.x) * (dx + there.x) + (dy + there.y) * (dy + there.y);
      const double sum = dx * dx + dy * dy + there.x * there.x + there.y * there.y;
      const double most = relative * sum + absolute;
      // What lies on the limit itself may fall on either side.
      const bool close = std::abs(gap - most) <= 1e-5 * std::max(1.0, sum);
      if (close ? got.bytes[0][i] != 0 : gap <= most) out.set(i, dx, dy);
    }
    return Wanted{{out.values}, {out.known}};
  }),
                limit);
}

KERNEL(ck_halve_field, 2e-6) {
  const Field field(check, check.side(), check.side(), false);
  const int width = (field.field.width + 1) / 2, height = (field.field.height + 1) / 2;
  const Outs got = run(check, size_t(width), height,
                       [&](ck_field_rows out) { return ck_halve_field(&field.field, out); });
  check.compare(got, check.reference([&] {
    Made out(size_t(width) * height);
    Doubles count(out.known.size());
    for (size_t i = 0; i < field.cells(); ++i) {
      if (!field.is_known(ptrdiff_t(i))) continue;
      const size_t to = i / field.field.width / 2 * width + i % field.field.width / 2;
      ++count[to];
      out.known[to] = 1;
      for (int k = 0; k < 2; ++k) out.values[2 * to + k] += field.values[2 * i + k];
    }
    for (size_t i = 0; i < out.values.size(); ++i) {
      if (out.known[i / 2]) out.values[i] /= count[i / 2];
    }
    return Wanted{{out.values}, {out.known}};
  }),
                limit);
}

KERNEL(ck_fill_field, 0) {
  const Field field(check, check.side(), check.side(), false);
  const int width = field.field.width;
  const Field coarse(check, (width + 1) / 2, (field.field.height + 1) / 2, false);
  const Outs got = run(check, size_t(width), field.field.height, [&](ck_field_rows out) {
    return ck_fill_field(&field.field, &coarse.field, out);
  });
  check.compare(got, check.reference([&] {
    Made out(field.cells());
    for (size_t i = 0; i < out.known.size(); ++i) {
      const size_t block = i / width / 2 * coarse.field.width + i % width / 2;
      if (field.is_known(ptrdiff_t(i))) {
        out.set(i, field.values[2 * i], field.values[2 * i + 1]);
      } else if (coarse.is_known(ptrdiff_t(block))) {
        out.set(i, coarse.values[2 * block], coarse.values[2 * block + 1]);
      }
    }
    return Wanted{{out.values}, {out.known}};
  }),
                limit);
}
