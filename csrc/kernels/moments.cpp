// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/moments.hpp"

#include <algorithm>

#include "kernels/dispatch.hpp"

namespace eh::kernels {
namespace {

constexpr std::int64_t kRowBlock =
    2048;  ///< elements of a row that are read twice: they stay in the first cache
constexpr std::int64_t kBlockRows = 64;      ///< rows, and
constexpr std::int64_t kBlockColumns = 256;  ///< columns, of such a block of a matrix
constexpr std::int64_t kNarrow = 64;         ///< rows shorter than this are folded into longer ones
constexpr int kLanes = 32;

/// Adds a block of `added` elements to a sample of `count`. Both are arrays of (mean, M2[, M3, M4]) whose entries
/// lie `stride` apart.
template <int Order>
EH_INLINE void merge(double count, double added, const double* block, std::int64_t block_stride,
                     double* moment, std::int64_t stride) {
  const double total = count + added;
  const double delta = block[0] - moment[0];
  const double share = added / total;
  const double between = delta * delta * count * share;
  if constexpr (Order == 4) {
    const double m2 = moment[stride];
    const double m3 = moment[2 * stride];
    const double b2 = block[block_stride];
    const double b3 = block[2 * block_stride];
    const double step = delta / total;
    moment[3 * stride] +=
        block[3 * block_stride] + between * step * step * (count * count - count * added + added * added) +
        6 * step * step * (count * count * b2 + added * added * m2) + 4 * step * (count * b3 - added * m3);
    moment[2 * stride] += b3 + between * step * (count - added) + 3 * step * (count * b2 - added * m2);
  }
  moment[stride] += block[block_stride] + between;
  moment[0] += delta * share;
}

/// Moments of a block from the sums of powers of its deviations from a number near its mean.
template <int Order>
EH_INLINE void from_powers(double n, double shift, const double* sums, double* block) {
  const double offset = sums[0] / n;
  block[0] = shift + offset;
  block[1] = sums[1] - offset * sums[0];
  if constexpr (Order == 4) {
    const double square = offset * offset;
    block[2] = sums[2] - 3 * offset * sums[1] + 2 * square * sums[0];
    block[3] = sums[3] - 4 * offset * sums[2] + 6 * square * sums[1] - 3 * square * offset * sums[0];
  }
}

/// Adds powers of d to the sums of one column or lane; `stride` lies between powers.
template <int Order, typename A>
EH_INLINE void add_powers(A d, A* sums, std::int64_t stride) {
  const A square = d * d;
  sums[0] += d;
  sums[stride] += square;
  if constexpr (Order == 4) {
    sums[2 * stride] += square * d;
    sums[3 * stride] += square * square;
  }
}

/// A: the type of the partial sums.
template <typename T, typename A, int Order>
struct Loops {
  /// One contiguous block of n > 0 elements.
  static EH_INLINE void row_block(const T* x, std::int64_t n, double* block) {
    const std::int64_t full = n / kLanes * kLanes;
    A lane[kLanes] = {};
    for (std::int64_t i = 0; i < full; i += kLanes) {
      for (int l = 0; l < kLanes; ++l) lane[l] += static_cast<A>(x[i + l]);
    }
    double sum = 0;
    for (int l = 0; l < kLanes; ++l) sum += static_cast<double>(lane[l]);
    for (std::int64_t i = full; i < n; ++i) sum += static_cast<double>(x[i]);
    const A shift = static_cast<A>(sum / static_cast<double>(n));

    A power[Order * kLanes] = {};
    for (std::int64_t i = 0; i < full; i += kLanes) {
      for (int l = 0; l < kLanes; ++l) add_powers<Order>(static_cast<A>(x[i + l]) - shift, power + l, kLanes);
    }
    double sums[Order] = {};
    for (std::int64_t i = full; i < n; ++i) {
      add_powers<Order>(static_cast<double>(x[i]) - static_cast<double>(shift), sums, 1);
    }
    for (int p = 0; p < Order; ++p) {
      for (int l = 0; l < kLanes; ++l) sums[p] += static_cast<double>(power[p * kLanes + l]);
    }
    from_powers<Order>(static_cast<double>(n), static_cast<double>(shift), sums, block);
  }

  /// Rows too short for lanes.
  static EH_INLINE void short_row(const T* x, std::int64_t n, double* out, std::int64_t stride) {
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]);
    const double mean = n > 0 ? sum / static_cast<double>(n) : 0;
    double sums[Order] = {};
    for (std::int64_t i = 0; i < n; ++i) add_powers<Order>(static_cast<double>(x[i]) - mean, sums, 1);
    out[0] = mean;
    for (int p = 1; p < Order; ++p) out[p * stride] = sums[p];
  }

  static EH_INLINE void row(const T* x, std::int64_t n, double* out, std::int64_t stride) {
    if (n < kLanes) return short_row(x, n, out, stride);
    for (std::int64_t done = 0; done < n; done += kRowBlock) {
      const std::int64_t size = std::min(kRowBlock, n - done);
      double block[Order];
      row_block(x + done, size, block);
      merge<Order>(static_cast<double>(done), static_cast<double>(size), block, 1, out, stride);
    }
  }

