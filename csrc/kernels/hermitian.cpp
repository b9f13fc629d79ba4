// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/hermitian.hpp"

#include "kernels/simd.hpp"

namespace eh::kernels {
namespace {

using Index = std::int64_t;

template <typename T>
EH_SIMD_INLINE T conjugate(T x) {
  return x;
}
template <typename R>
EH_SIMD_INLINE std::complex<R> conjugate(std::complex<R> x) {
  return {x.real(), -x.imag()};
}
template <typename T>
EH_SIMD_INLINE T times(T a, T b) {
  return a * b;
}
/// Without the search for infinities of the operator.
template <typename R>
EH_SIMD_INLINE std::complex<R> times(std::complex<R> a, std::complex<R> b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

/// Vectors of `Bytes` bytes; complex numbers are taken one by one.
template <typename T, int Bytes>
struct Pack {
  static constexpr Index lanes = Bytes / static_cast<Index>(sizeof(T));
  typedef T Register __attribute__((vector_size(Bytes), may_alias, aligned(sizeof(T))));
  static EH_SIMD_INLINE Register load(const T* p) { return *reinterpret_cast<const Register*>(p); }
  static EH_SIMD_INLINE void store(T* p, Register v) { *reinterpret_cast<Register*>(p) = v; }
  static EH_SIMD_INLINE Register all(T x) { return Register{} + x; }
  static EH_SIMD_INLINE T sum(Register v) {
    T total = 0;
    for (Index l = 0; l < lanes; ++l) total += v[l];
    return total;
  }
};
template <typename R, int Bytes>
struct Pack<std::complex<R>, Bytes> {
  using Register = std::complex<R>;
  static constexpr Index lanes = 1;
  static EH_SIMD_INLINE Register load(const Register* p) { return *p; }
  static EH_SIMD_INLINE void store(Register* p, Register v) { *p = v; }
  static EH_SIMD_INLINE Register all(Register x) { return x; }
  static EH_SIMD_INLINE Register sum(Register v) { return v; }
};

constexpr int kTogether = 4;  ///< rows that share what is read and written beside them

/// Inner products of `Rows` rows with a vector.
template <int Rows, int Bytes, typename T>
EH_SIMD_INLINE void inner_block(const T* const* rows, const T* v, Index n, T* sums) {
  using P = Pack<T, Bytes>;
  typename P::Register total[Rows];
  for (auto& t : total) t = P::all(T{});
  Index j = 0;
  for (; j + P::lanes <= n; j += P::lanes) {
    const auto x = P::load(v + j);
    for (int r = 0; r < Rows; ++r) total[r] += times(conjugate(P::load(rows[r] + j)), x);
  }
  for (int r = 0; r < Rows; ++r) {
    sums[r] = P::sum(total[r]);
    for (Index k = j; k < n; ++k) sums[r] += times(conjugate(rows[r][k]), v[k]);
  }
}

template <int Rows, int Bytes, typename T>
EH_SIMD_INLINE void combination_block(const T* const* rows, const T* factors, Index n, T* y) {
  using P = Pack<T, Bytes>;
  Index j = 0;
  for (; j + P::lanes <= n; j += P::lanes) {
    auto sum = P::load(y + j);
    for (int r = 0; r < Rows; ++r) sum += times(P::load(rows[r] + j), P::all(factors[r]));
    P::store(y + j, sum);
  }
  for (; j < n; ++j)
    for (int r = 0; r < Rows; ++r) y[j] += times(rows[r][j], factors[r]);
}

/// Both products of `Rows` rows with the columns before `n`, all of which lie below the diagonal.
template <int Rows, int Bytes, typename T>
EH_SIMD_INLINE void product_block(const T* const* rows, Index n, const T* v_rows, const T* v, T* by_rows,
                                  T* y) {
  using P = Pack<T, Bytes>;
  typename P::Register total[Rows];
  for (auto& t : total) t = P::all(T{});
  Index j = 0;
  for (; j + P::lanes <= n; j += P::lanes) {
    const auto x = P::load(v + j);
    auto sum = P::load(y + j);
    for (int r = 0; r < Rows; ++r) {
      const auto a = P::load(rows[r] + j);
      total[r] += times(a, x);
      sum += times(conjugate(a), P::all(v_rows[r]));
    }
    P::store(y + j, sum);
  }
  for (int r = 0; r < Rows; ++r) {
    by_rows[r] += P::sum(total[r]);
    for (Index k = j; k < n; ++k) {
      by_rows[r] += times(rows[r][k], v[k]);
      y[k] += times(conjugate(rows[r][k]), v_rows[r]);
    }
  }
}

/// Calls f<Rows>(first, pointers) for groups of rows.
template <typename T, typename F>
EH_SIMD_INLINE void in_groups(const T* data, Index stride, Index count, const F& f) {
  Index q = 0;
  for (; q + kTogether <= count; q += kTogether) {
    const T* rows[kTogether];
    for (int r = 0; r < kTogether; ++r) rows[r] = data + (q + r) * stride;
    f.template operator()<kTogether>(q, rows);
  }
  for (; q < count; ++q) {
    const T* row = data + q * stride;
    f.template operator()<1>(q, &row);
  }
}

/// The columns of row r from `from` on, which other rows of its group have not or which lie on the diagonal.
template <typename T>
EH_SIMD_INLINE void product_rest(const LowerColumns<T>& a, Index r, Index from, T v_row, const T* v,
                                 T& by_row, T* y) {
  const T* row = a.data + r * a.stride;
  const Index below = a.ends[r] - (a.diagonal[r] != 0 ? 1 : 0);
  for (Index j = from; j < a.ends[r]; ++j) by_row += times(row[j], v[j]);
  for (Index j = from; j < below; ++j) y[j] += times(conjugate(row[j]), v_row);
}

}  // namespace

template <typename T>
void inner_products(const VectorRows<T>& x, const T* v, T* out) {
  simd::run([&]<int Bytes, int>() __attribute__((always_inline)) {
    in_groups(x.data, x.stride, x.count,
              [&]<int Rows>(Index q, const T* const* rows)
                  __attribute__((always_inline)) { inner_block<Rows, Bytes>(rows, v, x.n, out + q); });
  });
}

template <typename T>
void add_combination(const VectorRows<T>& x, const T* factors, T* y) {
  simd::run([&]<int Bytes, int>() __attribute__((always_inline)) {
    in_groups(x.data, x.stride, x.count,
              [&]<int Rows>(Index q, const T* const* rows) __attribute__((always_inline)) {
                combination_block<Rows, Bytes>(rows, factors + q, x.n, y);
              });
  });
}

template <typename T>
void hermitian_product(const LowerColumns<T>& a, const T* v_rows, const T* v_columns, T* by_rows,
                       T* by_columns) {
  simd::run([&]<int Bytes, int>() __attribute__((always_inline)) {
    in_groups(a.data, a.stride, a.rows,
              [&]<int Rows>(Index r, const T* const* rows) __attribute__((always_inline)) {
                const Index common = a.ends[r] - (a.diagonal[r] != 0 ? 1 : 0);
                product_block<Rows, Bytes>(rows, common, v_rows + r, v_columns, by_rows + r, by_columns);
                for (Index q = r; q < r + Rows; ++q)
                  product_rest(a, q, common, v_rows[q], v_columns, by_rows[q], by_columns);
              });
  });
}

#define EH_INSTANTIATE(T)                                               \
  template void inner_products<T>(const VectorRows<T>&, const T*, T*);  \
  template void add_combination<T>(const VectorRows<T>&, const T*, T*); \
  template void hermitian_product<T>(const LowerColumns<T>&, const T*, const T*, T*, T*);
EH_INSTANTIATE(float)
EH_INSTANTIATE(double)
EH_INSTANTIATE(std::complex<float>)
EH_INSTANTIATE(std::complex<double>)

}  // namespace eh::kernels
