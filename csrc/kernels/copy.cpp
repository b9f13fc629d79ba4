// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/copy.hpp"

#include <cstring>

#include "kernels/dispatch.hpp"

namespace eh::kernels {
namespace {

/// Where glibc's way through strings begins and ends.
constexpr std::size_t kShort = 2 << 10;
constexpr std::size_t kLong = 1 << 20;

struct Copy {
  static constexpr std::size_t kLanes = 32;
  typedef char Vector __attribute__((vector_size(kLanes)));

  static EH_INLINE void run(char* to, const char* from, std::size_t bytes) {
    std::size_t at = 0;
    for (; at + 4 * kLanes <= bytes; at += 4 * kLanes) {
      Vector lines[4];
      std::memcpy(lines, from + at, sizeof(lines));
      std::memcpy(to + at, lines, sizeof(lines));
#if defined(__GNUC__)
      asm volatile("" ::: "memory");  // or the compiler makes a memcpy of the loop
#endif
    }
    std::memcpy(to + at, from + at, bytes - at);
  }
};

}  // namespace

void copy_bytes(void* to, const void* from, std::size_t bytes) {
  if (bytes < kShort || bytes >= kLong) {
    std::memcpy(to, from, bytes);
    return;
  }
  dispatch<Copy>(static_cast<char*>(to), static_cast<const char*>(from), bytes);
}

}  // namespace eh::kernels
