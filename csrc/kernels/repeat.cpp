// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/repeat.hpp"

#include <algorithm>
#include <cstring>

namespace eh::kernels {
namespace {

/// A number of times known to the compiler makes the loop one of shuffles.
template <typename T, int kTimes>
void repeat_fixed(const T* from, std::int64_t n, T* to) {
  for (std::int64_t i = 0; i < n; ++i) {
    for (int k = 0; k < kTimes; ++k) to[i * kTimes + k] = from[i];
  }
}

template <typename T>
void repeat_as(const void* items, std::int64_t n, std::int64_t times, void* out) {
  const auto* from = static_cast<const T*>(items);
  auto* to = static_cast<T*>(out);
  switch (times) {
    case 2:
      return repeat_fixed<T, 2>(from, n, to);
    case 3:
      return repeat_fixed<T, 3>(from, n, to);
    case 4:
      return repeat_fixed<T, 4>(from, n, to);
    default:
      for (std::int64_t i = 0; i < n; ++i) to = std::fill_n(to, times, from[i]);
  }
}

}  // namespace

void repeat(const void* items, std::int64_t n, std::size_t bytes, std::int64_t times, void* out) {
  switch (bytes) {
    case 1:
      return repeat_as<std::uint8_t>(items, n, times, out);
    case 2:
      return repeat_as<std::uint16_t>(items, n, times, out);
    case 4:
      return repeat_as<std::uint32_t>(items, n, times, out);
    case 8:
      return repeat_as<std::uint64_t>(items, n, times, out);
    default:
      break;
  }
  const auto* from = static_cast<const std::byte*>(items);
  auto* to = static_cast<std::byte*>(out);
  for (std::int64_t i = 0; i < n; ++i, from += bytes) {
    for (std::int64_t k = 0; k < times; ++k, to += bytes) std::memcpy(to, from, bytes);
  }
}

}  // namespace eh::kernels
