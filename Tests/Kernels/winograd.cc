// SPDX-License-Identifier: Apache-2.0
// The steps of Winograd's convolution: transforms as matrices made from the points, products, and
// all of it together against convolution as it is defined.
#include "check.h"

namespace {
const double points[5] = {0, 0.625, -0.625, 1.5, -1.5};  // and infinity

/// The product of (x - p) over all points but one; its coefficients, the constant first.
std::vector<double> product_without(int left_out) {
  std::vector<double> out = {1};
  for (int k = 0; k < 5; ++k) {
    if (k == left_out) continue;
    out.push_back(0);
    for (size_t i = out.size() - 1; i > 0; --i) out[i] = out[i - 1] - points[k] * out[i];
    out[0] *= -points[k];
  }
  return out;
}

/// Rows are points. `input`: 6 columns; `outputs`: what outputs weigh, 4; `weights`: 3.
struct Matrices {
  double input[6][6] = {}, outputs[6][4] = {}, weights[6][3] = {};
  Matrices() {
    for (int k = 0; k < 6; ++k) {
      const std::vector<double> row = product_without(k);
      std::copy(row.begin(), row.end(), input[k]);
      double distance = 1;
      for (int l = 0; l < 5 && k < 5; ++l) distance *= l == k ? 1 : points[k] - points[l];
      for (int i = 0; i < 4; ++i) outputs[k][i] = k < 5 ? std::pow(points[k], i) : i == 3;
      for (int i = 0; i < 3; ++i)
        weights[k][i] = k < 5 ? std::pow(points[k], i) / distance : i == 2;
    }
  }
};
const Matrices made;

struct Tiling {
  int images, height, width, channels, rows, columns, tiles, padded, begin, end;
  std::vector<int32_t> origins;
  ck_tiling tiling;
  Floats features;

  explicit Tiling(Check &check) {
    images = check.integer(1, 2), height = check.side(25), width = check.side(25);
    channels = check.timing ? 64 : check.integer(1, 40);
    const int dilation = check.timing ? 1 : check.integer(1, 3);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {  // the first cells of tiles, dilation × dilation grids
        if (y / dilation % 4 || x / dilation % 4) continue;
        origins.push_back(y);
        origins.push_back(x);
      }
    }
    tiling = {origins.data(), int32_t(origins.size() / 2), height, width, dilation};
    tiles = images * tiling.tiles_per_image;
    begin = check.timing ? 0 : check.integer(0, tiles - 1);
    end = check.timing ? tiles : check.integer(begin + 1, tiles);
    padded = (channels + 15) / 16 * 16;
    features = check.reals(size_t(images) * height * width * channels);
  }

  /// Where a cell of a tile lies, or -1.
  ptrdiff_t cell_of(int tile, int row, int column) const {
    const int32_t *origin = origins.data() + 2 * (tile % tiling.tiles_per_image);
    const int y = origin[0] + row * tiling.dilation, x = origin[1] + column * tiling.dilation;
    if (x < 0 || y < 0 || x >= width || y >= height) return -1;
    return (ptrdiff_t(tile / tiling.tiles_per_image) * height + y) * width + x;
  }
  double value(ptrdiff_t cell, int channel) const {
    return cell < 0 || channel >= channels ? 0 : features[size_t(cell) * channels + channel];
  }
};

/// Runs a transform of tiles into matrices whose rows are tiles.
void check_tiles(Check &check, double limit, const Tiling &t, int side,
                 decltype(ck_tiles_of_input) *transform) {
  const ptrdiff_t row = t.padded, point = row * (t.end - t.begin);
  const Outs got = check.run(
      t.end - t.begin, {{Floats(size_t(36 * point), 7)}, {}}, [&](Outs &out, int begin, int end) {
        const ck_matrices to = {out.floats[0].data() + begin * row, point, row};
        transform(t.features.data(), t.channels, &t.tiling, t.begin + begin, t.begin + end, &to);
      });
  check.compare(got, check.reference([&] {
    Doubles out(got.floats[0].size());
    for (int tile = t.begin; tile < t.end; ++tile) {
      for (int cell = 0; cell < side * side; ++cell) {
        const int before = side == 6;
        const ptrdiff_t from = t.cell_of(tile, cell / side - before, cell % side - before);
        for (int p = 0; p < 36; ++p) {
          const double factor = side == 6
                                    ? made.input[p / 6][cell / 6] * made.input[p % 6][cell % 6]
                                    : made.outputs[p / 6][cell / 4] * made.outputs[p % 6][cell % 4];
          for (int c = 0; c < t.channels && from >= 0; ++c) {
            out[size_t(p * point + (tile - t.begin) * row + c)] += factor * t.value(from, c);
          }
        }
      }
    }
    return Wanted{{out}, {}};
  }),
                limit);
}

