// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "base/dtype.hpp"
#include "comm/mpi.hpp"

namespace eh {

/// MPI's type of the same size; float16 and bfloat16 travel as 16-bit integers, bool as an 8-bit one.
MPI_Datatype mpi_type(DType dtype);

}  // namespace eh
