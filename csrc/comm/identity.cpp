// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <complex>
#include <limits>
#include <type_traits>

#include "base/error.hpp"
#include "base/half.hpp"
#include "comm/arguments.hpp"
#include "comm/flight.hpp"

namespace eh {
namespace {

/// The value x with op(x, y) == y for integers, bool and the real types.
template <typename T>
T ordered_identity(ReduceOp op) {
  using Limits = std::numeric_limits<T>;
  switch (op) {
    case ReduceOp::Prod:
    case ReduceOp::LogicalAnd:
      return T(1);
    case ReduceOp::Min:
      return Limits::has_infinity ? Limits::infinity() : Limits::max();
    case ReduceOp::Max:
      return Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    case ReduceOp::BitAnd:
      if constexpr (std::is_same_v<T, bool>)
        return true;
      else if constexpr (std::is_integral_v<T>)
        return static_cast<T>(~T(0));
      else
        return T(0);  // not defined for real types: rejected before
    default:
      return T(0);
  }
}

template <typename T>
T identity_of(ReduceOp op) {
  if constexpr (std::is_arithmetic_v<T>)
    return ordered_identity<T>(op);
  else if constexpr (sizeof(T) == 2)
    return T(ordered_identity<float>(op));  // Float16, BFloat16
  else
    return T(op == ReduceOp::Prod ? 1 : 0);  // complex
}

template <typename T>
void fill(void* data, std::int64_t count, ReduceOp op) {
  std::fill_n(static_cast<T*>(data), count, identity_of<T>(op));
}

void fill_host(void* data, std::int64_t count, DType dtype, ReduceOp op) {
  switch (dtype) {
    case DType::Bool:
      return fill<bool>(data, count, op);
    case DType::UInt8:
      return fill<std::uint8_t>(data, count, op);
    case DType::UInt16:
      return fill<std::uint16_t>(data, count, op);
    case DType::UInt32:
      return fill<std::uint32_t>(data, count, op);
    case DType::UInt64:
      return fill<std::uint64_t>(data, count, op);
    case DType::Int8:
      return fill<std::int8_t>(data, count, op);
    case DType::Int16:
      return fill<std::int16_t>(data, count, op);
    case DType::Int32:
      return fill<std::int32_t>(data, count, op);
    case DType::Int64:
      return fill<std::int64_t>(data, count, op);
    case DType::Float16:
      return fill<Float16>(data, count, op);
    case DType::BFloat16:
      return fill<BFloat16>(data, count, op);
    case DType::Float32:
      return fill<float>(data, count, op);
    case DType::Float64:
      return fill<double>(data, count, op);
    case DType::Complex64:
      return fill<std::complex<float>>(data, count, op);
    case DType::Complex128:
      return fill<std::complex<double>>(data, count, op);
  }
}

}  // namespace

void fill_identity(Buffer buffer, ReduceOp op) {
  check_buffer("fill_identity", "buffer", buffer);
  EH_CHECK(is_defined(op, buffer.dtype), TypeError, "fill_identity: ", name_of(op), " is not defined for ",
           name_of(buffer.dtype));
  Flight flight(Flight::Blocking);
  fill_host(flight.output(buffer), buffer.count, buffer.dtype, op);
  flight.complete();
}

}  // namespace eh
