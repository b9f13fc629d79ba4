// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/roots_of_unity.hpp"

#include <cmath>
#include <numbers>
#include <vector>

namespace eh::kernels {
namespace {

/// exp(sign * 2 pi i * e / n) for 0 <= e < n, from about 2 sqrt(n) table entries.
class Roots {
 public:
  Roots(std::int64_t n, bool forward) {
    while ((std::int64_t{1} << (2 * bits_)) < n) ++bits_;
    mask_ = (std::int64_t{1} << bits_) - 1;
    const double sign = forward ? -1.0 : 1.0;
    fine_.reserve(static_cast<std::size_t>(mask_ + 1));
    for (std::int64_t e = 0; e <= mask_; ++e) fine_.push_back(root(e, n, sign));
    for (std::int64_t e = 0; e <= (n - 1) >> bits_; ++e) coarse_.push_back(root(e << bits_, n, sign));
  }

  std::complex<double> operator()(std::int64_t e) const {
    const std::complex<double> a = coarse_[static_cast<std::size_t>(e >> bits_)];
    const std::complex<double> b = fine_[static_cast<std::size_t>(e & mask_)];
    // Written out: the operator of std::complex looks for infinities.
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
  }

 private:
  static std::complex<double> root(std::int64_t e, std::int64_t n, double sign) {
    const double angle = 2 * std::numbers::pi * (static_cast<double>(e % n) / static_cast<double>(n));
    return {std::cos(angle), sign * std::sin(angle)};
  }

  int bits_ = 0;
  std::int64_t mask_ = 0;
  std::vector<std::complex<double>> fine_;
  std::vector<std::complex<double>> coarse_;
};

template <typename T>
void fill_twiddles(std::int64_t n, std::int64_t row, std::int64_t rows, std::int64_t column,
                   std::int64_t columns, bool forward, std::complex<T>* out) {
  if (rows == 0 || columns == 0) return;
  const Roots roots(n, forward);
  for (std::int64_t r = row; r < row + rows; ++r) {
    std::int64_t e = r * column;
    for (std::int64_t c = 0; c < columns; ++c, e += r) *out++ = static_cast<std::complex<T>>(roots(e));
  }
}

template <typename T>
void fill_chirp(std::int64_t n, std::int64_t first, std::int64_t count, bool forward, std::complex<T>* out) {
  if (count == 0) return;
  const Roots roots(2 * n, forward);
  std::int64_t e =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(first) * static_cast<std::uint64_t>(first) %
                                static_cast<std::uint64_t>(2 * n));
  for (std::int64_t k = first; k < first + count; ++k) {
    *out++ = static_cast<std::complex<T>>(roots(e));
    e = (e + 2 * k + 1) % (2 * n);
  }
}

}  // namespace

void twiddles(std::int64_t n, std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns,
              bool forward, std::complex<float>* out) {
  fill_twiddles(n, row, rows, column, columns, forward, out);
}
void twiddles(std::int64_t n, std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns,
              bool forward, std::complex<double>* out) {
  fill_twiddles(n, row, rows, column, columns, forward, out);
}
void chirp(std::int64_t n, std::int64_t first, std::int64_t count, bool forward, std::complex<float>* out) {
  fill_chirp(n, first, count, forward, out);
}
void chirp(std::int64_t n, std::int64_t first, std::int64_t count, bool forward, std::complex<double>* out) {
  fill_chirp(n, first, count, forward, out);
}

}  // namespace eh::kernels
