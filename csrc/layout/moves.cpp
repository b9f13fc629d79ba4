// SPDX-License-Identifier: BSD-3-Clause
#include "layout/moves.hpp"

#include <algorithm>
#include <functional>

namespace eh {
namespace {

using Rows = std::vector<std::int64_t>;

/// Calls visit(rank, begin, length) for every rank's share of rows [begin, begin + length).
void for_each_share(const Rows& offsets, std::int64_t begin, std::int64_t length,
                    const std::function<void(int, std::int64_t, std::int64_t)>& visit) {
  const std::int64_t end = begin + length;
  auto rank =
      static_cast<std::size_t>(std::upper_bound(offsets.begin(), offsets.end(), begin) - offsets.begin() - 1);
  while (begin < end) {
    const std::int64_t stop = std::min(end, offsets[rank + 1]);
    if (stop > begin) visit(static_cast<int>(rank), begin, stop - begin);
    begin = std::max(begin, stop);
    ++rank;
  }
}

/// Splits the local share of a move (rows [begin, begin + length) here, `shift` away over there) by the peer.
void add_transfers(std::vector<Transfer>& out, const Rows& peer_offsets, std::int64_t local_offset,
                   std::int64_t begin, std::int64_t length, std::int64_t shift) {
  for_each_share(peer_offsets, begin + shift, length, [&](int peer, std::int64_t at, std::int64_t n) {
    out.push_back({peer, at - shift - local_offset, n});
  });
}

void sort_by_peer(std::vector<Transfer>& transfers) {
  std::stable_sort(transfers.begin(), transfers.end(),
                   [](const Transfer& a, const Transfer& b) { return a.peer < b.peer; });
}

/// The wanted rows [begin, begin + length) of a periodic axis as moves to `target`.
void add_wrapped(std::vector<Move>& moves, std::int64_t extent, std::int64_t begin, std::int64_t length,
                 std::int64_t target) {
  while (length > 0) {
    const std::int64_t at = ((begin % extent) + extent) % extent;
    const std::int64_t n = std::min(length, extent - at);
    moves.push_back({at, target, n});
    begin += n;
    target += n;
    length -= n;
  }
}

}  // namespace

MovePlan plan_moves(const Rows& from, const Rows& to, const std::vector<Move>& moves, int rank) {
  const Rows source_offsets = offsets_of(from);
  const Rows target_offsets = offsets_of(to);
  const auto me = static_cast<std::size_t>(rank);
  MovePlan plan;
  for (const Move& move : moves) {
    const std::int64_t shift = move.target - move.source;
    const std::int64_t s0 = std::max(move.source, source_offsets[me]);
    const std::int64_t s1 = std::min(move.source + move.length, source_offsets[me + 1]);
    if (s1 > s0) add_transfers(plan.sends, target_offsets, source_offsets[me], s0, s1 - s0, shift);
    const std::int64_t t0 = std::max(move.target, target_offsets[me]);
    const std::int64_t t1 = std::min(move.target + move.length, target_offsets[me + 1]);
    if (t1 > t0) add_transfers(plan.recvs, source_offsets, target_offsets[me], t0, t1 - t0, -shift);
  }
  sort_by_peer(plan.sends);
  sort_by_peer(plan.recvs);
  return plan;
}

std::vector<Move> identity_moves(std::int64_t extent) {
  if (extent == 0) return {};
  return {{0, 0, extent}};
}

std::vector<Move> roll_moves(std::int64_t extent, std::int64_t shift) {
  if (extent == 0) return {};
  const std::int64_t k = ((shift % extent) + extent) % extent;
  if (k == 0) return identity_moves(extent);
  return {{0, k, extent - k}, {extent - k, 0, k}};
}

std::vector<Move> reverse_blocks_moves(const Rows& from) {
  const Rows offsets = offsets_of(from);
  std::vector<Move> moves;
  for (std::size_t r = 0; r < from.size(); ++r) {
    if (from[r] > 0) moves.push_back({offsets[r], offsets.back() - offsets[r + 1], from[r]});
  }
  return moves;
}

HaloPlan plan_halo(const Rows& from, std::int64_t prev, std::int64_t next, bool periodic) {
  const Rows offsets = offsets_of(from);
  const std::int64_t extent = offsets.back();
  HaloPlan plan;
  std::int64_t target = 0;
  for (std::size_t r = 0; r < from.size(); ++r) {
    const bool empty = from[r] == 0;
    const std::int64_t p = empty ? 0 : periodic ? prev : std::min(prev, offsets[r]);
    const std::int64_t n = empty ? 0 : periodic ? next : std::min(next, extent - offsets[r + 1]);
    plan.prev.push_back(p);
    plan.next.push_back(n);
    plan.counts.push_back(p + from[r] + n);
    if (!empty) add_wrapped(plan.moves, extent, offsets[r] - p, plan.counts.back(), target);
    target += plan.counts.back();
  }
  return plan;
}

}  // namespace eh
