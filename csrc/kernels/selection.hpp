// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/dtype.hpp"
#include "kernels/sort_key.hpp"

/// Selection: elements at given places of the sorted order, without sorting. Real and integer types only.
namespace eh::kernels {

/// What a line holds beside NaN, as keys: its smallest and largest element (least > greatest for none).
struct KeyRange {
  std::uint64_t least = ~std::uint64_t{0};
  std::uint64_t greatest = 0;
  std::int64_t nans = 0;
};
/// One pass over a line.
KeyRange key_range(DType dtype, const void* values, std::int64_t n);

/// The keys at several places of the order of a line that may be spread over ranks: radix selection from the most
/// significant digit in which elements differ, for all places at once.
///
/// Rounds of `count` (own elements per value of the next digit) and `narrow` (with the sums over all ranks) until
/// `done`; ranks go through the same rounds with as many counters. Only elements that share all digits so far with a
/// wanted one are copied; the values stay as they are.
class Selector {
 public:
  virtual ~Selector() = default;
  /// `range` is that of all ranks, `total` the number of their elements beside NaN; `ranks` are ascending, distinct
  /// and less than it.
  static std::unique_ptr<Selector> create(DType dtype, const void* values, std::int64_t n,
                                          const KeyRange& range, std::int64_t total,
                                          std::vector<std::int64_t> ranks);
  virtual bool done() const = 0;
  /// Counters of this round. @pre !done()
  virtual std::int64_t counters() const = 0;
  virtual void count(std::int64_t* counters) = 0;
  virtual void narrow(const std::int64_t* sums) = 0;
  /// The keys at `ranks`. @pre done()
  virtual const std::vector<std::uint64_t>& keys() const = 0;
};

/// Lines up to this length are put into order around the wanted elements instead.
inline constexpr std::int64_t kShortLine = 1 << 17;

/// The same for a short line in memory. @pre n <= kShortLine, and no element at `ranks` is NaN
std::vector<std::uint64_t> select_short(DType dtype, const void* values, std::int64_t n,
                                        const std::vector<std::int64_t>& ranks);

}  // namespace eh::kernels
