// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/permutation.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

namespace eh::kernels {
namespace {

/// Least integer whose square is at least n.
std::int64_t ceil_sqrt(std::int64_t n) {
  auto root = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n)));
  while (root * root < n) ++root;
  while (root > 0 && (root - 1) * (root - 1) >= n) --root;
  return root;
}

struct Sides {
  std::int64_t left;
  std::int64_t right;
};
Sides sides(std::int64_t n) {
  const std::int64_t left = ceil_sqrt(n);
  return {left, (n + left - 1) / left};
}

/// (a + b) mod m, and (a - b) mod m, of residues.
std::int64_t add(std::int64_t a, std::int64_t b, std::int64_t m) { return a + b < m ? a + b : a + b - m; }
std::int64_t subtract(std::int64_t a, std::int64_t b, std::int64_t m) { return a >= b ? a - b : a - b + m; }

}  // namespace

/// Many entries in a row, of sides below 2^16. No round takes a remainder: a side grows by less than its size in each
/// of its rounds, and the tables that it looks up repeat that often. A load and an addition are left of a round.
class RandomPermutation::Sweep {
 public:
  explicit Sweep(const RandomPermutation& of)
      : table_(std::make_unique_for_overwrite<std::uint16_t[]>(kRounds * kStride)) {
    for (int r = 0; r < kRounds; ++r) {
      std::uint16_t* end = table_.get() + static_cast<std::size_t>(r) * kStride;
      for (int repeat = 0; repeat <= (r + 1) / 2; ++repeat)
        end = std::copy(of.round_[r].begin(), of.round_[r].end(), end);
    }
    for (int repeat = 0; repeat <= kRounds / 2; ++repeat) {
      for (std::int64_t i = 0; i < of.left_size_; ++i)
        left_.push_back(static_cast<std::uint32_t>(i * of.right_size_));
      for (std::int64_t i = 0; i < of.right_size_; ++i) right_.push_back(static_cast<std::uint16_t>(i));
    }
  }

  std::int64_t operator()(std::int64_t left_side, std::int64_t right_side) const {
    auto left = static_cast<std::size_t>(left_side);
    auto right = static_cast<std::size_t>(right_side);
    const std::uint16_t* const table = table_.get();
#pragma GCC unroll 4
    for (std::size_t r = 0; r < kRounds; r += 2) {
      left += table[r * kStride + right];
      right += table[(r + 1) * kStride + left];
    }
    return std::int64_t{left_[left]} + right_[right];
  }

 private:
  /// Apart by a constant, for addresses without registers; not by a power of two, which shares few lines of a cache.
  static constexpr std::size_t kStride = (kRounds / 2 + 1) * kNarrow + 17 * 64;
  std::unique_ptr<std::uint16_t[]> table_;
  std::vector<std::uint32_t> left_;   ///< left mod left_size, times right_size
  std::vector<std::uint16_t> right_;  ///< right mod right_size
};

RandomPermutation::RandomPermutation(PhiloxStream stream, std::int64_t n) : n_(n) {
  if (n <= kShuffled)
    shuffle(stream);
  else
    draw_rounds(stream);
}

std::uint64_t RandomPermutation::blocks(std::int64_t n) {
  if (n <= kShuffled) return philox_blocks(n, 64);
  const Sides s = sides(n);
  return kRounds / 2 * (philox_blocks(s.left, 64) + philox_blocks(s.right, 64));
}

void RandomPermutation::shuffle(PhiloxStream stream) {
  const auto n = static_cast<std::size_t>(n_);
  order_.resize(n);
  position_.resize(n);
  for (std::size_t i = 0; i < n; ++i) {  // Fisher and Yates, from the front
    const std::size_t j = philox_integer_at(stream, static_cast<std::int64_t>(i), i);
    order_[i] = order_[j];
    order_[j] = static_cast<std::int32_t>(i);
  }
  for (std::size_t i = 0; i < n; ++i)
    position_[static_cast<std::size_t>(order_[i])] = static_cast<std::int32_t>(i);
}

void RandomPermutation::draw_rounds(PhiloxStream stream) {
  const Sides s = sides(n_);
  left_size_ = s.left;
  right_size_ = s.right;
  for (int r = 0; r < kRounds; ++r) {
    // The side that moves gives the range, the other one the argument.
    const std::int64_t entries = r % 2 == 0 ? right_size_ : left_size_;
    const std::int64_t range = r % 2 == 0 ? left_size_ : right_size_;
    round_[r].resize(static_cast<std::size_t>(entries));
    for (std::int64_t i = 0; i < entries; ++i)
      round_[r][static_cast<std::size_t>(i)] =
          static_cast<std::uint32_t>(philox_integer_at(stream, i, static_cast<std::uint64_t>(range - 1)));
    stream.counter += philox_blocks(entries, 64);
  }
}

std::int64_t RandomPermutation::forward_once(std::int64_t left, std::int64_t right) const {
  for (int r = 0; r < kRounds; r += 2) {
    left = add(left, round_[r][static_cast<std::size_t>(right)], left_size_);
    right = add(right, round_[r + 1][static_cast<std::size_t>(left)], right_size_);
  }
  return left * right_size_ + right;
}

std::int64_t RandomPermutation::backward_once(std::int64_t x) const {
  std::int64_t left = x / right_size_;
  std::int64_t right = x % right_size_;
  for (int r = kRounds - 2; r >= 0; r -= 2) {
    right = subtract(right, round_[r + 1][static_cast<std::size_t>(left)], right_size_);
    left = subtract(left, round_[r][static_cast<std::size_t>(right)], left_size_);
  }
  return left * right_size_ + right;
}

std::int64_t RandomPermutation::operator()(std::int64_t i) const {
  if (n_ <= kShuffled) return order_[static_cast<std::size_t>(i)];
  // The network permutes left_size * right_size >= n numbers: follow its cycle back into range.
  do i = forward_once(i / right_size_, i % right_size_);
  while (i >= n_);
  return i;
}

void RandomPermutation::entries(std::int64_t first, std::int64_t count, std::int64_t* out) const {
  if (n_ <= kShuffled) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = order_[static_cast<std::size_t>(first + i)];
    return;
  }
  // Its tables take as long as a few entries of every row.
  if (left_size_ < kNarrow && count > std::max(kShuffled / 4, 16 * left_size_))
    run(first, count, out, Sweep(*this));
  else
    run(first, count, out,
        [this](std::int64_t left, std::int64_t right) { return forward_once(left, right); });
}

template <typename Network>
void RandomPermutation::run(std::int64_t first, std::int64_t count, std::int64_t* out,
                            const Network& network) const {
  const std::int64_t n = n_;
  std::int64_t left = first / right_size_;
  for (std::int64_t i = 0, right = first % right_size_; i < count; ++left, right = 0) {
    const std::int64_t end = std::min(right_size_, right + count - i);
    for (; right < end; ++right, ++i) {
      const std::int64_t entry = network(left, right);
      out[i] = entry < n ? entry : (*this)(entry);
    }
  }
}

std::int64_t RandomPermutation::inverse(std::int64_t j) const {
  if (n_ <= kShuffled) return position_[static_cast<std::size_t>(j)];
  do j = backward_once(j);
  while (j >= n_);
  return j;
}

}  // namespace eh::kernels
