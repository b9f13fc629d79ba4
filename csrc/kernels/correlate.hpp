// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Direct correlation: out[b, i, j] = sum over p, q of v[b, p, q] * x[b, i + p, j + q], at places where v lies within x.
namespace eh::kernels {

struct Correlation {
  std::int64_t batch;
  std::int64_t height, width;      ///< of x
  std::int64_t v_height, v_width;  ///< of v, at most those of x
  bool shared;                     ///< one v for the whole batch
};

/// Contiguous arrays; out is (batch, height - v_height + 1, width - v_width + 1). Unsigned types wrap, as signed
/// ones of the same width do.
void correlate(const float* x, const float* v, const Correlation& shape, float* out);
void correlate(const double* x, const double* v, const Correlation& shape, double* out);
void correlate(const std::uint32_t* x, const std::uint32_t* v, const Correlation& shape, std::uint32_t* out);
void correlate(const std::uint64_t* x, const std::uint64_t* v, const Correlation& shape, std::uint64_t* out);

}  // namespace eh::kernels
