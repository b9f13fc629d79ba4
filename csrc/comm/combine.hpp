// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "comm/communicator.hpp"

namespace eh {

/// out[i] = op(a[i], b[i]); `out` may be `a`. The same arithmetic as the operations of reduce_ops.hpp.
using Combine = void (*)(void* out, const void* a, const void* b, std::int64_t count);

/// @pre is_defined(op, dtype)
Combine combine_of(ReduceOp op, DType dtype);

}  // namespace eh
