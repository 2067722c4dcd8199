// SPDX-License-Identifier: Apache-2.0
// What the checks of the kernels share: random arrays, comparing, timing.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "CKernels.h"

// As large as they have to be and no larger: AddressSanitizer sees the next byte.
using Floats = std::vector<float>;
using Doubles = std::vector<double>;
using Bytes = std::vector<uint8_t>;

/// What a kernel writes.
struct Outs {
  std::vector<Floats> floats;
  std::vector<Bytes> bytes;
};

/// What it should have written; a NaN where anything may be.
struct Wanted {
  std::vector<Doubles> floats;
  std::vector<Bytes> bytes;
};

/// One kernel under test, on one processor's code.
class Check {
 public:
  Check(uint32_t seed, bool timing) : timing(timing), engine(seed) {}

  const bool timing;
  uint64_t digest = 1469598103934665603u;
  double worst = 0, kernel_seconds = 0, reference_seconds = 0;
  std::string failure;

  int integer(int least, int most) { return least + int(engine() % uint32_t(most - least + 1)); }
  bool one_in(int count) { return engine() % uint32_t(count) == 0; }
  /// A multiple of 1/4096, so that sums of a few are exact.
  float real(float least, float most) {
    return std::floor((least + (most - least) * float(engine() >> 8) / 16777216) * 4096) / 4096;
  }
  int side(int most = 70);
  Floats reals(size_t count, float least = -2, float most = 2);
  Bytes bytes(size_t count, int most = 255);

  using Call = std::function<void(Outs &, int begin, int end)>;
  /// What the kernel makes of all rows, which has to be what it makes of them in parts.
  Outs run(int rows, const Outs &blank, const Call &call);
  Wanted reference(const std::function<Wanted()> &call);
  /// Holds both against each other: floats within `bound` of 1 or of what is wanted.
  void compare(const Outs &got, const Wanted &wanted, double bound);
  void fail(const char *format, ...) __attribute__((format(printf, 2, 3)));

 private:
  std::mt19937 engine;
  void add(const void *bytes, size_t count);
};

struct Kernel {
  const char *name;
  /// How the error is bounded; 0: not one bit differs but for the sign of zero.
  double bound;
  void (*round)(Check &check, double bound);
  /// Whether every processor gives the same bits.
  bool same;
};

std::vector<Kernel> &kernels();

struct Registered {
  explicit Registered(const Kernel &kernel) { kernels().push_back(kernel); }
};

#define REGISTER(name, bound, same)                                              \
  static void round_##name(Check &check, double limit);                          \
  static const Registered registered_##name({#name, bound, round_##name, same}); \
  static void round_##name([[maybe_unused]] Check &check, [[maybe_unused]] double limit)
/// A kernel of which every processor gives the same bits.
#define KERNEL(name, bound) REGISTER(name, bound, true)
/// One that fuses products and sums where a processor can.
#define FUSED_KERNEL(name, bound) REGISTER(name, bound, false)

/// Where cells read, in one of several arrangements; what is not known or not finite is 0 in dx,
/// dy.
struct Motion {
  Floats values, dx, dy;
  Bytes known;
  ck_motion motion;
};

enum Places { whole, between, anywhere, drifting };
Motion make_motion(Check &check, int height, int width, Places places);
/// An array's shape: up to `channels`, either layout.
ck_shape make_shape(Check &check, int channels, int most_side = 70);
inline size_t count_of(const ck_shape &shape) {
  return size_t(shape.channels) * shape.height * shape.width;
}
inline size_t at(const ck_shape &shape, int channel, ptrdiff_t cell) {
  return shape.layout == ck_planar ? channel * size_t(shape.height) * shape.width + cell
                                   : cell * size_t(shape.channels) + channel;
}

struct Tap {
  ptrdiff_t cell;
  double weight;
};
/// The cells that a place is read from, those of weight 0 left out.
std::vector<Tap> taps_at(double x, double y, int width, int height, ck_border border);
inline ck_border make_border(Check &check) {
  return check.one_in(2) ? ck_border_clamp : ck_border_zero;
}
