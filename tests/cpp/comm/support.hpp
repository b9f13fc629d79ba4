// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <doctest/doctest.h>

#include <complex>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/half.hpp"
#include "comm/communicator.hpp"

/// What the tests of comm/ share: typed memory, values every dtype holds exactly, reductions in plain C++.
namespace eh::test {

/// One communicator for all cases of a program.
inline const Communicator& world() {
  static const std::shared_ptr<Communicator> comm = Communicator::world();
  return *comm;
}

template <typename T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, bool>)
    return DType::Bool;
  else if constexpr (std::is_same_v<T, std::uint8_t>)
    return DType::UInt8;
  else if constexpr (std::is_same_v<T, std::uint16_t>)
    return DType::UInt16;
  else if constexpr (std::is_same_v<T, std::uint32_t>)
    return DType::UInt32;
  else if constexpr (std::is_same_v<T, std::uint64_t>)
    return DType::UInt64;
  else if constexpr (std::is_same_v<T, std::int8_t>)
    return DType::Int8;
  else if constexpr (std::is_same_v<T, std::int16_t>)
    return DType::Int16;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return DType::Int32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return DType::Int64;
  else if constexpr (std::is_same_v<T, Float16>)
    return DType::Float16;
  else if constexpr (std::is_same_v<T, BFloat16>)
    return DType::BFloat16;
  else if constexpr (std::is_same_v<T, float>)
    return DType::Float32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::Float64;
  else if constexpr (std::is_same_v<T, std::complex<float>>)
    return DType::Complex64;
  else
    return DType::Complex128;
}

#define EH_TEST_TYPES                                                                                       \
  bool, std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, std::int8_t, std::int16_t, std::int32_t, \
      std::int64_t, ::eh::Float16, ::eh::BFloat16, float, double, std::complex<float>, std::complex<double>

inline bool same(Float16 a, Float16 b) { return a.bits == b.bits; }
inline bool same(BFloat16 a, BFloat16 b) { return a.bits == b.bits; }
template <typename T>
bool same(T a, T b) {
  return a == b;
}

template <typename T>
T make(int value) {
  if constexpr (sizeof(T) == 2 && !std::is_arithmetic_v<T>)
    return T(static_cast<float>(value));
  else if constexpr (std::is_same_v<T, std::complex<float>>)
    return T(static_cast<float>(value), value % 2 ? 1.f : 0.f);
  else if constexpr (std::is_same_v<T, std::complex<double>>)
    return T(value, value % 2);
  else
    return static_cast<T>(value);
}

/// Element i of rank r: 0, 1 or 2, so that sums and products over a few ranks are exact in every type.
template <typename T>
T element(int rank, std::int64_t i) {
  return make<T>(static_cast<int>((rank + i + i / 5) % 3));
}

/// Contiguous typed memory (a std::vector<bool> is none).
template <typename T>
struct Array {
  std::int64_t count;
  std::unique_ptr<T[]> memory;

  explicit Array(std::int64_t n, T value = T())
      : count(n), memory(n > 0 ? new T[static_cast<std::size_t>(n)] : nullptr) {
    std::fill_n(memory.get(), n, value);
  }
  static Array of_rank(int rank, std::int64_t n) {
    Array a(n);
    for (std::int64_t i = 0; i < n; ++i) a[i] = element<T>(rank, i);
    return a;
  }
  T& operator[](std::int64_t i) { return memory[static_cast<std::size_t>(i)]; }
  const T& operator[](std::int64_t i) const { return memory[static_cast<std::size_t>(i)]; }
  Buffer buffer() { return {memory.get(), count, dtype_of<T>()}; }
  ConstBuffer buffer() const { return {memory.get(), count, dtype_of<T>()}; }
  /// Elements [first, first + n).
  Buffer slice(std::int64_t first, std::int64_t n) { return {memory.get() + first, n, dtype_of<T>()}; }
};

/// Number of elements that differ.
template <typename T, typename Expected>
std::int64_t mismatches(const Array<T>& array, Expected expected) {
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < array.count; ++i) wrong += same(array[i], expected(i)) ? 0 : 1;
  return wrong;
}

template <typename T>
T reduce_two(ReduceOp op, T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    switch (op) {
      case ReduceOp::Sum:
      case ReduceOp::Max:
      case ReduceOp::LogicalOr:
      case ReduceOp::BitOr:
        return a || b;
      case ReduceOp::LogicalXor:
      case ReduceOp::BitXor:
        return a != b;
      default:
        return a && b;
    }
  } else if constexpr (sizeof(T) == 2 && !std::is_arithmetic_v<T>) {
    return T(reduce_two(op, static_cast<float>(a), static_cast<float>(b)));
  } else {
    if (op == ReduceOp::Sum) return static_cast<T>(a + b);
    if (op == ReduceOp::Prod) return static_cast<T>(a * b);
    if constexpr (std::is_arithmetic_v<T>) {
      if (op == ReduceOp::Min) return std::min(a, b);
      if (op == ReduceOp::Max) return std::max(a, b);
    }
    if constexpr (std::is_integral_v<T>) {
      switch (op) {
        case ReduceOp::LogicalAnd:
          return static_cast<T>(a && b);
        case ReduceOp::LogicalOr:
          return static_cast<T>(a || b);
        case ReduceOp::LogicalXor:
          return static_cast<T>(!a != !b);
        case ReduceOp::BitAnd:
          return static_cast<T>(a & b);
        case ReduceOp::BitOr:
          return static_cast<T>(a | b);
        case ReduceOp::BitXor:
          return static_cast<T>(a ^ b);
        default:
          break;
      }
    }
    return T();
  }
}

/// op over the elements i of ranks [first, last).
template <typename T>
T reduced(ReduceOp op, int first, int last, std::int64_t i) {
  T value = element<T>(first, i);
  for (int rank = first + 1; rank < last; ++rank) value = reduce_two(op, value, element<T>(rank, i));
  return value;
}

/// The operations that are defined for T.
template <typename T>
std::vector<ReduceOp> ops_of() {
  std::vector<ReduceOp> ops;
  for (int op = 0; op <= static_cast<int>(ReduceOp::BitXor); ++op) {
    if (is_defined(static_cast<ReduceOp>(op), dtype_of<T>())) ops.push_back(static_cast<ReduceOp>(op));
  }
  return ops;
}

inline const std::vector<std::int64_t>& sizes() {
  static const std::vector<std::int64_t> values = {0, 1, 7, 300};
  return values;
}

/// Different for every rank, 0 for some: rank r has `base` elements times r modulo 3.
inline Counts uneven_counts(int size, std::int64_t base) {
  Counts counts;
  for (int rank = 0; rank < size; ++rank) counts.push_back(base * ((rank + 1) % 3));
  return counts;
}

inline std::int64_t total(const Counts& counts) {
  std::int64_t sum = 0;
  for (const auto count : counts) sum += count;
  return sum;
}

/// The message of the exception `action` throws; fails if it throws none.
template <typename Kind, typename Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Kind& error) {
    return error.what();
  }
  FAIL("no exception was thrown");
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace eh::test
