// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

#include "kernels/cross_attention_reconstruction/gpu/numbers.hpp"

/// How a call is cut up on a GPU, and where a block of threads keeps what.
///
/// A team of 1 to 8 blocks (a cluster where there is more than one) works on one image at a time, and on the images
/// team, team + teams, ... in turn. Warps own 16 rows of a tile of queries or keys each; a tile has 16 * warps rows. The
/// members share out heads (attention) and tiles of 64 pixels (head).
namespace eh::kernels::gpu {

constexpr int kWarpRows = 16;
constexpr int kStageRow = 20, kStage = kWarpRows * kStageRow;  ///< numbers of a warp that change lanes
constexpr int kSide = 64;      ///< pixels, features or keys that stream past the rows at a time
constexpr int kQueries = 32;   ///< queries that stream past the keys on the way back
constexpr int kMostWarps = 8;  ///< 255 registers a thread: with 128 every phase spills some
constexpr int kMostMembers = 8;

struct Limits {
  std::size_t shared_bytes = 0;  ///< of one block
  int processors = 1;
  bool clusters = false;
};

struct Plan {
  bool fits = false;
  int warps = 0, rows = 0;  ///< of a block; of a tile
  int query_tiles = 0, key_tiles = 0;
  int members = 1, teams = 0;
  int head = 0, chunk = 0, chunks = 0;  ///< features of a head; of which 32 or 64 are summed in registers
  int head_words = 0, head_row = 0;     ///< features padded; words of a row in shared memory
  int width_words = 0, width_row = 0;
  int pixel_tiles = 0, group = 0;  ///< tiles of 64 pixels; of which so many are kept as errors
  std::size_t shared_bytes = 0;
  // Numbers of a team's own memory, and where they start.
  Index attended = 0, gradients = 0, logarithms = 0, dots = 0, query_sums = 0, sums = 0;  ///< offsets
  Index team_numbers = 0;
  Index weight_numbers = 0;  ///< of a team: sums for weight and bias
};

namespace detail {

template <typename M>
struct Shared {
  const Plan& plan;
  std::size_t row(int columns) const { return static_cast<std::size_t>(row_words<M>(columns)); }
  std::size_t forward() const {
    const auto rows = static_cast<std::size_t>(plan.rows);
    const auto head = static_cast<std::size_t>(plan.head_row);
    return rows * head + 2 * kSide * (head + row(plan.chunk)) + rows * row(kSide);
  }
  std::size_t compare(int group) const {
    const auto rows = static_cast<std::size_t>(plan.rows);
    // Of pixels' sums: a row of floats per warp; two statistics and a place in the target per row.
    const auto floats = static_cast<std::size_t>(plan.warps * kSide + 4 * plan.rows);
    return rows * (static_cast<std::size_t>(plan.width_row) + row(kSide * group)) + 2 * kSide * row(kSide) +
           floats * (4 / sizeof(typename M::Word));
  }
  std::size_t backward() const {
    const auto rows = static_cast<std::size_t>(plan.rows);
    const auto head = static_cast<std::size_t>(plan.head_row);
    return rows * (2 * head + 2 * row(kQueries)) + 4 * kQueries * head;
  }
  std::size_t all(int group) const {
    std::size_t most = forward();
    if (compare(group) > most) most = compare(group);
    if (backward() > most) most = backward();
    return most * sizeof(typename M::Word) + static_cast<std::size_t>(plan.warps * kStage) * sizeof(float);
  }
};

inline int int_of(Index x) { return static_cast<int>(x); }

template <typename M>
bool fit_rows(Plan& plan, int tokens, const Limits& limits) {
  for (int most = kMostWarps; most >= 1; --most) {
    const int tiles = ceil_div(tokens, most * kWarpRows);
    plan.warps = ceil_div(ceil_div(tokens, tiles), kWarpRows);
    plan.rows = plan.warps * kWarpRows;
    plan.group = 1;
    if (Shared<M>{plan}.all(1) <= limits.shared_bytes) return true;
  }
  return false;
}

inline void place_memory(Plan& plan, const Reconstruction& p) {
  Index used = 0;
  const auto take = [&](Index count) {
    const Index at = used;
    used += (count + 3) / 4 * 4;
    return at;
  };
  const Index mixed = p.queries * p.width, rows = p.heads * p.queries;
  plan.attended = take(mixed);
  plan.gradients = take(p.attention_only ? 0 : plan.members * mixed);
  plan.logarithms = take(rows);
  plan.dots = take(rows);
  plan.query_sums = take(plan.key_tiles > 1 ? plan.members * p.queries * plan.head : 0);
  plan.sums = take(2 * plan.members);  // doubles
  plan.team_numbers = used;
  plan.weight_numbers = p.attention_only ? 0 : (p.pixels * (p.width + 1) + 3) / 4 * 4;
}

}  // namespace detail

/// @return a plan that does not fit where a row is too long for the memory of a block, or a number for an int
template <typename M>
Plan make_plan(const Reconstruction& p, const Limits& limits) {
  using namespace detail;
  Plan plan;
  const Index most = std::int64_t{1} << 24;
  if (p.queries > most || p.keys > most || p.width > most || p.pixels > most || p.images > most ||
      p.queries * p.width >= std::int64_t{1} << 31)
    return plan;
  plan.head = int_of(p.width / p.heads);
  plan.chunk = plan.head <= 32 ? 32 : 64;
  plan.chunks = ceil_div(plan.head, plan.chunk);
  plan.head_words = plan.chunks * plan.chunk;
  plan.head_row = row_words<M>(plan.head_words);
  plan.width_words = p.attention_only ? 0 : round_up(int_of(p.width), kSide);
  plan.width_row = p.attention_only ? 0 : row_words<M>(plan.width_words);
  plan.pixel_tiles = p.attention_only ? 0 : ceil_div(int_of(p.pixels), kSide);
  const int queries = int_of(p.queries), keys = int_of(p.keys), tokens = queries > keys ? queries : keys;
  if (tokens == 0 || !fit_rows<M>(plan, tokens, limits)) return plan;
  plan.fits = true;
  plan.query_tiles = ceil_div(queries, plan.rows), plan.key_tiles = ceil_div(keys, plan.rows);
  // More errors at a time mean fewer passes over sums in memory, but blocks should also share a processor.
  const int together = kMostWarps / plan.warps;
  std::size_t room = limits.shared_bytes / static_cast<std::size_t>(together);
  const Shared<M> shared{plan};
  if (shared.all(1) > room) room = shared.all(1);
  while (plan.group < plan.pixel_tiles && shared.all(plan.group + 1) <= room) ++plan.group;
  plan.shared_bytes = shared.all(plan.group);
  const int blocks = least(together, static_cast<int>(limits.shared_bytes / plan.shared_bytes));
  const int slots = limits.processors * blocks;
  const int images = int_of(p.images);
  while (limits.clusters && 2 * plan.members <= kMostMembers && 2 * plan.members * images <= slots &&
         (plan.members < int_of(p.heads) || 2 * plan.members <= plan.pixel_tiles))
    plan.members *= 2;
  plan.teams = least(images, slots / plan.members > 0 ? slots / plan.members : 1);
  place_memory(plan, p);
  return plan;
}

}  // namespace eh::kernels::gpu
