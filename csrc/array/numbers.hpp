// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ATen/core/Tensor.h>

#include <cmath>

/// Python's numbers beside the narrower types of arrays.
namespace eh {

/// A real number as a narrow type holds it: infinite beyond its range.
inline double rounded_to(at::ScalarType type, double value) {
  if (std::abs(value) <= 65504) return value;  // the largest number of float16
  const auto single = static_cast<float>(value);
  if (type == at::ScalarType::Half || type == at::ScalarType::ComplexHalf)
    return static_cast<double>(at::Half(single));
  if (type == at::ScalarType::BFloat16) return static_cast<double>(at::BFloat16(single));
  return static_cast<double>(single);
}

/// The number for an array of this type: reals beyond its range are infinite, as NumPy's; torch refuses them.
inline at::Scalar in_range(const at::Scalar& value, at::ScalarType type) {
  const bool inexact = at::isFloatingType(type) || at::isComplexType(type);
  const bool wide = type == at::ScalarType::Double || type == at::ScalarType::ComplexDouble;
  if (!inexact || wide) return value;
  if (value.isFloatingPoint()) return rounded_to(type, value.toDouble());
  if (!value.isComplex()) return value;
  const auto z = value.toComplexDouble();
  return c10::complex<double>(rounded_to(type, z.real()), rounded_to(type, z.imag()));
}

}  // namespace eh
