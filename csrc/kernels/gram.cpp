// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/gram.hpp"

#include <algorithm>
#include <vector>

#include "kernels/simd.hpp"

namespace eh::kernels {
namespace {

/// Doubles of a block of widened rows: half of a first-level cache.
constexpr std::int64_t kBlock = 2048;
constexpr std::int64_t kLine = simd::kLanes<double>;

std::int64_t whole_lines(std::int64_t n) { return (n + kLine - 1) / kLine * kLine; }

/// Zeros that begin at a cache line.
class AlignedZeros {
 public:
  explicit AlignedZeros(std::int64_t n) : memory_(static_cast<std::size_t>(n + kLine)) {
    const auto past = reinterpret_cast<std::uintptr_t>(memory_.data()) / sizeof(double);
    first_ = memory_.data() + (kLine - static_cast<std::int64_t>(past) % kLine) % kLine;
  }
  double* data() const { return first_; }

 private:
  std::vector<double> memory_;
  double* first_;
};

/// The part on and above the diagonal of sum += z'z for rows z that are `pitch` numbers apart; `sum` likewise.
template <int Bytes>
class UpperTiles {
 public:
  static EH_SIMD_INLINE void add(const double* z, std::int64_t n, std::int64_t width, std::int64_t pitch,
                                 double* sum) {
    const std::int64_t end = (width + kLanes - 1) / kLanes * kLanes;
    for (std::int64_t i = 0; i < width; i += kHeight) {
      double* to = sum + i * pitch;
      std::int64_t j = i / kLanes * kLanes;
      for (; j + 3 * kLanes <= end; j += 3 * kLanes) tile<3>(z + i, z + j, n, pitch, to + j);
      if (end - j == 2 * kLanes) tile<2>(z + i, z + j, n, pitch, to + j);
      if (end - j == kLanes) tile<1>(z + i, z + j, n, pitch, to + j);
    }
  }

 private:
  typedef double Value __attribute__((vector_size(Bytes), may_alias));
  static constexpr int kLanes = Bytes / static_cast<int>(sizeof(double));
  static constexpr int kHeight =
      Bytes == 64 ? 8 : 4;  ///< with three registers of columns: sums fill the registers

  template <int Columns>
  static EH_SIMD_INLINE void tile(const double* left, const double* right, std::int64_t n, std::int64_t pitch,
                                  double* to) {
    Value sum[kHeight][Columns];
    for (int i = 0; i < kHeight; ++i)
      for (int c = 0; c < Columns; ++c) sum[i][c] = reinterpret_cast<const Value*>(to + i * pitch)[c];
    for (; n > 0; --n, left += pitch, right += pitch)
      for (int i = 0; i < kHeight; ++i)
        for (int c = 0; c < Columns; ++c) sum[i][c] += left[i] * reinterpret_cast<const Value*>(right)[c];
    for (int i = 0; i < kHeight; ++i)
      for (int c = 0; c < Columns; ++c) reinterpret_cast<Value*>(to + i * pitch)[c] = sum[i][c];
  }
};

template <typename T>
EH_SIMD_INLINE void widen(const T* from, std::int64_t features, const double* shift, double* __restrict to) {
  for (std::int64_t f = 0; f < features; ++f) to[f] = static_cast<double>(from[f]) - shift[f];
}

}  // namespace

template <typename T, typename U>
void add_gram(const RowBlock<T>& x, const RowBlock<U>& y, const double* shift, double* sum) {
  const std::int64_t width = x.features + y.features, pitch = whole_lines(width);
  const std::int64_t block = std::max<std::int64_t>(16, kBlock / std::max<std::int64_t>(1, pitch));
  const AlignedZeros rows(block * pitch), upper(pitch * pitch);
  simd::run([&]<int Bytes, int R>() __attribute__((always_inline)) {
    for (std::int64_t first = 0; first < x.rows; first += block) {
      const std::int64_t n = std::min(block, x.rows - first);
      for (std::int64_t r = 0; r < n; ++r) {
        double* to = rows.data() + r * pitch;
        widen(x.data + (first + r) * x.features, x.features, shift, to);
        widen(y.data + (first + r) * y.features, y.features, shift + x.features, to + x.features);
      }
      UpperTiles<Bytes>::add(rows.data(), n, width, pitch, upper.data());
    }
  });
  for (std::int64_t i = 0; i < width; ++i)
    for (std::int64_t j = 0; j < width; ++j)
      sum[i * width + j] += upper.data()[std::min(i, j) * pitch + std::max(i, j)];
}

template void add_gram(const RowBlock<float>&, const RowBlock<float>&, const double*, double*);
template void add_gram(const RowBlock<float>&, const RowBlock<double>&, const double*, double*);
template void add_gram(const RowBlock<double>&, const RowBlock<float>&, const double*, double*);
template void add_gram(const RowBlock<double>&, const RowBlock<double>&, const double*, double*);

}  // namespace eh::kernels
