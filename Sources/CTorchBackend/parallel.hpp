// SPDX-License-Identifier: Apache-2.0
// Work shared among LibTorch's threads. Its own `at::parallel_for` stands in a header and starts
// threads only where the compiler is told of OpenMP, which needs flags a package must not set.
#pragma once
#include "guard.hpp"

namespace ct {

/// How many threads `in_threads` uses at most.
CT_HIDDEN int32_t workers();

/// A function of a job and of the worker that does it, below `workers()`; it must not throw.
struct Task {
  void (*call)(const void *body, int64_t job, int32_t worker);
  const void *body;
};

CT_HIDDEN void run_in_threads(int64_t jobs, const Task &task);

/// Calls `body(job, worker)` once for each job, in any order. No two workers at a time are the
/// same, so that each may have memory of its own.
template <class Body> void in_threads(int64_t jobs, const Body &body) {
  const auto call = [](const void *body, int64_t job, int32_t worker) {
    (*static_cast<const Body *>(body))(job, worker);
  };
  run_in_threads(jobs, {call, &body});
}

}  // namespace ct
