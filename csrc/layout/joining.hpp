// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "layout/moves.hpp"

/// Plans that put the rows of several arrays, or chosen rows of one, behind one another. Pure: no communication.
namespace eh {

/// Rows moved from one distribution to another.
struct RowPlan {
  std::vector<std::int64_t> from;
  std::vector<std::int64_t> to;
  std::vector<Move> moves;
};

/// Concatenation of arrays split along the axis they are joined on. Source: every rank's blocks of all arrays
/// behind one another; target: the arrays behind one another under Heat's chunk rule.
/// @pre parts[array][rank] is the number of rows that rank owns of that array; at least one array
RowPlan plan_join(const std::vector<std::vector<std::int64_t>>& parts);

/// Items 0, 1, ... that go from rank source[k] to rank target[k], told from the side of one rank.
///
/// Every rank lays out the items it has in the order `send`; after the moves it has items `arrive`, in that order.
struct Route {
  std::vector<std::int64_t> send;    ///< own items, by target rank, then ascending
  std::vector<std::int64_t> arrive;  ///< items this rank gets, by source rank, then ascending
  RowPlan plan;                      ///< one move per pair of ranks with items between them
};
Route plan_route(const std::vector<int>& source, const std::vector<int>& target, int nranks, int rank);

/// Owner of each row, given the extents of all ranks. @pre 0 <= rows[k] < sum of counts
std::vector<int> owners(const std::vector<std::int64_t>& rows, const std::vector<std::int64_t>& counts);

/// Positions k, ascending, whose row does not occur again behind them: what counts when rows are written in order.
std::vector<std::int64_t> last_occurrences(const std::vector<std::int64_t>& rows);

}  // namespace eh
