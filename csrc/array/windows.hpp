// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "array/dndarray.hpp"
#include "layout/windows.hpp"

/// Windows of arrays that reach into other ranks' blocks and over the ends of an axis.
namespace eh {

/// How an axis goes on beyond its ends; `fill` is what Boundary::Fill puts there.
struct Beyond {
  Boundary boundary = Boundary::Fill;
  double fill = 0;
};

/// A window onto an axis of a tensor that has the axis whole. A view where it lies within. Local; differentiable.
at::Tensor local_window(const at::Tensor& x, int axis, const Window& window, const Beyond& beyond);

/// This rank's window onto an axis: windows[rank] along the split, else any, of which windows[rank] counts. Collective
/// along the split: one alltoallv of what the block lacks. Differentiable.
at::Tensor window_of(const DNDarray& x, int axis, const std::vector<Window>& windows, const Beyond& beyond);

/// How many entries around every place a computation looks at, per axis, and what lies beyond the array.
struct Frame {
  std::vector<std::int64_t> before;
  std::vector<std::int64_t> after;
  Beyond beyond;
};

/// The local block with the frame around it; a rank without rows gets the frame alone. Collective where the split axis
/// has a frame. Differentiable.
/// @pre one width per axis, none negative
at::Tensor extended(const DNDarray& x, const Frame& frame);

}  // namespace eh
