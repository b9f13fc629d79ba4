// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/copy.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/dispatch.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

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

void stream_part(void* to, const void* from, std::size_t bytes) {
#if defined(__SSE2__)
  constexpr std::size_t kCacheLine = 64;
  // Where rows lie apart, a processor's own look-ahead reads what is between them.
  constexpr std::size_t kAhead = 2 << 10;
  auto* out = static_cast<char*>(to);
  const auto* in = static_cast<const char*>(from);
  const std::size_t head = std::min(bytes, -reinterpret_cast<std::uintptr_t>(out) % kCacheLine);
  std::memcpy(out, in, head);
  std::size_t at = head;
  for (; at + kCacheLine <= bytes; at += kCacheLine) {
    _mm_prefetch(in + at + kAhead, _MM_HINT_T0);
    const auto* source = reinterpret_cast<const __m128i*>(in + at);
    auto* target = reinterpret_cast<__m128i*>(out + at);
    const __m128i line[] = {_mm_loadu_si128(source), _mm_loadu_si128(source + 1), _mm_loadu_si128(source + 2),
                            _mm_loadu_si128(source + 3)};
    for (int i = 0; i < 4; ++i) _mm_stream_si128(target + i, line[i]);
  }
  std::memcpy(out + at, in + at, bytes - at);
#else
  copy_bytes(to, from, bytes);
#endif
}

void finish_streams() {
#if defined(__SSE2__)
  _mm_sfence();  // or a flag set after it could be seen first
#endif
}

void stream_bytes(void* to, const void* from, std::size_t bytes) {
  stream_part(to, from, bytes);
  finish_streams();
}

}  // namespace eh::kernels
