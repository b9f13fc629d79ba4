// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array/dndarray.hpp"

namespace eh {

/// The array under another layout of the same global shape. The input itself if nothing changes. Collective.
/// Cost: None -> split: none; split -> None: allgather; else one alltoallv. Differentiable.
DNDarray redistribute(const DNDarray& x, const LayoutPtr& to);

/// Balanced layout along `split`, or replicated (kNoSplit). Negative axes are the caller's to normalise.
DNDarray resplit(const DNDarray& x, int split);

/// Heat's chunk rule along the present split.
DNDarray balance(const DNDarray& x);

/// The local block with rows of the neighbours: `prev` before, `next` behind, from as many ranks as needed.
struct Halo {
  at::Tensor extended;  ///< prev + own rows + next
  std::int64_t prev;    ///< rows actually there before the own ones
  std::int64_t next;
};
Halo exchange_halo(const DNDarray& x, std::int64_t prev, std::int64_t next, bool periodic);

/// Operands brought together for an element-wise operation: local tensors that broadcast to one layout.
///
/// Rule (docs/distribution.md): the first operand that is split and not broadcast along its split decides the split
/// and the extents; replicated operands are sliced locally; others are redistributed to it, whatever their split.
struct Aligned {
  LayoutPtr layout;
  std::vector<at::Tensor> locals;
  CommPtr comm;
};
Aligned align(const std::vector<const DNDarray*>& operands, const char* fn);

}  // namespace eh
