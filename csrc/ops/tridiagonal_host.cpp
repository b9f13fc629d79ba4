// SPDX-License-Identifier: BSD-3-Clause
// The reduction of tridiagonal.cpp on processors: the same steps, the vectors of a column by native loops.
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>

#include "array/tensor_comm.hpp"
#include "kernels/hermitian.hpp"
#include "ops/selection.hpp"
#include "ops/tridiagonal.hpp"

namespace eh {
namespace {

/// Rows that are updated at a time: what lies above the diagonal is left out, block by block.
constexpr std::int64_t kRowsTogether = 128;

template <typename R>
R conjugate(R x) {
  return x;
}
template <typename R>
std::complex<R> conjugate(std::complex<R> x) {
  return std::conj(x);
}

template <typename T>
T number(const std::complex<double>& x) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(x.real());
  } else {
    return T(x);
  }
}

/// The sum of |x|^2, squared in double precision: in single precision squares of small numbers have no digits.
template <typename R>
double squares(const R* x, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
}
template <typename R>
double squares(const std::complex<R>* x, std::int64_t n) {
  return squares(reinterpret_cast<const R*>(x), 2 * n);
}

template <typename R>
void multiply(R* x, std::int64_t n, const std::complex<double>& factor) {
  for (std::int64_t i = 0; i < n; ++i) x[i] = static_cast<R>(static_cast<double>(x[i]) * factor.real());
}
template <typename R>
void multiply(std::complex<R>* x, std::int64_t n, const std::complex<double>& factor) {
  for (std::int64_t i = 0; i < n; ++i) x[i] = std::complex<R>(std::complex<double>(x[i]) * factor);
}

/// h = 1 - tau v v^H with h^H x = beta e_0 and real beta (LAPACK's larfg); x becomes v.
template <typename T>
std::pair<std::complex<double>, double> reflect(T* x, std::int64_t n) {
  const std::complex<double> alpha(x[0]);
  const double norm = std::sqrt(squares(x + 1, n - 1));
  x[0] = 1;
  if (norm < kNegligible && std::abs(alpha.imag()) < kNegligible) {
    std::fill(x + 1, x + n, T{});
    return {0, alpha.real()};
  }
  const double size = std::hypot(std::abs(alpha), norm), beta = alpha.real() > 0 ? -size : size;
  multiply(x + 1, n - 1, 1.0 / (alpha - beta));  // in double precision: the factor may be beyond single
  return {(beta - alpha) / beta, beta};
}

/// The reduction under way. Of a, below the diagonal, what was there at the panel's beginning: it stands for
/// a - v^T conj(w) - w^T conj(v) with the panel's v and w, whose rows are vectors over the rows from the panel's first on.
template <typename T>
class HostReducer {
 public:
  HostReducer(const at::Tensor& columns, const Cyclic& cyclic, const Communicator& comm)
      : columns_(columns), cyclic_(cyclic), comm_(comm), n_(cyclic.extent()), stride_(columns.size(1)) {
    const std::vector<std::int64_t> order = cyclic.order();
    const std::int64_t first = offsets_of(cyclic.counts())[at(comm.rank())];
    own_.assign(order.begin() + first, order.begin() + first + cyclic.count(comm.rank()));
    diagonal_.resize(at(n_));
    for (const std::int64_t column : own_) diagonal_[at(column)] = 1;
    std::int64_t count = 0;
    for (std::int64_t row = 0; row < n_; ++row) ends_.push_back(count += diagonal_[at(row)]);
  }

  Tridiagonalised run() {
    for (int block = 0; block < cyclic_.nblocks(); ++block) panel(block);
    return std::move(result_);
  }

 private:
  using Rows = kernels::VectorRows<T>;

  void panel(int block) {
    first_ = cyclic_.begin(block);
    const std::int64_t width = cyclic_.width(block);
    v_ = columns_.new_zeros({width, n_ - first_});
    w_ = columns_.new_zeros({width, n_ - first_});
    for (std::int64_t i = 0; i < width; ++i) column(block, i);
    if (first_ + width < n_) update(block);
    result_.reflectors.push_back(cyclic_.owner(block) == comm_.rank() ? v_ : at::Tensor());
  }

  T* row(const at::Tensor& x, std::int64_t i) const {
    return static_cast<T*>(x.mutable_data_ptr()) + i * x.size(1);
  }
  /// The panel's first `count` vectors from place `from` on.
  Rows known(const at::Tensor& x, std::int64_t count, std::int64_t from) const {
    return {row(x, 0) + from, x.size(1), count, x.size(1) - from};
  }

  /// What the owner of column k sends: the reflector, then tau, beta and the diagonal entry.
  void next_reflector(int block, std::int64_t i) {
    const std::int64_t k = first_ + i, rest = n_ - k - 1;
    message_.assign(at(rest + 3), T{});
    if (cyclic_.owner(block) == comm_.rank()) {
      std::vector<T> column;
      const T* entry = row(columns_, k) + cyclic_.local_begin(block) + i;
      for (std::int64_t r = k; r < n_; ++r, entry += stride_) column.push_back(*entry);
      subtract(
          i, i, [&](const at::Tensor& x, std::int64_t q) { return conjugate(row(x, q)[i]); }, column.data());
      std::copy(column.begin() + 1, column.end(), message_.begin());
      if (rest > 0) {
        const auto [tau, beta] = reflect(message_.data(), rest);
        message_[at(rest)] = number<T>(tau);
        message_[at(rest + 1)] = number<T>(beta);
      }
      message_[at(rest + 2)] = column[0];
    }
    comm_.bcast(buffer(message_), cyclic_.owner(block));
  }

