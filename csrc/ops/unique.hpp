// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>

#include "array/dndarray.hpp"

namespace eh {

/// What to find out beside the values.
struct UniqueWanted {
  bool indices;
  bool inverse;
  bool counts;
  bool equal_nan;  ///< NaN equals NaN
};
struct Unique {
  DNDarray values;
  std::optional<DNDarray> indices;  ///< of first occurrences in the (flattened) input
  std::optional<DNDarray> inverse;  ///< values[inverse] is the input: its shape and layout, 1-D along an axis
  std::optional<DNDarray> counts;
};

/// The distinct elements, ascending, or the distinct slices along `axis` in lexicographic order.
///
/// Split 0 (along `axis`) and balanced if x is split, else replicated. Each rank reduces its block to distinct
/// rows; those are sorted by regular sampling, with equal ones on one rank: allgathers of at most P^2 samples and
/// of counts, one alltoallv of the distinct rows and, for the inverse, one back. An x split along another axis
/// than `axis` is redistributed first. Collective.
/// Source: Shi and Schaeffer, "Parallel sorting by regular sampling", 1992.
Unique unique(const DNDarray& x, std::optional<int> axis, const UniqueWanted& wanted);

}  // namespace eh
