// SPDX-License-Identifier: Apache-2.0
// Holds every kernel against a plain loop: check VARIANT SECONDS, or check VARIANT time.
#include <chrono>
#include <cstdarg>

#include "check.h"

using Clock = std::chrono::steady_clock;
static double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<Kernel> &kernels() {
  static std::vector<Kernel> all;
  return all;
}

int Check::side(int most) {
  static const int odd[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65};
  if (timing) return 2 * most;
  const int chosen = odd[engine() % 15];
  return one_in(2) && chosen <= most ? chosen : integer(1, most);
}

Floats Check::reals(size_t count, float least, float most) {
  Floats values(count);
  for (float &value : values) value = real(least, most);
  return values;
}

Bytes Check::bytes(size_t count, int most) {
  Bytes values(count);
  for (uint8_t &value : values) value = uint8_t(integer(0, most));
  return values;
}

void Check::add(const void *bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    digest = (digest ^ static_cast<const uint8_t *>(bytes)[i]) * 1099511628211u;
  }
}

void Check::fail(const char *format, ...) {
  if (!failure.empty()) return;
  char text[200];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  failure = text;
}

/// The least time of some, of as many calls as it takes.
static double seconds_of(const std::function<void()> &call) {
  double least = 1e9;
  const auto start = Clock::now();
  for (int i = 0; i < 3 || (since(start) < 0.1 && i < 1000); ++i) {
    const auto begin = Clock::now();
    call();
    least = std::min(least, since(begin));
  }
  return least;
}

Outs Check::run(int rows, const Outs &blank, const Call &call) {
  Outs whole = blank, parts = blank;
  call(whole, 0, rows);
  if (timing) {
    kernel_seconds = seconds_of([&] { call(parts, 0, rows); });
    return whole;
  }
  int first = integer(0, rows), second = integer(0, rows);
  if (first > second) std::swap(first, second);
  if (second < rows) call(parts, second, rows);
  if (first > 0) call(parts, 0, first);
  if (second > first) call(parts, first, second);
  for (size_t i = 0; i < whole.floats.size(); ++i) {
    const Floats &a = whole.floats[i], &b = parts.floats[i];
    if (memcmp(a.data(), b.data(), a.size() * sizeof(float))) {
      fail("rows cut at %d and %d of %d give other bits", first, second, rows);
    }
    for (float value : a) {
      if (std::isnan(value)) value = NAN;  // which of them is not promised
      add(&value, sizeof value);
    }
  }
  for (size_t i = 0; i < whole.bytes.size(); ++i) {
    if (whole.bytes[i] != parts.bytes[i]) fail("rows cut at %d and %d give others", first, second);
    add(whole.bytes[i].data(), whole.bytes[i].size());
  }
  return whole;
}

Wanted Check::reference(const std::function<Wanted()> &call) {
  Wanted wanted = call();
  if (timing) reference_seconds = seconds_of([&] { wanted = call(); });
  return wanted;
}

void Check::compare(const Outs &got, const Wanted &wanted, double bound) {
  for (size_t k = 0; k < wanted.floats.size(); ++k) {
    for (size_t i = 0; i < wanted.floats[k].size(); ++i) {
      const double want = wanted.floats[k][i], value = got.floats[k][i];
      if (std::isnan(want) ? std::isnan(value) : value == want) continue;
      const double error = std::abs(value - want) / std::max(1.0, std::abs(want));
      if (error > worst) worst = error;
      if (!(error <= bound)) fail("%.9g in place of %.9g, array %zu at %zu", value, want, k, i);
    }
  }
  for (size_t k = 0; k < wanted.bytes.size(); ++k) {
    for (size_t i = 0; i < wanted.bytes[k].size(); ++i) {
      if (got.bytes[k][i] != wanted.bytes[k][i]) {
        fail("%d in place of %d, bytes %zu at %zu", got.bytes[k][i], wanted.bytes[k][i], k, i);
      }
    }
  }
}

static void print_time(const char *variant, const Kernel &kernel) {
  Check check(1, true);
  kernel.round(check, kernel.bound);
  printf("%-10s %-34s %10.1f us %10.1f us %8.2f\n", variant, kernel.name,
         1e6 * check.kernel_seconds, 1e6 * check.reference_seconds,
         check.reference_seconds / check.kernel_seconds);
}

/// The same rounds on every processor, whose bits are compared, and then others while there is
/// time.
static bool check_kernel(const char *variant, const Kernel &kernel, double seconds) {
  enum { shared_rounds = 12 };
  const auto start = Clock::now();
  double worst = 0;
  uint64_t digest = 0;
  uint32_t round = 0;
  for (; round < shared_rounds || since(start) < seconds; ++round) {
    Check check(1 + round, false);
    kernel.round(check, kernel.bound);
    worst = std::max(worst, check.worst);
    if (round < shared_rounds) digest = digest * 31 + check.digest;
    if (check.failure.empty()) continue;
    printf("%-10s %-34s WRONG in round %u: %s\n", variant, kernel.name, round,
           check.failure.c_str());
    return false;
  }
  char bits[20] = "-";
  if (kernel.same) snprintf(bits, sizeof bits, "%016llx", (unsigned long long)digest);
  printf("%-10s %-34s %7u %9.1e %9.1e %16s\n", variant, kernel.name, round, worst, kernel.bound,
         bits);
  return true;
}

int main(int count, char **arguments) {
  if (count != 3) return 64;
  const bool timing = !strcmp(arguments[2], "time");
  const double seconds = atof(arguments[2]) / double(kernels().size());
  bool right = true;
  for (const Kernel &kernel : kernels()) {
    if (timing) {
      print_time(arguments[1], kernel);
    } else {
      right &= check_kernel(arguments[1], kernel, seconds);
    }
    fflush(stdout);
  }
  return !right;
}
