// SPDX-License-Identifier: BSD-3-Clause
#include "comm/datatypes.hpp"

namespace eh {

static_assert(sizeof(bool) == 1 && sizeof(float) == 4 && sizeof(double) == 8);

MPI_Datatype mpi_type(DType dtype) {
  switch (dtype) {
    case DType::Bool:
    case DType::UInt8:
      return MPI_UINT8_T;
    case DType::Float16:  // no portable MPI type: our own reductions know which of the two it is
    case DType::BFloat16:
    case DType::UInt16:
      return MPI_UINT16_T;
    case DType::UInt32:
      return MPI_UINT32_T;
    case DType::UInt64:
      return MPI_UINT64_T;
    case DType::Int8:
      return MPI_INT8_T;
    case DType::Int16:
      return MPI_INT16_T;
    case DType::Int32:
      return MPI_INT32_T;
    case DType::Int64:
      return MPI_INT64_T;
    case DType::Float32:
      return MPI_FLOAT;
    case DType::Float64:
      return MPI_DOUBLE;
    case DType::Complex64:
      return MPI_C_FLOAT_COMPLEX;
    case DType::Complex128:
      return MPI_C_DOUBLE_COMPLEX;
  }
  return MPI_DATATYPE_NULL;
}

}  // namespace eh
