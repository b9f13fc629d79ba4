// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "array/dndarray.hpp"

/// Row types of the operation tables: what an operation is, beside its name, is data.
namespace eh {

/// In which type an operation computes, from the type its operands agree on.
enum class Entry : std::uint8_t {
  Same,     ///< that type
  NoBool,   ///< bool as int8, where NumPy has no loop for bool but takes it
  Float,    ///< bool and integers as float32
  Double,   ///< at least float64 or complex128
  Compare,  ///< that type, but a mix of integers and reals in float64: the result has no type to keep small
  Truth,    ///< every operand by itself, as bool
  Power,    ///< NoBool; negative integer exponents are refused
};

/// Kinds of element type an operation accepts, as in kind_of(): "buifc".
class Kinds {
 public:
  constexpr explicit Kinds(std::string_view kinds) : kinds_(kinds) {
    for (char kind : kinds) mask_ |= bit(kind);
  }
  constexpr bool accept(char kind) const { return (mask_ & bit(kind)) != 0; }
  constexpr std::string_view letters() const { return kinds_; }

 private:
  static constexpr unsigned bit(char kind) {
    return kind == 'b' ? 1U : kind == 'u' ? 2U : kind == 'i' ? 4U : kind == 'f' ? 8U : 16U;
  }
  std::string_view kinds_;
  unsigned mask_ = 0;
};

struct UnaryOp {
  const char* name;
  at::Tensor (*local)(const at::Tensor&);
  Entry entry;
  Kinds kinds;
};

struct BinaryOp {
  const char* name;
  at::Tensor (*local)(const at::Tensor&, const at::Tensor&);
  Entry entry;
  Kinds kinds;
};

/// Result type of a reduction or scan without `dtype`. float16 and bfloat16 accumulate in float32.
enum class Gather : std::uint8_t {
  Wide,  ///< bool and integers as int64 (uint64 as itself), others as they are
  Same,
  Bool,
  Count,  ///< int64
};

struct Reduction {
  const char* name;
  /// Over `dims` (all without), in `type`. Gives the identity for no elements, unless `needs_elements`.
  at::Tensor (*local)(const at::Tensor&, at::OptionalIntArrayRef dims, bool keepdims, at::ScalarType type);
  ReduceOp combine;
  Gather gather;
  Kinds kinds;
  bool needs_elements;  ///< minimum and maximum of nothing are errors
};

struct Scan {
  const char* name;
  at::Tensor (*local)(const at::Tensor&, std::int64_t axis, at::ScalarType type);
  at::Tensor (*total)(const at::Tensor&, std::int64_t axis, bool keepdims, at::ScalarType type);
  at::Tensor (*join)(const at::Tensor& before, const at::Tensor& local);
  ReduceOp combine;
};

/// The rows of unary.def, binary.def, reduce.def and scan.def.
std::span<const UnaryOp> unary_ops();
std::span<const BinaryOp> binary_ops();
std::span<const Reduction> reductions();
std::span<const Scan> scans();

}  // namespace eh
