// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/compressed_values.hpp"

#include <algorithm>
#include <complex>

#include "kernels/dispatch.hpp"

namespace eh::kernels {
namespace {

template <typename T>
EH_INLINE T times(T a, T b) {
  return a * b;
}
/// Without the repair of infinities, which costs a call.
template <typename T>
EH_INLINE std::complex<T> times(std::complex<T> a, std::complex<T> b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

template <typename T>
struct TimesDense {
  static constexpr int kTile = 64 / sizeof(T) * 2;  ///< sums of one row that stay in registers

  template <int Count>
  static EH_INLINE void tile(const SparseRows<T>& a, std::int64_t row, const T* x, std::int64_t width,
                             T* out) {
    T sum[Count] = {};
    for (std::int64_t k = a.at.begin[row]; k < a.at.begin[row + 1]; ++k) {
      const T value = a.values[k];
      const T* line = x + a.at.columns[k] * width;
      for (int q = 0; q < Count; ++q) sum[q] += times(value, line[q]);
    }
    std::copy(sum, sum + Count, out);
  }

  static EH_INLINE void run(const SparseRows<T>* a, const T* x, std::int64_t width, T* out) {
    for (std::int64_t i = 0; i < a->at.rows; ++i, out += width) {
      std::int64_t j = 0;
      for (; j + kTile <= width; j += kTile) tile<kTile>(*a, i, x + j, width, out + j);
      for (; j + 4 <= width; j += 4) tile<4>(*a, i, x + j, width, out + j);
      for (; j < width; ++j) tile<1>(*a, i, x + j, width, out + j);
    }
  }
};

template <typename T>
struct TransposeTimesDense {
  static EH_INLINE void run(const SparseRows<T>* a, const T* x, std::int64_t width, T* out) {
    for (std::int64_t i = 0; i < a->at.rows; ++i, x += width) {
      for (std::int64_t k = a->at.begin[i]; k < a->at.begin[i + 1]; ++k) {
        const T value = a->values[k];
        T* line = out + a->at.columns[k] * width;
        for (std::int64_t q = 0; q < width; ++q) line[q] += times(value, x[q]);
      }
    }
  }
};

/// Sum of one row of a times the rows of b; `marks` holds the row that last touched each column.
template <typename T>
struct Accumulator {
  explicit Accumulator(std::int64_t columns)
      : sums(static_cast<std::size_t>(columns)), marks(static_cast<std::size_t>(columns), -1) {}

  /// Writes the columns touched, in the order they come.
  std::int64_t* collect(const SparseRows<T>& a, const SparseRows<T>& b, std::int64_t row,
                        std::int64_t* found) {
    for (std::int64_t k = a.at.begin[row]; k < a.at.begin[row + 1]; ++k) {
      const T value = a.values[k];
      for (std::int64_t l = b.at.begin[a.at.columns[k]]; l < b.at.begin[a.at.columns[k] + 1]; ++l) {
        const auto column = static_cast<std::size_t>(b.at.columns[l]);
        const T term = times(value, b.values[l]);
        if (marks[column] == row) {
          sums[column] += term;
        } else {
          marks[column] = row;
          sums[column] = term;
          *found++ = b.at.columns[l];
        }
      }
    }
    return found;
  }

  std::vector<T> sums;
  std::vector<std::int64_t> marks;
};

/// What is left of a row behind the last common step.
template <typename T>
void append(const SparseRows<T>& a, std::int64_t from, std::int64_t to, std::int64_t*& columns, T*& values) {
  columns = std::copy(a.at.columns + from, a.at.columns + to, columns);
  values = std::copy(a.values + from, a.values + to, values);
}

}  // namespace

template <typename T>
void add_rows(const SparseRows<T>& a, const SparseRows<T>& b, std::int64_t* columns, T* values) {
  for (std::int64_t row = 0; row < a.at.rows; ++row) {
    std::int64_t i = a.at.begin[row];
    std::int64_t j = b.at.begin[row];
    const std::int64_t i_end = a.at.begin[row + 1];
    const std::int64_t j_end = b.at.begin[row + 1];
    while (i < i_end && j < j_end) {
      const std::int64_t in_a = a.at.columns[i];
      const std::int64_t in_b = b.at.columns[j];
      *columns++ = std::min(in_a, in_b);
      *values++ = in_a == in_b ? a.values[i] + b.values[j] : in_a < in_b ? a.values[i] : b.values[j];
      i += static_cast<std::int64_t>(in_a <= in_b);
      j += static_cast<std::int64_t>(in_b <= in_a);
    }
    append(a, i, i_end, columns, values);
    append(b, j, j_end, columns, values);
  }
}

template <typename T>
void multiply_rows(const SparseRows<T>& a, const SparseRows<T>& b, std::int64_t* columns, T* values) {
  for (std::int64_t row = 0; row < a.at.rows; ++row) {
    std::int64_t i = a.at.begin[row];
    std::int64_t j = b.at.begin[row];
    while (i < a.at.begin[row + 1] && j < b.at.begin[row + 1]) {
      const std::int64_t in_a = a.at.columns[i];
      const std::int64_t in_b = b.at.columns[j];
      if (in_a == in_b) {
        *columns++ = in_a;
        *values++ = times(a.values[i], b.values[j]);
      }
      i += static_cast<std::int64_t>(in_a <= in_b);
      j += static_cast<std::int64_t>(in_b <= in_a);
    }
  }
}

template <typename T>
void times_dense(const SparseRows<T>& a, const T* x, std::int64_t width, T* out) {
  dispatch<TimesDense<T>>(&a, x, width, out);
}

template <typename T>
void transpose_times_dense(const SparseRows<T>& a, const T* x, std::int64_t width, T* out) {
  dispatch<TransposeTimesDense<T>>(&a, x, width, out);
}

template <typename T>
void times_sparse(const SparseRows<T>& a, const SparseRows<T>& b, std::int64_t columns,
                  const std::int64_t* begin, std::int64_t* out_columns, T* out) {
  Accumulator<T> row_sums(columns);
  for (std::int64_t i = 0; i < a.at.rows; ++i) {
    std::int64_t* first = out_columns + begin[i];
    std::int64_t* last = row_sums.collect(a, b, i, first);
    std::sort(first, last);
    std::transform(first, last, out + begin[i],
                   [&row_sums](std::int64_t c) { return row_sums.sums[static_cast<std::size_t>(c)]; });
  }
}

template <typename T>
void sum_groups(const T* values, const std::int64_t* group, std::int64_t n, T* out) {
  for (std::int64_t k = 0; k < n; ++k) out[group[k]] += values[k];
}

#define EH_INSTANCES(T)                                                                                     \
  template void add_rows(const SparseRows<T>&, const SparseRows<T>&, std::int64_t*, T*);                    \
  template void multiply_rows(const SparseRows<T>&, const SparseRows<T>&, std::int64_t*, T*);               \
  template void times_dense(const SparseRows<T>&, const T*, std::int64_t, T*);                              \
  template void transpose_times_dense(const SparseRows<T>&, const T*, std::int64_t, T*);                    \
  template void times_sparse(const SparseRows<T>&, const SparseRows<T>&, std::int64_t, const std::int64_t*, \
                             std::int64_t*, T*);                                                            \
  template void sum_groups(const T*, const std::int64_t*, std::int64_t, T*);

EH_INSTANCES(float)
EH_INSTANCES(double)
EH_INSTANCES(std::complex<float>)
EH_INSTANCES(std::complex<double>)
EH_INSTANCES(std::uint32_t)
EH_INSTANCES(std::uint64_t)

}  // namespace eh::kernels
