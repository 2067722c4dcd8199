// SPDX-License-Identifier: Apache-2.0
// Labels of scores, means of blocks, pixels as numbers, and whether all is finite.
#include "check.h"

KERNEL(ck_argmax, 0) {
  const ck_shape shape = make_shape(check, check.one_in(2) ? 20 : 256);
  const size_t cells = size_t(shape.height) * shape.width;
  Floats scores(count_of(shape));
  for (float &score : scores) {
    score = float(check.integer(-3, 3));  // ties are usual
    if (check.one_in(30)) score = check.one_in(2) ? NAN : check.one_in(2) ? INFINITY : -INFINITY;
  }
  const Outs got =
      check.run(shape.height, {{}, {Bytes(cells, 7)}}, [&](Outs &out, int begin, int end) {
        ck_argmax(scores.data(), shape, out.bytes[0].data(), begin, end);
      });
  check.compare(got, check.reference([&] {
    Bytes out(cells, 0);
    for (size_t cell = 0; cell < cells; ++cell) {
      float top = -INFINITY;
      for (int c = 0; c < shape.channels; ++c) {
        const float score = scores[at(shape, c, ptrdiff_t(cell))];
        if (score > top) top = score, out[cell] = uint8_t(c);
      }
    }
    return Wanted{{}, {out}};
  }),
                limit);
}

/// A value between the centres of cells, of a row or a column `times` as fine.
static std::pair<int, double> half_pixel(int index, int times, int size) {
  double place = (index + 0.5) / times - 0.5;
  place = std::min(std::max(place, 0.0), size - 1.0);
  return {int(place), place - int(place)};
}

KERNEL(ck_resized_argmax, 2e-6) {
  const ck_shape shape = make_shape(check, check.one_in(2) ? 20 : 256, 40);
  const int down = check.integer(1, 9), across = check.integer(1, 9);
  const int height = shape.height * down, width = shape.width * across;
  const size_t cells = size_t(height) * width;
  const Floats scores = check.reals(count_of(shape));
  const bool tells = check.timing || check.one_in(2);
  const Outs got = check.run(
      height, {{Floats(tells ? cells : 0, 7)}, {Bytes(cells, 7)}},
      [&](Outs &out, int begin, int end) {
        Floats memory(3 * size_t(shape.channels) * size_t(ck_resized_plane(shape.width)));
        ck_resized_argmax(scores.data(), shape, down, across, memory.data(), out.bytes[0].data(),
                          tells ? out.floats[0].data() : nullptr, begin, end);
      });
  std::vector<float> blended(cells * size_t(shape.channels));
  check.compare(got, check.reference([&] {
    Doubles tops(tells ? cells : 0);
    for (size_t cell = 0; cell < cells; ++cell) {
      const auto [row, below] = half_pixel(int(cell) / width, down, shape.height);
      const auto [column, right] = half_pixel(int(cell) % width, across, shape.width);
      const int r = std::min(row + 1, shape.height - 1), c = std::min(column + 1, shape.width - 1);
      double top = -INFINITY;
      for (int k = 0; k < shape.channels; ++k) {
        const auto value = [&](int y, int x) {
          return double(scores[at(shape, k, ptrdiff_t(y) * shape.width + x)]);
        };
        const double upper = value(row, column) * (1 - right) + value(row, c) * right;
        const double lower = value(r, column) * (1 - right) + value(r, c) * right;
        const double score = upper * (1 - below) + lower * below;
        blended[cell * size_t(shape.channels) + size_t(k)] = float(score);
        top = std::max(top, score);
      }
      if (tells) tops[cell] = top;
      const uint8_t label = got.bytes[0][cell];
      if (label >= shape.channels) {
        check.fail("label %d of %d channels", label, shape.channels);
      } else if (blended[cell * size_t(shape.channels) + label] < top - limit) {
        check.fail("cell %zu: label %d is not the highest", cell, label);
      }
    }
    return Wanted{{tops}, {}};
  }),
                limit);
}

