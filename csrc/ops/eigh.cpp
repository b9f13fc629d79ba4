// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/real_ops.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "array/autograd.hpp"
#include "array/contraction.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "ops/matmul.hpp"
#include "ops/selection.hpp"
#include "ops/spectral.hpp"
#include "ops/tridiagonal.hpp"
#include "ops/vectors.hpp"

namespace eh {
namespace {

/// Columns of a panel: products within a panel are every rank's, so that it is narrow.
constexpr std::int64_t kPanel = 32;

/// Makes the largest element 1 if squares of elements might over- or underflow; what it was divided by.
double normalise(const at::Tensor& columns, const Communicator& comm) {
  double own = columns.numel() > 0 ? columns.abs().max().item().toDouble() : 0;
  double most = 0;
  comm.allreduce({&own, 1, DType::Float64}, {&most, 1, DType::Float64}, ReduceOp::Max);
  EH_CHECK(std::isfinite(most), LinAlgError, "eigh: the matrix has NaN or infinite entries");
  if (most == 0 || (most > 1e-12 && most < 1e12)) return 1;
  columns.div_(most);
  return most;
}

DNDarray replicated_values(const std::vector<double>& values, double scale, const DNDarray& a) {
  at::Tensor host = a.local().new_empty({static_cast<std::int64_t>(values.size())}, at::kDouble);
  std::copy(values.begin(), values.end(), host.mutable_data_ptr<double>());
  const at::Tensor real = host.mul(scale).to(c10::toRealValueType(a.local().scalar_type()));
  return {real, share(Layout::replicated(shape_of(real), a.comm().size())), a.comm_ptr()};
}

/// Rows of the tridiagonal matrix's eigenvectors become columns, are reflected and go where a is split.
DNDarray reflected(const TridiagonalEigen& eigen, const Tridiagonalised& reduction, const Cyclic& cyclic,
                   const DNDarray& a) {
  const LayoutPtr by_rows = share(Layout::balanced(a.shape(), 0, a.comm().size()));
  const DNDarray z(eigen.rows.t().contiguous(), by_rows, a.comm_ptr());
  const DNDarray columns = resplit(z, 1);
  const at::Tensor basis = columns.local().to(a.local().scalar_type()).contiguous();
  apply_reflections(reduction, cyclic, basis, a.comm());
  return redistribute(columns.with_local(basis), a.layout_ptr());
}

/// With a v = v w: dw is the diagonal of m = v^H da v, dv = v (f m) with f_ij = 1 / (w_j - w_i), f_ii = 0.
EigenPairs with_derivative(const DNDarray& values, const DNDarray& vectors, const DNDarray& a) {
  const DNDarray m = matmul_to(matmul_to(adjoint(vectors), a, a.layout_ptr()), vectors, a.layout_ptr());
  const DNDarray diagonal = redistribute(matrix_diagonal(m, 0), values.layout_ptr());
  const at::Tensor w = values.local();
  const Layout& layout = a.layout();
  const std::int64_t first = layout.offset(a.comm().rank());
  const std::int64_t count = layout.count(a.comm().rank());
  const at::Tensor part = w.narrow(0, first, count);
  at::Tensor gaps =
      layout.split() == 0 ? w.unsqueeze(0).sub(part.unsqueeze(1)) : part.unsqueeze(0).sub(w.unsqueeze(1));
  gaps.diagonal(layout.split() == 0 ? first : -first, 0, 1).fill_(std::numeric_limits<double>::infinity());
  const DNDarray turned = m.with_local(m.local().div(gaps));
  const at::Tensor& change = diagonal.local();
  const at::Tensor real = change.is_complex() ? at::_ops::real::call(change) : change;
  return {values.with_local(gradient_through(w, real, "eigh")),
          vectors.with_local(gradient_through(
              vectors.local(), matmul_to(vectors, turned, vectors.layout_ptr()).local(), "eigh"))};
}

}  // namespace

EigenPairs eigh_large(const DNDarray& a, bool vectors) {
  const Communicator& comm = a.comm();
  const Cyclic cyclic(a.shape()[0], std::min(kPanel, linalg_tuning().width), comm.size());
  const at::Tensor columns = deal_columns(constant(a), cyclic);
  const double scale = normalise(columns, comm);
  const Tridiagonalised reduction = tridiagonalise(columns, cyclic, comm);
  if (!vectors && !needs_grad(a.local())) {
    return {replicated_values(tridiagonal_eigenvalues(reduction.t, comm), scale, a), std::nullopt};
  }
  const at::Tensor like = a.local().new_empty({0}, c10::toRealValueType(a.local().scalar_type()));
  const TridiagonalEigen eigen =
      divide_and_conquer(reduction.t, chunk(a.shape()[0], comm.size(), comm.rank()), like, comm);
  const EigenPairs pairs = {replicated_values(eigen.values, scale, a),
                            reflected(eigen, reduction, cyclic, a)};
  return needs_grad(a.local()) ? with_derivative(pairs.values, *pairs.vectors, a) : pairs;
}

}  // namespace eh
