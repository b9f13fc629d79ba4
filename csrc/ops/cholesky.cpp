// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_cholesky_ex_ops.h>
#include <ATen/ops/linalg_solve_triangular_ops.h>

#include <utility>

#include "array/autograd.hpp"
#include "array/contraction.hpp"
#include "array/products.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "ops/matmul.hpp"
#include "ops/matrix.hpp"
#include "ops/qr.hpp"
#include "ops/solvers.hpp"
#include "ops/stacks.hpp"

namespace eh {
namespace {

/// Right-looking factorisation in panels of columns dealt out over ranks, in place.
class Factorisation {
 public:
  Factorisation(const at::Tensor& columns, const Cyclic& cyclic, const Communicator& comm)
      : columns_(columns), cyclic_(cyclic), comm_(comm) {}

  /// False as soon as a panel says that the matrix is not positive definite; the same on all ranks.
  bool run() {
    Panel current = begin(0);
    for (int block = 0; block < cyclic_.nblocks(); ++block) {
      current.request.wait();
      const std::int64_t rows = current.data.size(0) - 1;
      if (current.data.select(0, rows).select(0, 0).ne(0).item<bool>()) return false;
      Panel next;
      if (block + 1 < cyclic_.nblocks()) {
        if (mine(block + 1)) update(current.data, block, block + 1);
        next = begin(block + 1);
      }
      for (int other = block + 2; other < cyclic_.nblocks(); ++other) {
        if (!mine(other)) continue;
        update(current.data, block, other);
        next.request.test();  // messages are passed on only while MPI is called
      }
      current = std::move(next);
    }
    return true;
  }

 private:
  bool mine(int block) const { return cyclic_.owner(block) == comm_.rank(); }

  at::Tensor own(int block) const {
    const std::int64_t first = cyclic_.begin(block);
    return columns_.narrow(1, cyclic_.local_begin(block), cyclic_.width(block))
        .narrow(0, first, cyclic_.extent() - first);
  }

  /// The panel from the diagonal on, on its way to all ranks, with LAPACK's verdict in one more row.
  Panel begin(int block) {
    if (block >= cyclic_.nblocks()) return {};
    const std::int64_t width = cyclic_.width(block);
    const std::int64_t rows = cyclic_.extent() - cyclic_.begin(block);
    Panel panel{columns_.new_zeros({rows + 1, width}), {}};
    if (mine(block)) {
      const at::Tensor part = panel.data.narrow(0, 0, rows);
      part.copy_(own(block));  // LAPACK reads it down the columns, which takes long where they lie far apart
      const at::Tensor first = part.narrow(0, 0, width), rest = part.narrow(0, width, rows - width);
      const auto [top, info] =
          at::_ops::linalg_cholesky_ex::call(first, /*upper=*/false, /*check_errors=*/false);
      first.copy_(top);
      at::Tensor solved = rest;
      at::_ops::linalg_solve_triangular_out::call(top.mH(), rest, /*upper=*/true, /*left=*/false,
                                                  /*unitriangular=*/false, solved);
      own(block).copy_(part);
      panel.data.select(0, rows).copy_(info.ne(0));
    }
    if (comm_.size() > 1) panel.request = comm_.ibcast(buffer(panel.data), cyclic_.owner(block));
    return panel;
  }

  void update(const at::Tensor& panel, int block, int other) {
    const std::int64_t skip = cyclic_.begin(other) - cyclic_.begin(block);
    const at::Tensor left = panel.narrow(0, skip, panel.size(0) - 1 - skip);
    update_product(own(other), left, left.narrow(0, 0, cyclic_.width(other)).mH(), true);
  }

  const at::Tensor& columns_;
  const Cyclic& cyclic_;
  const Communicator& comm_;
};

void clear_above(const at::Tensor& columns, const Cyclic& cyclic, int rank) {
  for (int block = rank; block < cyclic.nblocks(); block += cyclic.nranks()) {
    columns.narrow(1, cyclic.local_begin(block), cyclic.width(block)).tril_(-cyclic.begin(block));
  }
}

void check_definite(bool definite) {
  EH_CHECK(definite, LinAlgError, "cholesky: Matrix is not positive definite");
}

/// Lower factor of a large matrix, in a's layout or, for its adjoint, in the transposed one.
DNDarray factor_large(const DNDarray& a, const LayoutPtr& layout) {
  const Cyclic cyclic(a.shape()[0], linalg_tuning().width, a.comm().size());
  const at::Tensor columns = deal_columns(a, cyclic, Counted::Lower);
  check_definite(Factorisation(columns, cyclic, a.comm()).run());
  clear_above(columns, cyclic, a.comm().rank());
  return collect_columns(columns, cyclic, layout, a.comm_ptr(), Counted::Lower);
}

/// l with its derivative: dl = l phi(l^-1 da l^-H), phi the lower triangle with half the diagonal.
DNDarray with_derivative(const DNDarray& l, const DNDarray& a) {
  const DNDarray inverse = inv(l);
  const DNDarray symmetric =
      a.with_local(a.local().add(redistribute(adjoint(a), a.layout_ptr()).local()).mul(0.5));
  const DNDarray left = matmul_to(inverse, symmetric, a.layout_ptr());
  const DNDarray middle = matmul_to(left, adjoint(inverse), a.layout_ptr());
  const DNDarray lower = middle.with_local(tril(middle, 0).local().add(tril(middle, -1).local()).mul(0.5));
  return l.with_local(gradient_through(l.local(), matmul_to(l, lower, l.layout_ptr()).local(), "cholesky"));
}

}  // namespace

DNDarray cholesky(const DNDarray& x, bool upper) {
  check_square(x, "cholesky");
  const DNDarray a = to_factorable(x);
  if (!is_large_matrix(a, whole_up_to(Work::Factors, a))) {
    const DNDarray whole = whole_matrices(a);
    const auto [l, info] =
        at::_ops::linalg_cholesky_ex::call(whole.local(), /*upper=*/false, /*check_errors=*/false);
    check_definite(agreed(info, a.comm()) == 0);
    return redistribute(whole.with_local(upper ? l.mH() : l), a.layout_ptr());
  }
  const LayoutPtr layout = upper ? share(a.layout().permuted({1, 0})) : a.layout_ptr();
  DNDarray l = factor_large(constant(a), needs_grad(a.local()) ? a.layout_ptr() : layout);
  if (needs_grad(a.local())) l = redistribute(with_derivative(l, a), layout);
  return upper ? adjoint(l) : l;
}

}  // namespace eh
