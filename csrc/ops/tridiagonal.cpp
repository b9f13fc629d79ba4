// SPDX-License-Identifier: BSD-3-Clause
#include "ops/tridiagonal.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_solve_triangular_ops.h>

#include <algorithm>
#include <cmath>

#include "array/tensor_comm.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

using Complex = c10::complex<double>;

at::Scalar scalar(const Complex& value, const at::Tensor& like) {
  return like.is_complex() ? at::Scalar(value) : at::Scalar(value.real());
}

Complex value_of(const at::Tensor& x) {
  return x.is_complex() ? x.item<Complex>() : Complex(x.item<double>(), 0);
}

/// x^H y for rows x (k, n) and a vector y (n).
at::Tensor against(const at::Tensor& x, const at::Tensor& y) {
  return x.is_complex() ? at::Tensor(x.conj().resolve_conj().mv(y)) : x.mv(y);
}

/// h = 1 - tau v v^H with h^H x = beta e_0 and real beta (LAPACK's larfg); x becomes v.
struct Reflector {
  Complex tau;
  double beta;
};

Reflector reflector_of(const at::Tensor& x) {
  const Complex alpha = value_of(x.select(0, 0));
  const at::Tensor rest = x.narrow(0, 1, x.size(0) - 1);
  const at::ScalarType wide = x.is_complex() ? at::kComplexDouble : at::kDouble;  // squares of small numbers
  const double norm = rest.numel() > 0 ? rest.to(wide).norm(2).item().toComplexDouble().real() : 0;
  Reflector h{Complex(0, 0), alpha.real()};
  if (norm < kNegligible && std::abs(alpha.imag()) < kNegligible) {
    rest.zero_();
  } else {
    const double size = std::hypot(std::hypot(alpha.real(), alpha.imag()), norm);
    h.beta = alpha.real() > 0 ? -size : size;
    h.tau = (Complex(h.beta, 0) - alpha) / Complex(h.beta, 0);
    const at::Tensor exact = rest.to(wide);
    rest.copy_(exact.mul(scalar(Complex(1, 0) / (alpha - Complex(h.beta, 0)), exact)));
  }
  x.select(0, 0).fill_(1);
  return h;
}

/// The reduction under way. a stays as it was at the panel's beginning: it stands for a - v^T conj(w) - w^T conj(v)
/// with the panel's v and w, whose rows are vectors over the rows from the panel's first on.
class Reducer {
 public:
  Reducer(const at::Tensor& columns, const Cyclic& cyclic, const Communicator& comm)
      : columns_(columns), cyclic_(cyclic), comm_(comm), n_(cyclic.extent()) {
    const std::vector<std::int64_t> order = cyclic.order();
    const std::int64_t first = offsets_of(cyclic.counts())[static_cast<std::size_t>(comm.rank())];
    own_ = index_tensor({order.begin() + first, order.begin() + first + cyclic.count(comm.rank())}, columns);
  }

  Tridiagonalised run() {
    for (int block = 0; block < cyclic_.nblocks(); ++block) panel(block);
    return std::move(result_);
  }

 private:
  void panel(int block) {
    const std::int64_t first = cyclic_.begin(block);
    const std::int64_t width = cyclic_.width(block);
    v_ = columns_.new_zeros({width, n_ - first});
    w_ = columns_.new_zeros({width, n_ - first});
    for (std::int64_t i = 0; i < width; ++i) column(block, i);
    if (first + width < n_) update(block);
    result_.reflectors.push_back(cyclic_.owner(block) == comm_.rank() ? v_ : at::Tensor());
  }

  /// What the owner of column i of a block sends: the reflector, then tau, beta and the diagonal entry.
  at::Tensor next_reflector(int block, std::int64_t i) {
    const std::int64_t k = cyclic_.begin(block) + i;
    const std::int64_t rest = n_ - k - 1;
    at::Tensor message = columns_.new_zeros({rest + 3});
    if (cyclic_.owner(block) == comm_.rank()) {
      const at::Tensor column =
          columns_.select(1, cyclic_.local_begin(block) + i).narrow(0, k, n_ - k).clone();
      if (i > 0) {
        const auto known = [&](const at::Tensor& x) { return x.narrow(0, 0, i); };
        const auto below = [&](const at::Tensor& x) { return known(x).narrow(1, i, n_ - k).t(); };
        const auto here = [&](const at::Tensor& x) { return known(x).select(1, i).conj().resolve_conj(); };
        column.sub_(below(v_).mv(here(w_))).sub_(below(w_).mv(here(v_)));
      }
      message.select(0, rest + 2).copy_(column.select(0, 0));
      if (rest > 0) {
        const at::Tensor x = message.narrow(0, 0, rest);
        x.copy_(column.narrow(0, 1, rest));
        const Reflector h = reflector_of(x);
        message.select(0, rest).fill_(scalar(h.tau, message));
        message.select(0, rest + 1).fill_(h.beta);
      }
    }
    bcast(message, cyclic_.owner(block), comm_);
    return message;
  }

  void column(int block, std::int64_t i) {
    const std::int64_t k = cyclic_.begin(block) + i;
    const std::int64_t rest = n_ - k - 1;
    const at::Tensor message = next_reflector(block, i);
    result_.t.d.push_back(value_of(message.select(0, rest + 2)).real());
    if (rest == 0) return;
    const Complex tau = value_of(message.select(0, rest));
    result_.t.e.push_back(value_of(message.select(0, rest + 1)).real());
    result_.tau.push_back(tau);
    const at::Tensor v = message.narrow(0, 0, rest);
    v_.select(0, i).narrow(0, i + 1, rest).copy_(v);
    if (tau == Complex(0, 0)) return;  // no reflection: w stays zero
    const at::Tensor w = product(block, i, v);
    w.mul_(scalar(tau, w));
    const Complex inner = value_of(w.conj().resolve_conj().dot(v));
    w.add_(v, scalar(Complex(-0.5, 0) * tau * inner, w));
    w_.select(0, i).narrow(0, i + 1, rest).copy_(w);
  }

