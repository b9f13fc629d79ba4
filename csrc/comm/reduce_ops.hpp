// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "comm/communicator.hpp"
#include "comm/mpi.hpp"

namespace eh {

/// MPI's or our own operation for elements of `dtype`.
/// @throws TypeError "fn: Min is not defined for complex64 ..."; no message has been sent then
MPI_Op mpi_op(const char* fn, ReduceOp op, DType dtype);

}  // namespace eh
