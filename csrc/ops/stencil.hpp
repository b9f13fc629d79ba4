// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "array/windows.hpp"

namespace eh {

/// Taps of a weighted sum of neighbours: one offset per axis for each weight.
struct Taps {
  std::vector<std::vector<std::int64_t>> offsets;
  std::vector<double> weights;
};

/// Where the sums go: a new array, or onto what an array of the same layout and type holds.
struct Destination {
  std::optional<DNDarray> out;
  bool add = false;
};

/// out[i] = sum over taps of weight * x[i + offset]. The interior is computed while the halo travels, in one pass.
/// Differentiable, unless it is written into an array. Cost: the halo, from each neighbour.
/// @pre x is real or complex floating point; offsets lie within the frame
DNDarray weighted_stencil(const DNDarray& x, const Frame& frame, const Taps& taps, const Destination& to);

/// The same done `steps` times. A sweep takes several steps while rows stay in the cache, and exchanges the rows around the
/// block once for all of them, which it computes again (communication-avoiding: Demmel et al. 2008, overlapped tiling);
/// float32 and float64 on processors, replicated or split along the first of at least two axes. Else step by step.
/// @pre steps >= 1
DNDarray repeated_stencil(const DNDarray& x, const Frame& frame, const Taps& taps, std::int64_t steps,
                          const std::optional<DNDarray>& out);

/// fn of a block with the frame around it is the block without it. fn is called for parts of the block: the interior
/// while the halo travels, then the parts beside its edges; where gradients are recorded, once for all of it.
using BlockFunction = std::function<at::Tensor(const at::Tensor&)>;
DNDarray map_stencil(const DNDarray& x, const Frame& frame, const BlockFunction& fn);

}  // namespace eh
