// SPDX-License-Identifier: Apache-2.0
#include "memory.hpp"
#include "version.hpp"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

namespace ct {

namespace {

/// A network's features are of megabytes, which the C library asks of the system and gives back each time: the pages of
/// every layer's output are then mapped and cleared anew, a sixth of a frame's time. So blocks are kept for the next
/// that asks for as much.
class Pool {
 public:
  static constexpr size_t most = size_t(256) << 20;

  void *take(size_t size) {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = kept.find(size);
    if (found == kept.end()) return nullptr;
    void *block = found->second.block;
    forget(found);
    return block;
  }

  /// Keeps a block, and lets go of those that lay here longest where there is too much.
  void give(void *block, size_t size) {
    const std::lock_guard<std::mutex> lock(mutex);
    ages.emplace(clock, kept.insert({size, {block, clock}}));
    ++clock;
    total += size;
    while (total > most) {
      const auto oldest = ages.begin()->second;
      std::free(oldest->second.block);
      forget(oldest);
    }
  }

 private:
  struct Block {
    void *block;
    uint64_t age;
  };
  using Kept = std::multimap<size_t, Block>;

  void forget(Kept::iterator one) {
    total -= one->first;
    ages.erase(one->second.age);
    kept.erase(one);
  }

  std::mutex mutex;
  Kept kept;
  std::map<uint64_t, Kept::iterator> ages;
  uint64_t clock = 0;
  size_t total = 0;
};

/// What stands before each block: LibTorch's own blocks begin at multiples of 64 as well.
struct alignas(64) Header {
  size_t size;
};

/// It outlives every tensor, those of other threads and of static objects too.
Pool &pool() {
  static Pool *const one = new Pool;
  return *one;
}

/// Blocks below this the C library serves from what it has.
constexpr size_t least = size_t(64) << 10;

/// Sizes that are asked for; of large ones in steps of an eighth, so that nearly equal ones share blocks.
size_t rounded(size_t size) {
  size_t step = size < least ? alignof(Header) : least / 8;
  while (size >= least && step * 16 <= size) step *= 2;
  return (size + step - 1) / step * step;
}

void release(void *values) {
  if (!values) return;
  auto *header = static_cast<Header *>(values) - 1;
  if (header->size < least || header->size > Pool::most / 4) return std::free(header);
  pool().give(header, header->size);
}

class Allocator final : public c10::Allocator {
 public:
  explicit Allocator(c10::Allocator *usual) : usual(usual) {}

  // Since LibTorch 2.3 it is not const, and copies are the allocator's.
#if TORCH_VERSION_MAJOR >= 2
  c10::DataPtr allocate(size_t size) override { return take(size); }
  void copy_data(void *to, const void *from, size_t size) const override {
    default_copy_data(to, from, size);
  }
#else
  c10::DataPtr allocate(size_t size) const override { return take(size); }
#endif

  /// oneDNN's blocks are taken and released by hand.
  c10::DeleterFnPtr raw_deleter() const override { return &release; }

 private:
  c10::DataPtr take(size_t size) const {
    const c10::Device place(c10::DeviceType::CPU);
    if (size == 0) return {nullptr, nullptr, &release, place};
    if (size > SIZE_MAX / 2) return usual->allocate(size);
    const size_t whole = rounded(size + sizeof(Header));
    void *block = whole < least ? nullptr : pool().take(whole);
    if (!block) block = std::aligned_alloc(alignof(Header), whole);
    // It throws, in LibTorch's words.
    if (!block) return usual->allocate(size);
    auto *header = static_cast<Header *>(block);
    header->size = whole;
    void *values = header + 1;
    return {values, values, &release, place};
  }

  c10::Allocator *usual;
};

}  // namespace

void keep_memory() {
  const char *choice = std::getenv("INBETWEEN_MEMORY");
  if (choice && std::strcmp(choice, "library") == 0) return;
  static auto *const one = new Allocator(c10::GetCPUAllocator());
  c10::SetCPUAllocator(one, 1);
}

}  // namespace ct
