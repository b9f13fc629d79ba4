// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/roots_of_unity.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "kernels/simd.hpp"

namespace eh::kernels {
namespace {

/// exp(sign * 2 pi i * e / n) for 0 <= e < n < 2^59, from about 2 sqrt(n) table entries.
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
    // The rest of the argument beside the nearest quarter turn, exactly: at most an eighth, where sine and cosine lose
    // nothing of the argument.
    const std::int64_t quarters = (8 * (e % n) + n) / (2 * n);
    const std::int64_t rest = 4 * (e % n) - quarters * n;
    const double angle = std::numbers::pi / 2 * (static_cast<double>(rest) / static_cast<double>(n));
    const double c = std::cos(angle), s = std::sin(angle);
    const bool odd = quarters % 2 != 0, negative = quarters % 4 >= 2;
    const std::complex<double> w(odd ? -s : c, odd ? c : s);
    return {negative ? -w.real() : w.real(), sign * (negative ? -w.imag() : w.imag())};
  }

  int bits_ = 0;
  std::int64_t mask_ = 0;
  std::vector<std::complex<double>> fine_;
  std::vector<std::complex<double>> coarse_;
};

/// Columns of a row that are a common factor times one of as many.
constexpr std::int64_t kRun = 32;

/// out[j] = re * same[j] + im * turned[j]: products of re + im i with complex numbers, pairs of reals.
template <typename T>
EH_SIMD_INLINE void multiply_run(double re, double im, const double* same, const double* turned,
                                 std::int64_t n, T* __restrict out) {
  for (std::int64_t j = 0; j < n; ++j) out[j] = static_cast<T>(re * same[j] + im * turned[j]);
}

/// One row: exp(.. r c ..) of c = c0 + kRun a + b is a product of one of few numbers for a and one of few for b.
template <typename T>
EH_SIMD_INLINE void fill_row(const Roots& roots, std::int64_t r, std::int64_t column, std::int64_t columns,
                             T* out) {
  double same[2 * kRun], turned[2 * kRun];
  for (std::int64_t b = 0; b < std::min(kRun, columns); ++b) {
    const std::complex<double> w = roots(r * b);
    same[2 * b] = w.real();
    same[2 * b + 1] = w.imag();
    turned[2 * b] = -w.imag();
    turned[2 * b + 1] = w.real();
  }
  for (std::int64_t c = 0; c < columns; c += kRun) {
    const std::complex<double> w = roots(r * (column + c));
    multiply_run(w.real(), w.imag(), same, turned, 2 * std::min(kRun, columns - c), out + 2 * c);
  }
}

template <typename T>
void fill_twiddles(std::int64_t n, std::int64_t row, std::int64_t rows, std::int64_t column,
                   std::int64_t columns, bool forward, std::complex<T>* out) {
  if (rows == 0 || columns == 0) return;
  const Roots roots(n, forward);
  simd::run([&]<int Bytes, int R>() __attribute__((always_inline)) {
    for (std::int64_t r = 0; r < rows; ++r)
      fill_row(roots, row + r, column, columns, reinterpret_cast<T*>(out + r * columns));
  });
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
