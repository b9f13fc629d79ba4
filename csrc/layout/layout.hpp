// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/shape.hpp"

/// Who owns which block of a global array. Pure arithmetic: no MPI, no torch.
namespace eh {

/// Split of an array that every rank holds whole.
inline constexpr int kNoSplit = -1;

struct Chunk {
  std::int64_t offset;
  std::int64_t count;
};

/// Heat's rule: of n items over p ranks the first n mod p ranks own one more.
Chunk chunk(std::int64_t n, int nranks, int rank);
/// The counts of all ranks under that rule.
std::vector<std::int64_t> chunk_counts(std::int64_t n, int nranks);
/// Exclusive prefix sums with the total at the end: n + 1 entries.
std::vector<std::int64_t> offsets_of(const std::vector<std::int64_t>& counts);

/// Global shape, split axis and the extent every rank owns along it. Immutable; the same on all ranks.
///
/// The only place that knows distribution arithmetic: a second split axis would be added here.
class Layout {
 public:
  /// Every rank holds the whole array.
  static Layout replicated(Shape gshape, int nranks);
  /// Heat's chunk rule along `split`; kNoSplit gives replicated().
  static Layout balanced(Shape gshape, int split, int nranks);
  /// Explicit extents along `split`, one per rank, in rank order.
  /// @throws ValueError unless they are non-negative and add up to gshape[split]
  static Layout with_counts(Shape gshape, int split, std::vector<std::int64_t> counts);

  const Shape& gshape() const { return gshape_; }
  int ndim() const { return static_cast<int>(gshape_.size()); }
  std::int64_t size() const { return numel(gshape_); }
  int split() const { return split_; }
  bool is_split() const { return split_ != kNoSplit; }
  int nranks() const { return nranks_; }
  /// True for the chunk rule and for a replicated array.
  bool is_balanced() const { return balanced_; }

  /// Extent along the split per rank; empty when replicated.
  const std::vector<std::int64_t>& counts() const { return counts_; }
  /// Exclusive prefix sums of counts(), nranks + 1 entries; empty when replicated.
  const std::vector<std::int64_t>& offsets() const { return offsets_; }
  /// @pre is_split()
  std::int64_t count(int rank) const { return counts_[static_cast<std::size_t>(rank)]; }
  std::int64_t offset(int rank) const { return offsets_[static_cast<std::size_t>(rank)]; }
  /// Rank that owns global index `index` along the split. @pre 0 <= index < gshape[split]
  int owner(std::int64_t index) const;
  /// Shape of the block of `rank`.
  Shape lshape(int rank) const;

  /// This distribution for another shape: the same extents along `split` (shape[split] must be their sum).
  Layout with_shape(Shape gshape, int split) const;
  /// The layout after a reduction over sorted `axes`; replicated if the split is among them.
  Layout reduced(const std::vector<int>& axes, bool keepdims) const;
  /// axes[i] is the input axis that becomes axis i.
  Layout permuted(const std::vector<int>& axes) const;

  /// Same split and the same extent on every rank (shapes may differ elsewhere).
  bool same_distribution(const Layout& other) const {
    return split_ == other.split_ && counts_ == other.counts_;
  }
  bool operator==(const Layout&) const = default;

 private:
  Layout(Shape gshape, int split, int nranks, std::vector<std::int64_t> counts);

  Shape gshape_;
  int split_;
  int nranks_;
  bool balanced_ = true;
  std::vector<std::int64_t> counts_;
  std::vector<std::int64_t> offsets_;
};

using LayoutPtr = std::shared_ptr<const Layout>;
inline LayoutPtr share(Layout layout) { return std::make_shared<const Layout>(std::move(layout)); }

}  // namespace eh
