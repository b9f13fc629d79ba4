// SPDX-License-Identifier: BSD-3-Clause
#include "layout/cyclic.hpp"

#include <algorithm>

namespace eh {

Cyclic::Cyclic(std::int64_t extent, std::int64_t width, int nranks)
    : extent_(extent),
      width_(width),
      nranks_(nranks),
      nblocks_(static_cast<int>((extent + width - 1) / width)) {}

std::int64_t Cyclic::width(int block) const { return std::min(width_, extent_ - begin(block)); }

std::int64_t Cyclic::count_before(int block, int rank) const {
  block = std::min(block, nblocks_);
  if (block <= rank) return 0;
  const std::int64_t blocks = (block - rank + nranks_ - 1) / nranks_;
  const std::int64_t last = rank + (blocks - 1) * nranks_;  // the only one that may be short
  return (blocks - 1) * width_ + width(static_cast<int>(last));
}

std::vector<std::int64_t> Cyclic::counts() const {
  std::vector<std::int64_t> counts;
  for (int rank = 0; rank < nranks_; ++rank) counts.push_back(count(rank));
  return counts;
}

std::vector<std::int64_t> Cyclic::order() const {
  std::vector<std::int64_t> order;
  order.reserve(static_cast<std::size_t>(extent_));
  for (int rank = 0; rank < nranks_; ++rank) {
    for (int block = rank; block < nblocks_; block += nranks_) {
      for (std::int64_t i = 0; i < width(block); ++i) order.push_back(begin(block) + i);
    }
  }
  return order;
}

std::vector<Move> Cyclic::moves() const {
  const std::vector<std::int64_t> offsets = offsets_of(counts());
  std::vector<Move> moves;
  for (int block = 0; block < nblocks_; ++block) {
    const std::int64_t target = offsets[static_cast<std::size_t>(owner(block))] + local_begin(block);
    moves.push_back({begin(block), target, width(block)});
  }
  return moves;
}

}  // namespace eh