  /// `rows` rows of a block of columns, which lie `pitch` apart, added to the columns' moments.
  static EH_INLINE void column_block(const T* x, std::int64_t rows, std::int64_t columns, std::int64_t pitch,
                                     std::int64_t done, double* out, std::int64_t stride) {
    A shift[kBlockColumns] = {};
    A power[Order * kBlockColumns] = {};
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) shift[c] += static_cast<A>(x[r * pitch + c]);
    }
    for (std::int64_t c = 0; c < columns; ++c) shift[c] /= static_cast<A>(rows);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        add_powers<Order>(static_cast<A>(x[r * pitch + c]) - shift[c], power + c, kBlockColumns);
      }
    }
    for (std::int64_t c = 0; c < columns; ++c) {
      double sums[Order];
      double block[Order];
      for (int p = 0; p < Order; ++p) sums[p] = static_cast<double>(power[p * kBlockColumns + c]);
      from_powers<Order>(static_cast<double>(rows), static_cast<double>(shift[c]), sums, block);
      merge<Order>(static_cast<double>(done), static_cast<double>(rows), block, 1, out + c, stride);
    }
  }

  static EH_INLINE void columns(const T* x, std::int64_t n, std::int64_t inner, double* out,
                                std::int64_t stride) {
    for (std::int64_t c = 0; c < inner; c += kBlockColumns) {
      const std::int64_t width = std::min(kBlockColumns, inner - c);
      for (std::int64_t done = 0; done < n; done += kBlockRows) {
        const std::int64_t rows = std::min(kBlockRows, n - done);
        column_block(x + done * inner + c, rows, width, inner, done, out + c, stride);
      }
    }
  }

  /// Rows of few columns: `fold` of them count as one row, whose columns are put together in the end.
  static EH_INLINE void narrow(const T* x, std::int64_t n, std::int64_t inner, double* out,
                               std::int64_t stride, double* scratch) {
    const std::int64_t fold = kNarrow / inner;
    const std::int64_t width = fold * inner;
    const std::int64_t rows = n / fold;
    std::fill(scratch, scratch + Order * width, 0.0);
    columns(x, rows, width, scratch, width);
    columns(x + rows * width, n - rows * fold, inner, out, stride);
    double count = static_cast<double>(n - rows * fold);
    for (std::int64_t f = 0; rows > 0 && f < fold; ++f, count += static_cast<double>(rows)) {
      for (std::int64_t c = 0; c < inner; ++c) {
        merge<Order>(count, static_cast<double>(rows), scratch + f * inner + c, width, out + c, stride);
      }
    }
  }

  static EH_INLINE void run(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, double* out,
                            double* scratch) {
    const std::int64_t stride = outer * inner;
    std::fill(out, out + Order * stride, 0.0);
    for (std::int64_t o = 0; o < outer; ++o, x += n * inner, out += inner) {
      if (inner == 1)
        row(x, n, out, stride);
      else if (inner <= kNarrow / 2)
        narrow(x, n, inner, out, stride, scratch);
      else
        columns(x, n, inner, out, stride);
    }
  }
};

template <typename T>
void moments_of(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, MomentOrder order,
                double* out) {
  if (outer * inner == 0) return;
  double scratch[4 * kNarrow];
  if (order == MomentOrder::Variance)
    dispatch<Loops<T, T, 2>>(x, outer, n, inner, out, &scratch[0]);
  else
    dispatch<Loops<T, double, 4>>(x, outer, n, inner, out, &scratch[0]);
}

template <int Order>
void merge_all(const double* blocks, const std::int64_t* counts, std::int64_t parts, std::int64_t size,
               double* out) {
  std::fill(out, out + Order * size, 0.0);
  double count = 0;
  for (std::int64_t part = 0; part < parts; ++part, blocks += Order * size) {
    const double added = static_cast<double>(counts[part]);
    if (counts[part] == 0) continue;
    for (std::int64_t i = 0; i < size; ++i) merge<Order>(count, added, blocks + i, size, out + i, size);
    count += added;
  }
}

}  // namespace

void moments(const float* x, std::int64_t outer, std::int64_t n, std::int64_t inner, MomentOrder order,
             double* out) {
  moments_of(x, outer, n, inner, order, out);
}
void moments(const double* x, std::int64_t outer, std::int64_t n, std::int64_t inner, MomentOrder order,
             double* out) {
  moments_of(x, outer, n, inner, order, out);
}

void merge_moments(const double* blocks, const std::int64_t* counts, std::int64_t parts, std::int64_t size,
                   MomentOrder order, double* out) {
  if (order == MomentOrder::Variance)
    merge_all<2>(blocks, counts, parts, size, out);
  else
    merge_all<4>(blocks, counts, parts, size, out);
}

}  // namespace eh::kernels