KERNEL(ck_window_means, 1e-6) {
  const bool is_whole = check.one_in(2);
  const int height = check.side(), width = check.side();
  const int down = check.integer(1, 9), across = check.integer(1, 9);
  const ck_extent from = is_whole ? ck_extent{height * down, width * across}
                                  : ck_extent{check.side(), check.side()};
  const Floats plane = check.reals(size_t(from.height) * size_t(from.width));
  const size_t cells = size_t(height) * width;
  const Outs got = check.run(height, {{Floats(cells, 7)}, {}}, [&](Outs &out, int begin, int end) {
    ck_window_means(plane.data(), from, {height, width}, out.floats[0].data(), begin, end);
  });
  check.compare(got, check.reference([&] {
    // A cell of the plane belongs to each window that covers a part of it.
    const auto cells_of = [](int i, int size, int from) {
      std::vector<int> cells;
      for (int cell = 0; cell < from; ++cell) {
        if (int64_t(i) * from < int64_t(cell + 1) * size &&
            int64_t(cell) * size < int64_t(i + 1) * from)
          cells.push_back(cell);
      }
      return cells;
    };
    Doubles out(cells);
    std::vector<std::vector<int>> columns;
    for (int x = 0; x < width; ++x) columns.push_back(cells_of(x, width, from.width));
    for (size_t at = 0; at < cells; ++at) {
      const auto rows = cells_of(int(at) / width, height, from.height);
      const auto &across = columns[at % size_t(width)];
      for (const int y : rows) {
        for (const int x : across) out[at] += double(plane[size_t(y) * from.width + x]);
      }
      out[at] /= double(rows.size() * across.size());
    }
    return Wanted{{out}, {}};
  }),
                limit);
}

KERNEL(ck_pixels, 1e-6) {
  const int height = check.side(), width = check.side();
  const ptrdiff_t stride = 3 * width + (check.one_in(2) ? check.integer(0, 40) : 0);
  const Bytes pixels = check.bytes(size_t((height - 1) * stride + 3 * width));
  const int reversed = check.one_in(2);
  const ck_layout layout = check.one_in(2) ? ck_planar : ck_channels_last;
  const ck_shape shape = {3, height, width, layout};
  ck_affine affine;
  for (int c = 0; c < 3; ++c) {
    affine.mean[c] = check.real(0, 255);
    affine.deviation[c] = check.real(0.25f, 64);
    affine.scale[c] = check.real(0.25f, 2);
  }
  const Outs got =
      check.run(height, {{Floats(count_of(shape), 7)}, {}}, [&](Outs &out, int begin, int end) {
        ck_pixels(pixels.data(), stride, height, width, &affine, reversed, layout,
                  out.floats[0].data(), begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles out(count_of(shape));
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        for (int c = 0; c < 3; ++c) {
          const double sample = pixels[size_t(y * stride + 3 * x + (reversed ? 2 - c : c))];
          out[at(shape, c, ptrdiff_t(y) * width + x)] =
              (sample - affine.mean[c]) / affine.deviation[c] * affine.scale[c];
        }
      }
    }
    return Wanted{{out}, {}};
  }),
                limit);
}

KERNEL(ck_all_finite, 0) {
  Floats values = check.reals(size_t(check.timing ? 300000 : check.integer(0, 300)));
  if (!check.timing && !values.empty() && check.one_in(2)) {
    static const float odd[] = {NAN, INFINITY, -INFINITY, 3.4e38f, -3.4e38f, 1e-45f};
    values[size_t(check.integer(0, int(values.size()) - 1))] = odd[check.integer(0, 5)];
  }
  // One call sees all of it; there are no rows.
  const Outs got = check.run(1, {{}, {Bytes(1, 7)}}, [&](Outs &out, int begin, int end) {
    if (begin < end) out.bytes[0][0] = ck_all_finite(values.data(), values.size()) != 0;
  });
  check.compare(got, check.reference([&] {
    uint8_t finite = 1;
    for (float value : values) finite &= std::isfinite(value);
    return Wanted{{}, {Bytes(1, finite)}};
  }),
                limit);
}

KERNEL(ck_label_sets, 0) {
  const int height = check.side(), width = check.side();
  const int classes = check.integer(1, ck_most_set_classes), radius = check.integer(0, 4);
  const size_t cells = size_t(height) * width;
  const Bytes labels = check.bytes(cells, check.one_in(2) ? classes : 255);
  const Outs got =
      check.run(height, {{}, {Bytes(4 * cells, 7)}}, [&](Outs &out, int begin, int end) {
        ck_label_sets(labels.data(), height, width, classes, radius,
                      reinterpret_cast<uint32_t *>(out.bytes[0].data()), begin, end);
      });
  check.compare(got, check.reference([&] {
    std::vector<uint32_t> sets(cells);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        for (int r = std::max(0, y - radius); r <= std::min(height - 1, y + radius); ++r) {
          for (int c = std::max(0, x - radius); c <= std::min(width - 1, x + radius); ++c) {
            const uint8_t label = labels[size_t(r) * width + c];
            if (label < classes) sets[size_t(y) * width + x] |= 1u << label;
          }
        }
      }
    }
    Bytes out(4 * cells);
    memcpy(out.data(), sets.data(), out.size());
    return Wanted{{}, {out}};
  }),
                limit);
}
