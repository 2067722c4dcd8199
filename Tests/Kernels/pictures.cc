// SPDX-License-Identifier: Apache-2.0
#include "CPictures.h"
#include "check.h"

/// How much of a cell of a long axis, in parts of which `to` are one, a cell of a short one covers.
static int covered(int cell, int by, int from, int to) {
  return std::max(0, std::min((cell + 1) * to, (by + 1) * from) - std::max(cell * to, by * from));
}

KERNEL(ck_find_coverage, 1e-6) {
  const int from = check.timing ? 1920 : check.side(), to = check.integer(1, from);
  std::vector<ck_coverage> spans(size_t(to), {-1, -1, -1, -1, -1});
  // One call sees all of it; there are no rows.
  const size_t count = size_t(to) * from;
  const Outs got = check.run(1, {{Floats(count, 0)}, {}}, [&](Outs &out, int begin, int end) {
    if (begin < end) ck_find_coverage(from, to, spans.data());
    for (int i = 0; begin < end && i < to; ++i) {
      const ck_coverage span = spans[size_t(i)];
      for (int cell = span.first; cell <= span.last; ++cell) {
        out.floats[0][size_t(i) * from + cell] =
            cell == span.first ? span.head : cell == span.last ? span.tail : span.body;
      }
    }
  });
  check.compare(got, check.reference([&] {
    Doubles out(count);
    for (int i = 0; i < to; ++i) {
      for (int cell = 0; cell < from; ++cell) {
        out[size_t(i) * from + cell] = covered(cell, i, from, to) / double(from);
      }
    }
    return Wanted{{out}, {}};
  }),
                limit);
}

KERNEL(ck_shrink, 0) {
  // So small that no mean but a half is within 1/4096 of one.
  const int most = 42, channels = check.one_in(3) ? check.integer(1, 5) : 3;
  const int from_width = check.timing ? 640 : check.integer(1, most);
  const int from_height = check.timing ? 480 : check.integer(1, most);
  const bool halves = from_width % 2 == 0 && check.one_in(2);
  const int width =
      check.timing ? 320 : halves ? from_width / 2 : check.integer(1, from_width);
  const int height = check.timing ? 192 : check.integer(1, from_height);
  const Bytes samples = check.bytes(size_t(from_width) * from_height * channels);
  std::vector<ck_coverage> rows, columns;
  rows.resize(size_t(height));
  columns.resize(size_t(width));
  ck_find_coverage(from_height, height, rows.data());
  ck_find_coverage(from_width, width, columns.data());
  Floats memory(size_t(ck_shrink_memory(from_width, width, channels)), NAN);
  const size_t count = size_t(width) * height * channels;
  const Outs got = check.run(height, {{}, {Bytes(count, 7)}}, [&](Outs &out, int begin, int end) {
    ck_shrink(samples.data(), from_width, channels, rows.data(), columns.data(), width,
              memory.data(), out.bytes[0].data(), begin, end);
  });
  check.compare(got, check.reference([&] {
    Bytes out(count);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        for (int channel = 0; channel < channels; ++channel) {
          int64_t sum = 0;
          for (int row = y * from_height / height; row * height < (y + 1) * from_height; ++row) {
            const int down = covered(row, y, from_height, height);
            for (int column = x * from_width / width; column * width < (x + 1) * from_width;
                 ++column) {
              const size_t place = (size_t(row) * from_width + column) * channels + channel;
              sum += int64_t(samples[place]) * down * covered(column, x, from_width, width);
            }
          }
          const int64_t area = int64_t(from_width) * from_height;
          out[(size_t(y) * width + x) * channels + channel] = uint8_t((2 * sum + area) / (2 * area));
        }
      }
    }
    return Wanted{{}, {out}};
  }),
                limit);
}

KERNEL(ck_cell_means, 1e-6) {
  const int cell = check.timing ? 4 : check.integer(1, 16);
  const int width = check.timing ? 120 : check.integer(1, 70), height = check.side(20);
  const Bytes pixels = check.bytes(size_t(3) * width * height * cell * cell);
  const size_t plane = size_t(width) * height;
  const Outs got =
      check.run(height, {{Floats(3 * plane, 7)}, {}}, [&](Outs &out, int begin, int end) {
        ck_cell_means(pixels.data(), cell, height, width, out.floats[0].data(), begin, end);
      });
  check.compare(got, check.reference([&] {
    Doubles out(3 * plane);
    for (size_t i = 0; i < out.size(); ++i) {
      const size_t channel = i / plane, row = i % plane / width, column = i % plane % width;
      int64_t sum = 0;
      for (int k = 0; k < cell * cell; ++k) {
        const size_t y = row * cell + k / cell, x = column * cell + k % cell;
        sum += pixels[(y * width * cell + x) * 3 + channel];
      }
      out[i] = double(sum) / (cell * cell);
    }
    return Wanted{{out}, {}};
  }),
                limit);
}

KERNEL(ck_read_depths, 1e-6) {
  const size_t count = size_t(check.timing ? 61440 : check.integer(1, 200));
  ck_depth_reading reading = {check.real(-2, 2), check.real(-1, 1), check.real(0.1f, 1),
                              check.real(2, 9), check.one_in(2)};
  const Floats numbers = check.reals(count);
  Floats broken = numbers, scratch(count);
  broken[size_t(check.integer(0, int(count) - 1))] = check.one_in(2) ? NAN : -INFINITY;
  if (ck_read_depths(broken.data(), count, &reading, scratch.data()))
    check.fail("it takes no number for one");
  const Outs got = check.run(1, {{Floats(count, 7)}, {}}, [&](Outs &out, int, int) {
    if (!ck_read_depths(numbers.data(), count, &reading, out.floats[0].data()))
      check.fail("it takes numbers for none");
  });
  check.compare(got, check.reference([&] {
    Doubles out(count);
    for (size_t i = 0; i < count; ++i) {
      const float value = reading.scale * numbers[i] + reading.shift;
      const double depth = reading.inverse ? 1.0 / value : value;
      const bool far = reading.inverse && !(value > 1 / reading.most);
      out[i] = far ? reading.most
                   : std::min<double>(std::max<double>(depth, reading.least),
                                      reading.inverse ? INFINITY : reading.most);
    }
    return Wanted{{out}, {}};
  }),
                limit);
}
