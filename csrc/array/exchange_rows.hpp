// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "array/dndarray.hpp"

namespace eh {

/// Rows of axis 0 sent rank after rank: the first send_counts[0] to rank 0, ...; what comes back lies in rank order.
///
/// No copy but the buffer received, and one of the input unless it is contiguous. Adjoint: the rows' gradients the
/// other way. Collective: one alltoallv.
/// @pre send_counts add up to rows.size(0); recv_counts[r] here is send_counts[this rank] on rank r
at::Tensor exchange_rows(const at::Tensor& rows, const Counts& send_counts, const Counts& recv_counts,
                         const CommPtr& comm);

}  // namespace eh
