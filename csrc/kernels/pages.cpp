// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/pages.hpp"

#include <cstdint>
#include <cstdlib>
#include <initializer_list>

#if defined(__GLIBC__)
#include <malloc.h>
#endif
#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace eh::kernels {

namespace {

enum class Advice { Release, LargePages };

/// Says it about the whole pages within the memory.
void advise([[maybe_unused]] void* data, [[maybe_unused]] std::size_t bytes, [[maybe_unused]] Advice advice) {
#if defined(__linux__)
  static const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = (reinterpret_cast<std::uintptr_t>(data) + page - 1) / page * page;
  const auto last = (reinterpret_cast<std::uintptr_t>(data) + bytes) / page * page;
  if (first >= last) return;
  // Refused, it changes nothing but time and memory.
  (void)madvise(reinterpret_cast<void*>(first), last - first,
                advice == Advice::Release ? MADV_DONTNEED : MADV_HUGEPAGE);
#endif
}

}  // namespace

void release_pages(void* data, std::size_t bytes) { advise(data, bytes, Advice::Release); }
void prefer_large_pages(void* data, std::size_t bytes) { advise(data, bytes, Advice::LargePages); }

void keep_freed_memory() {
#if defined(__GLIBC__)
  for (const char* name : {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"}) {
    if (std::getenv(name) != nullptr) return;
  }
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that glibc takes
  mallopt(M_TRIM_THRESHOLD, 128 << 20);
#endif
}

}  // namespace eh::kernels
