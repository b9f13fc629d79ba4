// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/dtype.hpp"

/// Quantiles of sorted positions: which elements they lie between, by NumPy's rules.
namespace eh::kernels {

/// Hyndman and Fan's nine, "Sample quantiles in statistical packages" (1996), and NumPy's four others.
enum class QuantileMethod : std::uint8_t {
  InvertedCdf,
  AveragedInvertedCdf,
  ClosestObservation,
  InterpolatedInvertedCdf,
  Hazen,
  Weibull,
  Linear,
  MedianUnbiased,
  NormalUnbiased,
  Lower,
  Higher,
  Midpoint,
  Nearest,
};

/// By NumPy's name ("linear"); absent for an unknown one.
std::optional<QuantileMethod> quantile_method(std::string_view name);
/// All names, "a, b, c".
std::string_view quantile_methods();
/// True for methods that pick an element and never mix two: their result has the elements' type.
bool is_discrete(QuantileMethod method);

/// Between the sorted elements `lower` and `upper`: lower + (upper - lower) * weight.
struct Position {
  std::int64_t lower;
  std::int64_t upper;
  double weight;
};
/// @pre n > 0 and 0 <= q <= 1
Position quantile_position(QuantileMethod method, double q, std::int64_t n);

/// Which quantiles of every line.
struct Quantiles {
  QuantileMethod method;
  std::vector<double> q;
  bool skip_nan;  ///< NaN does not count; else a line with one has NaN quantiles
};

/// Positions of all quantiles and, ascending and distinct, those of the elements they need.
struct Wanted {
  std::vector<Position> positions;
  std::vector<std::int64_t> ranks;
};
/// @pre n > 0
Wanted wanted_of(const Quantiles& quantiles, std::int64_t n);

/// Where quantiles go: real numbers, or (discrete methods) elements. One of the two is null.
struct QuantileOutput {
  double* numbers;
  void* elements;
};
/// Writes the quantiles of one line behind one another from the keys at `wanted.ranks`.
void write_quantiles(DType dtype, const Wanted& wanted, const std::vector<std::uint64_t>& keys,
                     QuantileOutput out, std::int64_t at);
/// Writes NaN for `count` quantiles. @pre the type has NaN, or out.numbers
void write_nan(DType dtype, std::int64_t count, QuantileOutput out, std::int64_t at);

}  // namespace eh::kernels