struct Weights {
  int inputs, outputs, columns;
  Floats values;
  ck_taps_of_weights given;
  explicit Weights(Check &check) {
    inputs = check.timing ? 64 : check.integer(1, 40);
    outputs = check.timing ? 32 : check.integer(1, 32);
    columns = outputs > 16 ? 32 : 16;
    values = check.reals(size_t(inputs) * outputs * 9);
    const ptrdiff_t in = inputs, out = outputs;
    switch (check.integer(0, 2)) {
      case 0:
        given = {values.data(), 9 * in, 1, 3 * in, in};
        break;  // inputs side by side
      case 1:
        given = {values.data(), 1, out, 3 * in * out, in * out};
        break;  // outputs
      default:
        given = {values.data() + 8, 9 * in, 9, -3, -1};  // turned round
    }
  }
  double value(int output, int input, int row, int column) const {
    return given.values[output * given.output + input * given.input + row * given.row +
                        column * given.column];
  }
};
}  // namespace

FUSED_KERNEL(ck_tiles_of_input, 1e-5) {
  check_tiles(check, limit, Tiling(check), 6, ck_tiles_of_input);
}
FUSED_KERNEL(ck_tiles_of_gradient, 1e-5) {
  check_tiles(check, limit, Tiling(check), 4, ck_tiles_of_gradient);
}

FUSED_KERNEL(ck_points_of_weights, 1e-5) {
  const Weights w(check);
  const ptrdiff_t row = w.columns, point = row * w.inputs;
  const Outs got =
      check.run(1, {{Floats(size_t(36 * point), 7)}, {}}, [&](Outs &out, int begin, int end) {
        const ck_matrices to = {out.floats[0].data(), point, row};
        if (begin < end) ck_points_of_weights(&w.given, w.inputs, w.outputs, &to);
      });
  check.compare(got, check.reference([&] {
    Doubles out(got.floats[0].size());
    for (size_t i = 0; i < out.size(); ++i) {
      const int p = int(ptrdiff_t(i) / point), input = int(ptrdiff_t(i) % point / row);
      const int output = int(ptrdiff_t(i) % row);
      for (int tap = 0; tap < 9 && output < w.outputs; ++tap) {
        out[i] += made.weights[p / 6][tap / 3] * made.weights[p % 6][tap % 3] *
                  w.value(output, input, tap / 3, tap % 3);
      }
    }
    return Wanted{{out}, {}};
  }),
                limit);
}

FUSED_KERNEL(ck_output_of_tiles, 2e-5) {
  const Tiling t(check);
  const int first = check.integer(0, t.channels - 1),
            count = check.integer(1, std::min(32, t.channels - first));
  const ptrdiff_t row = count > 16 ? 32 : 16, point = row * (t.end - t.begin);
  Floats tiles = check.reals(size_t(36 * point)), bias = check.reals(size_t(t.channels));
  const bool has_bias = check.one_in(2);
  const Outs got =
      check.run(t.end - t.begin, {{t.features}, {}}, [&](Outs &out, int begin, int end) {
        const ck_matrices from = {tiles.data() + begin * row, point, row};
        ck_output_of_tiles(&from, &t.tiling, t.begin + begin, t.begin + end,
                           has_bias ? bias.data() : nullptr, out.floats[0].data(), t.channels,
                           first, count);
      });
  check.compare(got, check.reference([&] {
    Doubles out(t.features.begin(), t.features.end());
    for (int tile = t.begin; tile < t.end; ++tile) {
      for (int at = 0; at < 16 * count; ++at) {
        const ptrdiff_t cell = t.cell_of(tile, at / count / 4, at / count % 4);
        if (cell < 0) continue;
        double sum = has_bias ? bias[size_t(first + at % count)] : 0;
        for (int p = 0; p < 36; ++p) {
          sum += made.outputs[p / 6][at / count / 4] * made.outputs[p % 6][at / count % 4] *
                 tiles[size_t(p * point + (tile - t.begin) * row + at % count)];
        }
        out[size_t(cell) * t.channels + first + at % count] = sum;
      }
    }
    return Wanted{{out}, {}};
  }),
                limit);
}

