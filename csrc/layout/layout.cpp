// SPDX-License-Identifier: BSD-3-Clause
#include "layout/layout.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.hpp"

namespace eh {

Chunk chunk(std::int64_t n, int nranks, int rank) {
  const std::int64_t base = n / nranks;
  const std::int64_t rest = n % nranks;
  return {rank * base + std::min<std::int64_t>(rank, rest), base + (rank < rest ? 1 : 0)};
}

std::vector<std::int64_t> chunk_counts(std::int64_t n, int nranks) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(nranks));
  for (int r = 0; r < nranks; ++r) counts[static_cast<std::size_t>(r)] = chunk(n, nranks, r).count;
  return counts;
}

std::vector<std::int64_t> offsets_of(const std::vector<std::int64_t>& counts) {
  std::vector<std::int64_t> offsets(counts.size() + 1, 0);
  std::partial_sum(counts.begin(), counts.end(), offsets.begin() + 1);
  return offsets;
}

Layout::Layout(Shape gshape, int split, int nranks, std::vector<std::int64_t> counts)
    : gshape_(std::move(gshape)), split_(split), nranks_(nranks), counts_(std::move(counts)) {
  if (split_ == kNoSplit) return;
  offsets_ = offsets_of(counts_);
  balanced_ = counts_ == chunk_counts(gshape_[static_cast<std::size_t>(split_)], nranks_);
}

Layout Layout::replicated(Shape gshape, int nranks) {
  return Layout(std::move(gshape), kNoSplit, nranks, {});
}

Layout Layout::balanced(Shape gshape, int split, int nranks) {
  if (split == kNoSplit) return replicated(std::move(gshape), nranks);
  const int ndim = static_cast<int>(gshape.size());
  EH_CHECK(split >= 0 && split < ndim, ValueError, "split: axis ", split, " is out of bounds for ", ndim,
           "-dimensional array");
  std::vector<std::int64_t> counts = chunk_counts(gshape[static_cast<std::size_t>(split)], nranks);
  return Layout(std::move(gshape), split, nranks, std::move(counts));
}

Layout Layout::with_counts(Shape gshape, int split, std::vector<std::int64_t> counts) {
  const int ndim = static_cast<int>(gshape.size());
  EH_CHECK(split >= 0 && split < ndim, ValueError, "split: axis ", split, " is out of bounds for ", ndim,
           "-dimensional array");
  const bool valid = std::all_of(counts.begin(), counts.end(), [](std::int64_t c) { return c >= 0; });
  const std::int64_t extent = gshape[static_cast<std::size_t>(split)];
  const std::int64_t total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  EH_CHECK(valid && total == extent, ValueError, "layout: counts ", to_string(counts),
           " must be non-negative and add up to ", extent, ", the extent of axis ", split);
  const int nranks = static_cast<int>(counts.size());
  return Layout(std::move(gshape), split, nranks, std::move(counts));
}

int Layout::owner(std::int64_t index) const {
  const auto next = std::upper_bound(offsets_.begin(), offsets_.end(), index);
  return static_cast<int>(next - offsets_.begin()) - 1;
}

Shape Layout::lshape(int rank) const {
  Shape shape = gshape_;
  if (is_split()) shape[static_cast<std::size_t>(split_)] = count(rank);
  return shape;
}

Layout Layout::with_shape(Shape gshape, int split) const {
  if (split == kNoSplit) return replicated(std::move(gshape), nranks_);
  return with_counts(std::move(gshape), split, counts_);
}

Layout Layout::reduced(const std::vector<int>& axes, bool keepdims) const {
  Shape shape;
  int split = split_;
  for (int axis = 0; axis < ndim(); ++axis) {
    const bool gone = std::binary_search(axes.begin(), axes.end(), axis);
    if (!gone || keepdims) shape.push_back(gone ? 1 : gshape_[static_cast<std::size_t>(axis)]);
    if (gone && axis == split_) split = kNoSplit;
    if (gone && !keepdims && axis < split_ && split != kNoSplit) --split;
  }
  return with_shape(std::move(shape), split);
}

Layout Layout::permuted(const std::vector<int>& axes) const {
  Shape shape;
  int split = kNoSplit;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    shape.push_back(gshape_[static_cast<std::size_t>(axes[i])]);
    if (axes[i] == split_) split = static_cast<int>(i);
  }
  return with_shape(std::move(shape), is_split() ? split : kNoSplit);
}

}  // namespace eh
