// SPDX-License-Identifier: Apache-2.0
#include "parallel.hpp"

#include <atomic>

#include <ATen/Parallel.h>
#include <dlfcn.h>

namespace ct {

/// What a parallel region of GCC's compiles to; LLVM's runtime answers to the same name.
using StartThreads = void (*)(void (*body)(void *), void *data, unsigned threads, unsigned flags);

/// That of the OpenMP library that LibTorch runs in; null where it runs in none.
static StartThreads start_threads() {
  static const auto found = reinterpret_cast<StartThreads>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
  return found;
}

int32_t workers() {
  return start_threads() && !at::in_parallel_region() ? at::get_num_threads() : 1;
}

namespace {

struct Region {
  const Task &task;
  int64_t jobs;
  int32_t most_workers;
  std::atomic<int64_t> next_job{0};
  std::atomic<int32_t> next_worker{0};
};

}  // namespace

static void work(void *data) {
  auto &region = *static_cast<Region *>(data);
  const int32_t worker = region.next_worker++;
  if (worker >= region.most_workers) return;
  for (int64_t job = region.next_job++; job < region.jobs; job = region.next_job++)
    region.task.call(region.task.body, job, worker);
}

void run_in_threads(int64_t jobs, const Task &task) {
  Region region{task, jobs, workers()};
  if (jobs > 1 && region.most_workers > 1) {
    // As many threads as LibTorch asks for itself, so that its pool stays as it is.
    start_threads()(work, &region, unsigned(region.most_workers), 0);
  } else {
    work(&region);
  }
}

}  // namespace ct
