// SPDX-License-Identifier: BSD-3-Clause
#include "comm/reduce_ops.hpp"

#include <array>
#include <cmath>

#include "base/error.hpp"
#include "base/half.hpp"
#include "comm/large.hpp"
#include "comm/lifetime.hpp"

namespace eh {
namespace {

struct Add {
  template <typename T>
  T operator()(T a, T b) const {
    return a + b;
  }
};
struct Multiply {
  template <typename T>
  T operator()(T a, T b) const {
    return a * b;
  }
};
// MPI_MIN and MPI_MAX drop a NaN or keep it depending on its side; NumPy's answer is NaN.
struct Lesser {
  template <typename T>
  T operator()(T a, T b) const {
    return std::isnan(a) || a < b ? a : b;
  }
};
struct Greater {
  template <typename T>
  T operator()(T a, T b) const {
    return std::isnan(a) || a > b ? a : b;
  }
};

/// inout[i] = f(in[i], inout[i]), computed in Compute and rounded once to the stored type T.
template <typename T, typename Compute, typename F>
void combine(void* in, void* inout, MpiCount* count, MPI_Datatype*) {
  const auto* a = static_cast<const T*>(in);
  auto* b = static_cast<T*>(inout);
  for (MpiCount i = 0; i < *count; ++i) {
    b[i] = static_cast<T>(F()(static_cast<Compute>(a[i]), static_cast<Compute>(b[i])));
  }
}

template <typename T, typename Compute, typename F>
Op make_op() {
  Op op;
  EH_MPI(EH_LARGE(MPI_Op_create)(combine<T, Compute, F>, 1, op.address()));
  return op;
}

/// Sum, Prod, Min, Max of one type, in the order of ReduceOp.
using Family = std::array<Op, 4>;

template <typename T>
Family half_family() {
  return {make_op<T, float, Add>(), make_op<T, float, Multiply>(), make_op<T, float, Lesser>(),
          make_op<T, float, Greater>()};
}

/// MPI's own sum and product are right for these.
template <typename T>
Family real_family() {
  return {Op(), Op(), make_op<T, T, Lesser>(), make_op<T, T, Greater>()};
}

struct OwnOps {
  Family float16 = half_family<Float16>();
  Family bfloat16 = half_family<BFloat16>();
  Family float32 = real_family<float>();
  Family float64 = real_family<double>();
};

OwnOps& own_ops() {
  static OwnOps* const ops = [] {
    auto* made = new OwnOps;
    at_finalize([] {
      for (Family* family :
           {&own_ops().float16, &own_ops().bfloat16, &own_ops().float32, &own_ops().float64}) {
        for (Op& op : *family) op.reset();
      }
    });
    return made;
  }();
  return *ops;
}

bool is_arithmetic(ReduceOp op) { return op <= ReduceOp::Max; }

MPI_Op own_op(ReduceOp op, DType dtype) {
  const auto index = static_cast<std::size_t>(op);
  switch (dtype) {
    case DType::Float16:
      return own_ops().float16[index].get();
    case DType::BFloat16:
      return own_ops().bfloat16[index].get();
    case DType::Float32:
      return own_ops().float32[index].get();
    case DType::Float64:
      return own_ops().float64[index].get();
    default:
      return MPI_OP_NULL;
  }
}

/// MPI's operation of the same name.
MPI_Op builtin(ReduceOp op) {
  switch (op) {
    case ReduceOp::Sum:
      return MPI_SUM;
    case ReduceOp::Prod:
      return MPI_PROD;
    case ReduceOp::Min:
      return MPI_MIN;
    case ReduceOp::Max:
      return MPI_MAX;
    case ReduceOp::LogicalAnd:
      return MPI_LAND;
    case ReduceOp::LogicalOr:
      return MPI_LOR;
    case ReduceOp::LogicalXor:
      return MPI_LXOR;
    case ReduceOp::BitAnd:
      return MPI_BAND;
    case ReduceOp::BitOr:
      return MPI_BOR;
    case ReduceOp::BitXor:
      return MPI_BXOR;
  }
  return MPI_OP_NULL;
}

/// Arithmetic on truth values as NumPy has it: the sum is "or", the product "and".
MPI_Op bool_op(ReduceOp op) {
  switch (op) {
    case ReduceOp::Sum:
    case ReduceOp::Max:
    case ReduceOp::BitOr:
      return MPI_LOR;
    case ReduceOp::Prod:
    case ReduceOp::Min:
    case ReduceOp::BitAnd:
      return MPI_LAND;
    case ReduceOp::BitXor:
      return MPI_LXOR;
    default:
      return builtin(op);
  }
}

}  // namespace

const char* name_of(ReduceOp op) {
  constexpr const char* names[] = {"Sum",       "Prod",       "Min",    "Max",   "LogicalAnd",
                                   "LogicalOr", "LogicalXor", "BitAnd", "BitOr", "BitXor"};
  return names[static_cast<std::size_t>(op)];
}

bool is_defined(ReduceOp op, DType dtype) {
  if (is_complex(dtype)) return op == ReduceOp::Sum || op == ReduceOp::Prod;
  return is_arithmetic(op) || !is_floating(dtype);
}

MPI_Op mpi_op(const char* fn, ReduceOp op, DType dtype) {
  EH_CHECK(
      is_defined(op, dtype), TypeError, fn, ": ", name_of(op), " is not defined for ", name_of(dtype), "; ",
      is_arithmetic(op) ? "complex numbers have no order" : "convert to bool or to an integer type first");
  if (dtype == DType::Bool) return bool_op(op);
  if (!is_floating(dtype)) return builtin(op);
  const MPI_Op own = own_op(op, dtype);
  return own == MPI_OP_NULL ? builtin(op) : own;
}

}  // namespace eh