  /// y -= sum of v_q f(w, q) + w_q f(v, q) over the first `count` vectors from place `from` on.
  template <typename F>
  void subtract(std::int64_t count, std::int64_t from, const F& f, T* y) {
    for (const auto& [x, other] : {std::pair(v_, w_), std::pair(w_, v_)}) {
      factors_.clear();
      for (std::int64_t q = 0; q < count; ++q) factors_.push_back(-f(other, q));
      kernels::add_combination(known(x, count, from), factors_.data(), y);
    }
  }

  void column(int block, std::int64_t i) {
    const std::int64_t rest = n_ - first_ - i - 1;
    next_reflector(block, i);
    result_.t.d.push_back(std::real(message_[at(rest + 2)]));
    if (rest == 0) return;
    const T tau = message_[at(rest)];
    result_.t.e.push_back(std::real(message_[at(rest + 1)]));
    result_.tau.emplace_back(std::real(tau), std::imag(tau));
    T* v = row(v_, i) + i + 1;
    std::copy_n(message_.data(), rest, v);
    if (tau == T{}) return;  // no reflection: w stays zero
    T* w = row(w_, i) + i + 1;
    product(block, i, v, w);
    for (std::int64_t j = 0; j < rest; ++j) w[j] *= tau;
    T inner{};
    kernels::inner_products(Rows{w, rest, 1, rest}, v, &inner);
    const T factor = number<T>(-0.5) * tau * inner;
    kernels::add_combination(Rows{v, rest, 1, rest}, &factor, w);
  }

  /// y = the present matrix behind column k times v.
  void product(int block, std::int64_t i, const T* v, T* y) {
    const std::int64_t begin = first_ + i + 1, rest = n_ - begin;
    const std::int64_t skip = cyclic_.owner(block) == comm_.rank()
                                  ? cyclic_.local_begin(block) + i + 1
                                  : cyclic_.count_before(block, comm_.rank());
    own_v_.clear();
    for (auto g = own_.begin() + skip; g < own_.end(); ++g) own_v_.push_back(v[*g - begin]);
    own_y_.assign(own_v_.size(), T{});
    ends_here_.clear();
    for (std::int64_t r = begin; r < n_; ++r) ends_here_.push_back(ends_[at(r)] - skip);
    const kernels::LowerColumns<T> lower{row(columns_, begin) + skip, stride_, rest, ends_here_.data(),
                                         diagonal_.data() + begin};
    kernels::hermitian_product(lower, v, own_v_.data(), y, own_y_.data());
    for (std::size_t j = 0; j < own_y_.size(); ++j) y[own_[at(skip) + j] - begin] += own_y_[j];
    if (comm_.size() > 1) {
      const Buffer whole{y, rest, dtype_of(columns_.scalar_type())};
      comm_.allreduce(whole, whole, ReduceOp::Sum);
    }
    if (i == 0) return;
    std::vector<T> with_v(at(i)), with_w(at(i));
    kernels::inner_products(known(v_, i, i + 1), v, with_v.data());
    kernels::inner_products(known(w_, i, i + 1), v, with_w.data());
    subtract(
        i, i + 1,
        [&](const at::Tensor& x, std::int64_t q) { return (x.is_same(v_) ? with_v : with_w)[at(q)]; }, y);
  }

  /// Own columns behind the panel, on and below the diagonal.
  void update(int block) {
    const std::int64_t begin = first_ + cyclic_.width(block);
    const std::int64_t skip = cyclic_.count_before(block + 1, comm_.rank());
    std::vector<std::int64_t> places;
    for (auto g = own_.begin() + skip; g < own_.end(); ++g) places.push_back(*g - first_);
    const at::Tensor index = index_tensor(places, columns_);
    const at::Tensor own_v = v_.index_select(1, index).conj().resolve_conj();
    const at::Tensor own_w = w_.index_select(1, index).conj().resolve_conj();
    for (std::int64_t r = begin; r < n_; r += kRowsTogether) {
      const std::int64_t rows = std::min(kRowsTogether, n_ - r), count = ends_[at(r + rows - 1)] - skip;
      if (count == 0) continue;
      const at::Tensor part = columns_.narrow(0, r, rows).narrow(1, skip, count);
      const auto below = [&](const at::Tensor& x) { return x.narrow(1, r - first_, rows).t(); };
      part.addmm_(below(v_), own_w.narrow(1, 0, count), 1, -1);
      part.addmm_(below(w_), own_v.narrow(1, 0, count), 1, -1);
    }
  }

  Buffer buffer(std::vector<T>& x) const {
    return {x.data(), static_cast<std::int64_t>(x.size()), dtype_of(columns_.scalar_type())};
  }

  const at::Tensor& columns_;
  const Cyclic& cyclic_;
  const Communicator& comm_;
  std::int64_t n_, stride_, first_ = 0;
  std::vector<std::int64_t> own_;               ///< columns
  std::vector<std::uint8_t> diagonal_;          ///< whether a row's diagonal entry is in an own column
  std::vector<std::int64_t> ends_, ends_here_;  ///< own columns up to a row's diagonal
  std::vector<T> message_, factors_, own_v_, own_y_;
  at::Tensor v_, w_;
  Tridiagonalised result_;
};

}  // namespace

Tridiagonalised tridiagonalise_host(const at::Tensor& columns, const Cyclic& cyclic,
                                    const Communicator& comm) {
  switch (columns.scalar_type()) {
    case at::kFloat:
      return HostReducer<float>(columns, cyclic, comm).run();
    case at::kDouble:
      return HostReducer<double>(columns, cyclic, comm).run();
    case at::kComplexFloat:
      return HostReducer<std::complex<float>>(columns, cyclic, comm).run();
    default:
      return HostReducer<std::complex<double>>(columns, cyclic, comm).run();
  }
}

}  // namespace eh
