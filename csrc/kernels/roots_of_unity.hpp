// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <complex>
#include <cstdint>

/// Complex exponentials whose argument is an exact fraction of a turn. Each is a product of two, twiddles of four, table
/// entries computed in float64: right to a few units in the last place of float64, whatever n.
namespace eh::kernels {

/// out[r * columns + c] = exp(sign * 2 pi i * (row + r) * (column + c) / n) with sign -1 if `forward`.
/// @pre the largest product of a row and a column is below n
void twiddles(std::int64_t n, std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns,
              bool forward, std::complex<float>* out);
void twiddles(std::int64_t n, std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns,
              bool forward, std::complex<double>* out);

/// out[k] = exp(sign * pi i * (first + k)^2 / n). @pre n < 2^31
void chirp(std::int64_t n, std::int64_t first, std::int64_t count, bool forward, std::complex<float>* out);
void chirp(std::int64_t n, std::int64_t first, std::int64_t count, bool forward, std::complex<double>* out);

}  // namespace eh::kernels
