// SPDX-License-Identifier: Apache-2.0
// Threads, and what LibTorch this is.
#include "backend.hpp"
#include "version.hpp"

#include <ATen/Config.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/core/GradMode.h>
#include <cstdlib>
#include <dlfcn.h>

namespace ct::backend {

/// A function of the BLAS that is loaded; null where that is not OpenBLAS.
template <class Function> static Function openblas(const char *name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

/// OpenBLAS asks for its working memory at the first product, and where there is none it asks for
/// ever. So it is looked whether there is, and a product of one number makes OpenBLAS take it.
static void reserve_for_products() {
  const size_t working_memory = size_t(136) << 20;
  using Product = void (*)(
    const char *, const char *, const int *, const int *, const int *, const float *,
    const float *, const int *, const float *, const int *, const float *, float *, const int *);
  const auto product = openblas<Product>("sgemm_");
  if (!product || !openblas<char *(*)()>("openblas_get_config")) return;
  void *room = std::malloc(working_memory);
  if (!room) throw Failure(ct_out_of_memory, "out of memory: matrix products need 136 MiB");
  std::free(room);
  const int one = 1;
  const float factor = 1, zero = 0;
  float result = 0;
  product("N", "N", &one, &one, &one, &factor, &factor, &one, &factor, &one, &zero, &result, &one);
}

ct_code ct_set_threads(int32_t count, ct_error *error) noexcept {
  return guarded(error, [&] {
    if (count < 1) throw Failure(ct_bad_argument, "the number of threads must be positive");
    reserve_for_products();
    at::set_num_threads(count);
    if (auto set = openblas<void (*)(int)>("openblas_set_num_threads")) set(count);
  });
}

ct_code ct_get_threads(int32_t *count, ct_error *error) noexcept {
  return guarded(error, [&] { *count = at::get_num_threads(); });
}

ct_code ct_limit_threads(int32_t count, int32_t *before, ct_error *error) noexcept {
  return guarded(error, [&] {
    if (count < 1) throw Failure(ct_bad_argument, "the number of threads must be positive");
    // LibTorch's own setting reaches a thread at its first call; the limit comes after that.
    *before = at::get_num_threads();
    // OpenMP keeps the number for each thread that asks; LibTorch's call would change all of them.
    using SetThreads = void (*)(int);
    if (auto set = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"))) {
      set(count);
    }
  });
}

ct_code ct_limit_blas_threads(int32_t count, int32_t *before, ct_error *error) noexcept {
  return guarded(error, [&] {
    if (count < 1) throw Failure(ct_bad_argument, "the number of threads must be positive");
    auto get = openblas<int (*)()>("openblas_get_num_threads");
    auto set = openblas<void (*)(int)>("openblas_set_num_threads");
    *before = get && set ? get() : count;
    if (get && set) set(count);
  });
}

static const char *blas_description() {
  auto config = openblas<char *(*)()>("openblas_get_config");
  return config ? config() : "not OpenBLAS";
}

static std::string kernels_of_blas() {
  auto name = openblas<char *(*)()>("openblas_get_corename");
  return name ? std::string(" using ") + name() : "";
}

/// The vector instructions LibTorch's own kernels use, which it tells in a longer text only.
static std::string processor_kernels() {
  const std::string text = at::show_config(), label = "CPU capability usage: ";
  const auto start = text.find(label);
  if (start == std::string::npos) return "unknown";
  return text.substr(start + label.size(), text.find('\n', start) - start - label.size());
}

static std::string describe() {
  std::ostringstream text;
  text << "LibTorch: " << TORCH_VERSION << "\n"
       << "processor kernels: " << processor_kernels() << "\n"
       << "BLAS: " << blas_description() << kernels_of_blas() << "\n"
       << "oneDNN: " << (at::globalContext().hasMKLDNN() ? "yes" : "no") << "\n"
       << "CUDA: " << (at::globalContext().hasCUDA() ? "yes" : "no") << "\n"
       << "threads: " << at::get_num_threads();
  return text.str();
}

ct_code ct_describe(char *text, size_t capacity, ct_error *error) noexcept {
  return guarded(error, [&] { std::snprintf(text, capacity, "%s", describe().c_str()); });
}

}  // namespace ct::backend