FUSED_KERNEL(ck_weights_of_points, 3e-5) {
  const int outputs = check.timing ? 64 : check.integer(1, 40),
            inputs = check.timing ? 32 : check.integer(1, 60);
  const int count = std::min(32, inputs), adds = check.one_in(2);
  const ptrdiff_t row = count > 16 ? 32 : 16, point = row * outputs;
  const Floats from = check.reals(size_t(36 * point)),
               before = check.reals(size_t(outputs) * 9 * inputs);
  const Outs got = check.run(outputs, {{before}, {}}, [&](Outs &out, int begin, int end) {
    const ck_matrices matrices = {const_cast<float *>(from.data()) + begin * row, point, row};
    ck_weights_of_points(&matrices, end - begin, count, adds,
                         out.floats[0].data() + ptrdiff_t(begin) * 9 * inputs, inputs);
  });
  check.compare(got, check.reference([&] {
    Doubles out(before.begin(), before.end());
    for (size_t i = 0; i < out.size(); ++i) {
      const int output = int(i) / inputs / 9, tap = int(i) / inputs % 9, input = int(i) % inputs;
      if (input >= count) continue;
      double sum = adds ? before[i] : 0;
      for (int p = 0; p < 36; ++p) {
        sum += made.weights[p / 6][tap / 3] * made.weights[p % 6][tap % 3] *
               from[size_t(p * point + output * row + input)];
      }
      out[i] = sum;
    }
    return Wanted{{out}, {}};
  }),
                limit);
}

FUSED_KERNEL(ck_multiply, 2e-5) {
#if defined(__x86_64__)
  // Every processor with these two has the others of its level.
  const bool is_wide = __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  if ((ck_has_wide_registers() != 0) != is_wide) check.fail("wide registers: not %d", !is_wide);
#endif
  const int begin = check.integer(0, 3), end = begin + check.integer(1, 3);
  const int rows = check.timing ? 128 : 8 * check.integer(1, 6),
            columns = check.one_in(2) ? 16 : 32;
  const int steps = check.timing ? 64 : check.integer(1, 70), transposed = check.one_in(2),
            adds = check.one_in(2);
  const ptrdiff_t left_row = (transposed ? rows : steps) + check.integer(0, 5);
  const ptrdiff_t left_point = left_row * (transposed ? steps : rows);
  const ptrdiff_t right_point = ptrdiff_t(columns) * steps, point = ptrdiff_t(columns) * rows;
  Floats left = check.reals(size_t(end * left_point)),
         right = check.reals(size_t(end * right_point));
  const Floats before = check.reals(size_t(end * point));
  const ck_matrices l = {left.data(), left_point, left_row},
                    r = {right.data(), right_point, columns};
  const Outs got = check.run(end - begin, {{before}, {}}, [&](Outs &out, int first, int last) {
    const ck_product sizes = {begin + first, begin + last, rows, columns, steps, transposed, adds};
    const ck_matrices to = {out.floats[0].data(), point, columns};
    ck_multiply(&sizes, &l, &r, &to);
  });
  check.compare(got, check.reference([&] {
    Doubles out(before.begin(), before.end());
    for (ptrdiff_t i = begin * point; i < end * point; ++i) {
      const ptrdiff_t p = i / point, y = i % point / columns, x = i % columns;
      double sum = adds ? before[size_t(i)] : 0;
      for (ptrdiff_t k = 0; k < steps; ++k) {
        const ptrdiff_t from = transposed ? k * left_row + y : y * left_row + k;
        sum += double(left[size_t(p * left_point + from)]) *
               right[size_t(p * right_point + k * columns + x)];
      }
      out[size_t(i)] = sum;
    }
    return Wanted{{out}, {}};
  }),
                limit);
}
