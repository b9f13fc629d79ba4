// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

/// Who owns what an index names, and where it lies there. On the CPU, one pass or two over the index.
namespace eh::kernels {

/// Elements (or rows) named by an index: item i is entry `rest[i]` of row `rows[i]`, rows having `width` entries.
struct IndexedItems {
  const std::int64_t* rows;
  const std::int64_t* rest;  ///< null: width is 1
  std::int64_t width;
  std::int64_t n;
};

/// Items sorted by owner, stably.
struct Routed {
  std::vector<std::int64_t> counts;  ///< items per rank
  bool in_order;                     ///< they were sorted: place[i] == i
};

/// Writes, for each item, its place in the sorted order and, at that place, its position in the owner's block.
/// @pre 0 <= rows[i] < offsets.back(); offsets has one entry per rank and the total
Routed route(const IndexedItems& items, const std::vector<std::int64_t>& offsets, std::int64_t* place,
             std::int64_t* position);

/// Appends the positions of the items in rows [begin, end), counted from `begin`.
void pick_own(const IndexedItems& items, std::int64_t begin, std::int64_t end,
              std::vector<std::int64_t>& position);

/// Indices i, ascending, whose position does not come again behind them; absent if no position comes twice.
/// @pre 0 <= position[i] < space
std::optional<std::vector<std::int64_t>> last_of_each(const std::int64_t* position, std::int64_t n,
                                                      std::int64_t space);

}  // namespace eh::kernels
