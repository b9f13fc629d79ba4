// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array/dndarray.hpp"

namespace eh {

/// What printing shows of a large array, on every rank: along each axis longer than 2 * edge the first and the last
/// `edge` entries, with one more between them that stands for the rest. No gradient.
/// Collective when split: one allgather of the result's size.
at::Tensor gather_edges(const DNDarray& x, std::int64_t edge);

}  // namespace eh
