// SPDX-License-Identifier: BSD-3-Clause
#include "comm/combine.hpp"

#include <cmath>
#include <complex>
#include <type_traits>

#include "base/error.hpp"
#include "base/half.hpp"

namespace eh {
namespace {

template <typename T>
inline constexpr bool kIsHalf = std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;

/// The type sums and products are computed in: float for halves, no overflow of signed integers.
template <typename T>
auto wide(T x) {
  if constexpr (kIsHalf<T>)
    return static_cast<float>(x);
  else if constexpr (std::is_same_v<T, bool> || !std::is_integral_v<T>)
    return x;
  else if constexpr (sizeof(T) < sizeof(unsigned))
    return static_cast<unsigned>(x);
  else
    return static_cast<std::make_unsigned_t<T>>(x);
}

struct AddLanes {
  template <typename T>
  static T of(T a, T b) {
    if constexpr (std::is_same_v<T, bool>)
      return a || b;
    else
      return static_cast<T>(wide(a) + wide(b));
  }
};
struct MultiplyLanes {
  template <typename T>
  static T of(T a, T b) {
    if constexpr (std::is_same_v<T, bool>)
      return a && b;
    else
      return static_cast<T>(wide(a) * wide(b));
  }
};
/// NaN if one is NaN, as NumPy has it.
template <bool Less>
struct Extreme {
  template <typename T>
  static T of(T a, T b) {
    if constexpr (kIsHalf<T>) {
      return T(Extreme::of(static_cast<float>(a), static_cast<float>(b)));
    } else {
      const bool keep = Less ? a < b : b < a;
      if constexpr (std::is_floating_point_v<T>)
        return std::isnan(a) || keep ? a : b;
      else
        return keep ? a : b;
    }
  }
};
// Both forms of each: logical ones look at truth, bitwise ones at bits.
struct And {
  template <typename T>
  static T of(T a, T b) {
    return static_cast<T>(a && b);
  }
};
struct Or {
  template <typename T>
  static T of(T a, T b) {
    return static_cast<T>(a || b);
  }
};
struct Xor {
  template <typename T>
  static T of(T a, T b) {
    return static_cast<T>(!a != !b);
  }
};
struct BitAnd {
  template <typename T>
  static T of(T a, T b) {
    return static_cast<T>(a & b);
  }
};
struct BitOr {
  template <typename T>
  static T of(T a, T b) {
    return static_cast<T>(a | b);
  }
};
struct BitXor {
  template <typename T>
  static T of(T a, T b) {
    return static_cast<T>(a ^ b);
  }
};

template <typename T, typename F>
void combine(void* out, const void* a, const void* b, std::int64_t count) {
  auto* to = static_cast<T*>(out);
  const auto* x = static_cast<const T*>(a);
  const auto* y = static_cast<const T*>(b);
  for (std::int64_t i = 0; i < count; ++i) to[i] = F::of(x[i], y[i]);
}

template <typename T>
Combine logical(ReduceOp op) {
  switch (op) {
    case ReduceOp::LogicalAnd:
      return combine<T, And>;
    case ReduceOp::LogicalOr:
      return combine<T, Or>;
    case ReduceOp::LogicalXor:
      return combine<T, Xor>;
    case ReduceOp::BitAnd:
      return combine<T, BitAnd>;
    case ReduceOp::BitOr:
      return combine<T, BitOr>;
    default:
      return combine<T, BitXor>;
  }
}

template <typename T>
Combine of_type(ReduceOp op) {
  if (op == ReduceOp::Sum) return combine<T, AddLanes>;
  if (op == ReduceOp::Prod) return combine<T, MultiplyLanes>;
  if constexpr (std::is_arithmetic_v<T> || kIsHalf<T>) {
    if (op == ReduceOp::Min) return combine<T, Extreme<true>>;
    if (op == ReduceOp::Max) return combine<T, Extreme<false>>;
  }
  if constexpr (std::is_integral_v<T>) return logical<T>(op);
  throw TypeError(message("reduction: ", name_of(op), " is not defined for this type"));
}

}  // namespace

Combine combine_of(ReduceOp op, DType dtype) {
  switch (dtype) {
    case DType::Bool:
      return of_type<bool>(op);
    case DType::UInt8:
      return of_type<std::uint8_t>(op);
    case DType::UInt16:
      return of_type<std::uint16_t>(op);
    case DType::UInt32:
      return of_type<std::uint32_t>(op);
    case DType::UInt64:
      return of_type<std::uint64_t>(op);
    case DType::Int8:
      return of_type<std::int8_t>(op);
    case DType::Int16:
      return of_type<std::int16_t>(op);
    case DType::Int32:
      return of_type<std::int32_t>(op);
    case DType::Int64:
      return of_type<std::int64_t>(op);
    case DType::Float16:
      return of_type<Float16>(op);
    case DType::BFloat16:
      return of_type<BFloat16>(op);
    case DType::Float32:
      return of_type<float>(op);
    case DType::Float64:
      return of_type<double>(op);
    case DType::Complex64:
      return of_type<std::complex<float>>(op);
    case DType::Complex128:
      return of_type<std::complex<double>>(op);
  }
  throw TypeError("reduction: unknown element type");
}

}  // namespace eh
