// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/philox.hpp"

namespace eh::kernels {

/// A random permutation of 0, ..., n - 1 and its inverse, element by element: every rank computes the entries it needs.
///
/// Up to kShuffled elements it is a true shuffle, each of the n! orders equally likely. Beyond that a Feistel network
/// over pairs of residues (Black and Rogaway 2002) whose round functions are tables of about sqrt(n) random numbers:
/// kRounds rounds are indistinguishable from a shuffle by far more entries than sqrt(n). Memory: O(sqrt(n)).
class RandomPermutation {
 public:
  static constexpr std::int64_t kShuffled = 1 << 16;
  static constexpr int kRounds = 8;

  /// @pre n >= 0
  RandomPermutation(PhiloxStream stream, std::int64_t n);

  /// Blocks of the stream that a permutation of n elements uses up.
  static std::uint64_t blocks(std::int64_t n);

  std::int64_t size() const { return n_; }
  /// Entry at position `i`. @pre 0 <= i < size()
  std::int64_t operator()(std::int64_t i) const;
  /// Entries at positions first, ..., first + count - 1, without a division for each.
  void entries(std::int64_t first, std::int64_t count, std::int64_t* out) const;
  /// Position of entry `j`: inverse((*this)(i)) == i.
  std::int64_t inverse(std::int64_t j) const;

 private:
  static constexpr std::int64_t kNarrow = 1 << 16;  ///< a side below it is walked by a Sweep
  class Sweep;

  void shuffle(PhiloxStream stream);
  void draw_rounds(PhiloxStream stream);
  std::int64_t forward_once(std::int64_t left, std::int64_t right) const;
  std::int64_t backward_once(std::int64_t x) const;
  template <typename Network>
  void run(std::int64_t first, std::int64_t count, std::int64_t* out, const Network& network) const;

  std::int64_t n_;
  std::vector<std::int32_t> order_;     ///< small n: the permutation
  std::vector<std::int32_t> position_;  ///< and its inverse
  // Large n: x = left * right_size_ + right; even rounds move left, odd rounds right.
  std::int64_t left_size_ = 0;
  std::int64_t right_size_ = 0;
  std::vector<std::uint32_t> round_[kRounds];  // sizes are about the square root of a 63-bit number
};

}  // namespace eh::kernels
