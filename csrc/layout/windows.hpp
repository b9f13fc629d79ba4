// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "layout/joining.hpp"

/// Windows onto an axis that reach over its ends. Pure: no communication.
namespace eh {

/// What lies beyond the ends of an axis.
enum class Boundary : std::uint8_t {
  Fill,     ///< nothing: rows that no move writes
  Wrap,     ///< the other end
  Symm,     ///< the axis mirrored at its edge: d c b a | a b c d | d c b a
  Reflect,  ///< mirrored at its first and last row: d c b | a b c d | c b a
  Edge,     ///< its first and last row again and again
};

/// Rows [begin, end) of an axis continued to both sides.
struct Window {
  std::int64_t begin;
  std::int64_t end;
  bool operator==(const Window&) const = default;
};

/// Row of the axis that lies at `position` of the continued one; -1 for none. @pre n > 0
std::int64_t row_at(std::int64_t position, std::int64_t n, Boundary boundary);

/// The moves that give every rank its window: one per run of rows, few more than one per rank when windows
/// reach a little beyond the ends.
RowPlan plan_windows(const std::vector<std::int64_t>& from, const std::vector<Window>& windows,
                     Boundary boundary);

/// The windows of all ranks: their own rows, `before` rows in front of them and `after` behind. A rank without rows has
/// the window around the place where they would be.
std::vector<Window> windows_around(const std::vector<std::int64_t>& counts, std::int64_t before,
                                   std::int64_t after);

/// A halo exchange: every rank gets the `before` rows in front of its own and the `after` rows behind them, and
/// nothing else, one behind the other. Rows come from as many ranks as needed.
RowPlan plan_halo_rows(const std::vector<std::int64_t>& counts, std::int64_t before, std::int64_t after,
                       Boundary boundary);

/// Outputs of a convolution along one axis: entry i of the result is entry offset + i * stride of the full one.
struct ConvolutionAxis {
  std::int64_t kernel;
  std::int64_t offset;
  std::int64_t stride;

  /// Rows that entries [begin, end) of the result need for kernel entries [first, last). Empty for no entries.
  Window window(std::int64_t begin, std::int64_t end, std::int64_t first, std::int64_t last) const;
};

}  // namespace eh
