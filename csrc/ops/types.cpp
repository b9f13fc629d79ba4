// SPDX-License-Identifier: BSD-3-Clause
#include "ops/types.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/scalar_tensor_ops.h>

#include <string>

#include "array/numbers.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"

namespace eh {
namespace {

char kind(at::ScalarType type) { return kind_of(dtype_of(type)); }

std::string words(Kinds kinds) {
  std::string out;
  const auto add = [&](const char* word) { out += (out.empty() ? "" : ", ") + std::string(word); };
  if (kinds.accept('b')) add("bool");
  if (kinds.accept('i')) add("integer");
  if (kinds.accept('f')) add("real");
  if (kinds.accept('c')) add("complex");
  return out;
}

at::ScalarType at_least_double(at::ScalarType type) {
  return at::isComplexType(type) ? at::ScalarType::ComplexDouble : at::ScalarType::Double;
}

}  // namespace

at::ScalarType promote_types(at::ScalarType a, at::ScalarType b) {
  return a == b ? a : scalar_type_of(promote(dtype_of(a), dtype_of(b)));
}

at::ScalarType promote_weak(at::ScalarType type, const at::Scalar& scalar) {
  if (scalar.isBoolean()) return type;
  if (scalar.isIntegral(false)) return type == at::ScalarType::Bool ? at::ScalarType::Long : type;
  const bool inexact = at::isFloatingType(type) || at::isComplexType(type);
  if (scalar.isFloatingPoint()) return inexact ? type : at::ScalarType::Float;
  if (at::isComplexType(type)) return type;
  return type == at::ScalarType::Double ? at::ScalarType::ComplexDouble : at::ScalarType::ComplexFloat;
}

at::ScalarType compute_type(const char* name, Entry entry, Kinds kinds, at::ScalarType agreed) {
  EH_CHECK(kinds.accept(kind(agreed)), TypeError, name, ": ", name_of(dtype_of(agreed)),
           " arrays are not supported; supported are ", words(kinds));
  switch (entry) {
    case Entry::Same:
    case Entry::Compare:
      return agreed;
    case Entry::Truth:
      return at::ScalarType::Bool;
    case Entry::Double:
      return at_least_double(agreed);
    case Entry::NoBool:
    case Entry::Power:
      return agreed == at::ScalarType::Bool ? at::ScalarType::Char : agreed;
    case Entry::Float:
      return at::isIntegralType(agreed, true) ? at::ScalarType::Float : agreed;
  }
  return agreed;
}

at::Tensor from_kernel_type(const at::Tensor& result, at::ScalarType type) {
  return type != kernel_type(type) && result.scalar_type() == at::ScalarType::Long ? result.to(type) : result;
}

bool holds(at::ScalarType type, const at::Scalar& integer) {
  if (integer.type() == at::ScalarType::UInt64) return type == integer.type();  // 2^63 and above
  if (type == at::ScalarType::Bool) return true;
  const std::int64_t value = integer.toLong();
  const std::size_t bits = 8 * c10::elementSize(type) - (at::isSignedType(type) ? 1 : 0);
  if (value < 0 && !at::isSignedType(type)) return false;
  return bits >= 63 || (value < 0 ? ~value : value) >> bits == 0;
}

void check_holds(const char* name, at::ScalarType type, const at::Scalar& number) {
  if (!at::isIntegralType(type, /*includeBool=*/true) || !number.isIntegral(/*includeBool=*/false)) return;
  EH_CHECK(holds(type, number), OverflowError, name, ": the integer ",
           number.isUnsigned() ? std::to_string(number.toUInt64()) : std::to_string(number.toLong()),
           " is out of bounds for ", name_of(dtype_of(type)));
}

at::Tensor number(const at::Scalar& value, at::ScalarType type) {
  const bool narrow = at::isIntegralType(type, false) && value.isIntegral(true);
  // From 2^63 on: the same bits as int64.
  const at::Scalar bits = narrow && value.isUnsigned()
                              ? at::Scalar(static_cast<std::int64_t>(value.toUInt64()))
                              : in_range(value, type);
  const at::Tensor tensor = at::_ops::scalar_tensor::call(bits, narrow ? at::ScalarType::Long : type,
                                                          std::nullopt, at::kCPU, std::nullopt);
  return cast(tensor, type);
}

}  // namespace eh
