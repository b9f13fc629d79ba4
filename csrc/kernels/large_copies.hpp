// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>

/// Large results are written through the caches or past them, whichever is faster on this machine: past them a line need
/// not be read before it is written, but where caches are larger than the result it would have stayed in one. Which of
/// the two it is, and from which size on, is measured on copies that are made anyway.
namespace eh::kernels {

/// Whether results of so many bytes are best written past the caches; no small ones are.
bool goes_past_caches(std::size_t result_bytes);

/// The same for the next copy, which is now and then made the other way.
bool next_goes_past_caches(std::size_t result_bytes);
/// What a copy of some bytes of such a result took.
void note_copy(bool past_caches, std::size_t result_bytes, std::size_t bytes, std::chrono::nanoseconds time);

/// copy(past_caches) for `bytes` bytes of a result, measured if that is large.
template <typename Copy>
void copy_part_of(std::size_t result_bytes, std::size_t bytes, const Copy& copy) {
  constexpr std::size_t kLeast = 1 << 20;  // of less there is nothing to learn
  if (bytes < kLeast) return copy(goes_past_caches(result_bytes));
  const bool past = next_goes_past_caches(result_bytes);
  const auto begin = std::chrono::steady_clock::now();
  copy(past);
  note_copy(past, result_bytes, bytes, std::chrono::steady_clock::now() - begin);
}

}  // namespace eh::kernels
