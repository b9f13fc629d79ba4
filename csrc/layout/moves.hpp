// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "layout/layout.hpp"

/// Plans of data movement along one split axis. Pure: no communication.
///
/// Balance, redistribution, roll, flip, concatenate, reshape, halo exchange and slicing are all lists of
/// moves of whole rows; one mover in array/ executes them.
namespace eh {

/// Rows [source, source + length) of one global axis become rows [target, target + length) of another.
struct Move {
  std::int64_t source;
  std::int64_t target;
  std::int64_t length;
  bool operator==(const Move&) const = default;
};

/// One message: rows [begin, begin + length) of the local block, to or from `peer`.
struct Transfer {
  int peer;
  std::int64_t begin;
  std::int64_t length;
  bool operator==(const Transfer&) const = default;
};

/// What one rank sends and receives, ordered by peer; several transfers with one peer come in the same order
/// on both sides.
struct MovePlan {
  std::vector<Transfer> sends;
  std::vector<Transfer> recvs;
};

/// The part of `moves` that concerns `rank`.
///
/// `from` and `to` are the rows each rank owns of the source and of the target axis. Moves may read a row
/// more than once; no target row may be written twice. Together the plans of all ranks execute every move once.
MovePlan plan_moves(const std::vector<std::int64_t>& from, const std::vector<std::int64_t>& to,
                    const std::vector<Move>& moves, int rank);

/// Every row stays where it is globally: for a change of counts.
std::vector<Move> identity_moves(std::int64_t extent);

/// Row i becomes row (i + shift) mod extent.
std::vector<Move> roll_moves(std::int64_t extent, std::int64_t shift);

/// Blocks in reversed rank order, for flip: each rank reverses its own rows first. The target counts are
/// those of `from` reversed.
std::vector<Move> reverse_blocks_moves(const std::vector<std::int64_t>& from);

/// Target of a halo exchange: every rank's rows with `prev` rows before and `next` rows behind them, which
/// may come from several ranks. Without `periodic` the halo is cut off at the ends of the axis; a rank
/// without rows has no halo.
struct HaloPlan {
  std::vector<std::int64_t> prev;    ///< rows before, per rank
  std::vector<std::int64_t> next;    ///< rows behind, per rank
  std::vector<std::int64_t> counts;  ///< prev + own + next, per rank: the target's extents
  std::vector<Move> moves;
};
HaloPlan plan_halo(const std::vector<std::int64_t>& from, std::int64_t prev, std::int64_t next,
                   bool periodic);

}  // namespace eh
