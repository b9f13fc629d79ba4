// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "array/dndarray.hpp"
#include "layout/windows.hpp"

namespace eh {

/// How a convolution's result lies in the full one, per convolved axis.
struct Convolution {
  std::vector<std::int64_t> offset;   ///< first entry of the full convolution that is wanted
  std::vector<std::int64_t> lengths;  ///< entries of the result
  std::vector<std::int64_t> stride;
  Boundary boundary = Boundary::Fill;
  double fill = 0;  ///< what `Fill` puts beyond the ends
};

/// Convolution over the last one to three axes of a (as many as the spec has) with kernel v, which has these axes only
/// or a's batch axes, too. Split of a; along a convolved split axis a's extents if its length stays, else balanced.
/// Differentiable.
///
/// Cost: one alltoallv of the rows each block lacks, about the kernel's length from each neighbour, where a convolved
/// axis is split. A split kernel is gathered unless it is longer than a rank's share of a: then its blocks are
/// broadcast one after another, and windows of a exchanged for each.
/// @pre dtypes are the same; v is not empty; lengths > 0
DNDarray convolve(const DNDarray& a, const DNDarray& v, const Convolution& spec);

}  // namespace eh
