// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "layout/moves.hpp"

namespace eh {

/// An axis dealt out in blocks of `width` in turn: block i belongs to rank i mod p, which keeps its blocks behind one
/// another. Work on a shrinking part of the axis stays balanced over ranks. Pure arithmetic.
class Cyclic {
 public:
  /// @pre width > 0
  Cyclic(std::int64_t extent, std::int64_t width, int nranks);

  std::int64_t extent() const { return extent_; }
  int nranks() const { return nranks_; }
  int nblocks() const { return nblocks_; }
  int owner(int block) const { return block % nranks_; }
  std::int64_t begin(int block) const { return block * width_; }
  std::int64_t width(int block) const;
  /// Where the block begins in its owner's part.
  std::int64_t local_begin(int block) const { return (block / nranks_) * width_; }
  /// Length of the part of `rank` that lies in blocks before `block`.
  std::int64_t count_before(int block, int rank) const;
  std::int64_t count(int rank) const { return count_before(nblocks_, rank); }
  std::vector<std::int64_t> counts() const;
  /// The global indices of all parts, rank after rank.
  std::vector<std::int64_t> order() const;
  /// From the axis in its natural order to the parts behind one another.
  std::vector<Move> moves() const;

 private:
  std::int64_t extent_;
  std::int64_t width_;
  int nranks_;
  int nblocks_;
};

}  // namespace eh