  /// The present matrix behind column k times v: own columns give own entries, as the matrix is Hermitian.
  at::Tensor product(int block, std::int64_t i, const at::Tensor& v) {
    const std::int64_t k = cyclic_.begin(block) + i;
    const bool mine = cyclic_.owner(block) == comm_.rank();
    const std::int64_t skip =
        mine ? cyclic_.local_begin(block) + i + 1 : cyclic_.count_before(block, comm_.rank());
    const std::int64_t count = cyclic_.count(comm_.rank()) - skip;
    const at::Tensor part = columns_.narrow(1, skip, count).narrow(0, k + 1, v.size(0));
    const at::Tensor y = v.new_zeros({v.size(0)});
    if (count > 0) {
      const at::Tensor own = v.is_complex()
                                 ? at::Tensor(part.t().mv(v.conj().resolve_conj()).conj().resolve_conj())
                                 : part.t().mv(v);
      y.index_copy_(0, own_.narrow(0, skip, count).sub(k + 1), own);
    }
    const at::Tensor sum = comm_.size() > 1 ? allreduce(y, ReduceOp::Sum, comm_) : y;
    if (i > 0) {
      const at::Tensor vs = v_.narrow(0, 0, i).narrow(1, i + 1, v.size(0));
      const at::Tensor ws = w_.narrow(0, 0, i).narrow(1, i + 1, v.size(0));
      sum.sub_(vs.t().mv(against(ws, v))).sub_(ws.t().mv(against(vs, v)));
    }
    return sum;
  }

  /// Own columns behind the panel.
  void update(int block) {
    const std::int64_t width = cyclic_.width(block);
    const std::int64_t first = cyclic_.begin(block);
    const std::int64_t skip = cyclic_.count_before(block + 1, comm_.rank());
    const std::int64_t count = cyclic_.count(comm_.rank()) - skip;
    if (count == 0) return;
    const std::int64_t rows = n_ - first - width;
    const at::Tensor part = columns_.narrow(1, skip, count).narrow(0, first + width, rows);
    const at::Tensor own = own_.narrow(0, skip, count).sub(first);
    const auto below = [&](const at::Tensor& x) { return x.narrow(1, width, rows).t(); };
    part.addmm_(below(v_), w_.index_select(1, own).conj(), 1, -1);
    part.addmm_(below(w_), v_.index_select(1, own).conj(), 1, -1);
  }

  const at::Tensor& columns_;
  const Cyclic& cyclic_;
  const Communicator& comm_;
  std::int64_t n_;
  at::Tensor own_;
  at::Tensor v_;
  at::Tensor w_;
  Tridiagonalised result_;
};

/// t of the product of reflections 1 - v^T t conj(v) for vectors in rows: its inverse has 1 / tau on the diagonal and
/// the products of the vectors above it. @pre vectors of tau = 0 are zero
at::Tensor triangle_of(const at::Tensor& v, const c10::complex<double>* tau) {
  const at::Tensor inverse = v.conj().resolve_conj().matmul(v.t()).triu(1);
  for (std::int64_t i = 0; i < v.size(0); ++i) {
    const Complex t = tau[i] == Complex(0, 0) ? Complex(1, 0) : Complex(1, 0) / tau[i];
    inverse.select(0, i).select(0, i).fill_(scalar(t, v));
  }
  return inverse;
}

}  // namespace

Tridiagonalised tridiagonalise(const at::Tensor& columns, const Cyclic& cyclic, const Communicator& comm) {
  return columns.is_cpu() ? tridiagonalise_host(columns, cyclic, comm) : Reducer(columns, cyclic, comm).run();
}

void apply_reflections(const Tridiagonalised& reduction, const Cyclic& cyclic, const at::Tensor& z,
                       const Communicator& comm) {
  const std::int64_t n = cyclic.extent();
  for (int block = cyclic.nblocks(); block-- > 0;) {
    const std::int64_t first = cyclic.begin(block);
    const std::int64_t count = std::min(cyclic.width(block), n - 1 - first);
    if (count <= 0) continue;
    const auto index = static_cast<std::size_t>(block);
    at::Tensor v = z.new_empty({count, n - first - 1});
    if (cyclic.owner(block) == comm.rank()) {
      v = reduction.reflectors[index].narrow(0, 0, count).narrow(1, 1, n - first - 1).contiguous();
      for (std::int64_t i = 0; i < count; ++i) {
        if (reduction.tau[static_cast<std::size_t>(first + i)] == Complex(0, 0)) v.select(0, i).zero_();
      }
    }
    bcast(v, cyclic.owner(block), comm);
    if (z.size(1) == 0) continue;
    const at::Tensor part = z.narrow(0, first + 1, n - first - 1);
    const at::Tensor inverse = triangle_of(v, reduction.tau.data() + first);
    const at::Tensor inner = at::_ops::linalg_solve_triangular::call(
        inverse, v.conj().matmul(part), /*upper=*/true, /*left=*/true, /*unitriangular=*/false);
    part.addmm_(v.t(), inner, 1, -1);
  }
}

}  // namespace eh
