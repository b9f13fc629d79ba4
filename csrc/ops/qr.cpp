// SPDX-License-Identifier: BSD-3-Clause
#include "ops/qr.hpp"

#include <ATen/core/IListRef.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat_ops.h>
#include <ATen/ops/linalg_solve_triangular_ops.h>
#include <ATen/ops/view_as_complex_ops.h>
#include <ATen/ops/view_as_real_ops.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "array/autograd.hpp"
#include "array/contraction.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/dtype.hpp"
#include "base/error.hpp"
#include "ops/dealt.hpp"
#include "ops/householder.hpp"
#include "ops/matmul.hpp"

namespace eh {
namespace {

/// Stacked triangles of a tall matrix may take this many elements whatever the block's size.
constexpr std::int64_t kSmallStack = std::int64_t{1} << 14;

/// A factorisation local to the stacked triangles: worth it while the stack is no larger than half a block.
bool is_tall(std::int64_t m, std::int64_t n, int nranks) {
  const std::int64_t rows = (m + nranks - 1) / nranks;
  const std::int64_t stacked = nranks * std::min(rows, n) * n;
  return m >= n && stacked <= std::max(rows * n / 2, kSmallStack);
}

/// x / |x|, and 1 for 0. torch loses the direction of complex numbers whose squares underflow: scaled first, by parts.
at::Tensor phases(const at::Tensor& diagonal) {
  at::Tensor x = diagonal.detach();
  if (x.is_complex()) {
    const at::Tensor parts = at::_ops::view_as_real::call(x.resolve_conj());
    const at::Tensor largest = parts.abs().amax(-1, /*keepdim=*/true);
    x = at::_ops::view_as_complex::call(parts.div(largest.masked_fill(largest.eq(0), 1)));
  }
  const at::Tensor sign = x.sgn();
  return sign.masked_fill(sign.eq(0), 1);
}

/// The diagonal of a matrix split along columns, replicated.
at::Tensor diagonal_of(const DNDarray& r) {
  const Layout& layout = r.layout();
  const std::int64_t k = std::min(r.shape()[0], r.shape()[1]);
  Counts counts;
  for (int rank = 0; rank < layout.nranks(); ++rank) {
    counts.push_back(std::clamp<std::int64_t>(k - layout.offset(rank), 0, layout.count(rank)));
  }
  const auto rank = static_cast<std::size_t>(r.comm().rank());
  at::Tensor own = r.local().narrow(1, 0, counts[rank]);
  own = own.narrow(0, std::min(layout.offset(r.comm().rank()), k), counts[rank]).diagonal();
  return allgather(own.contiguous(), 0, counts, r.comm());
}

/// The scale of k leading rows or columns, and 1 for the others.
at::Tensor extended(const at::Tensor& scale, std::int64_t length) {
  Shape shape = shape_of(scale);
  const std::int64_t k = std::exchange(shape.back(), length);
  at::Tensor all = at::Tensor(scale.new_ones(sizes(shape)));
  all.narrow(-1, 0, k).copy_(scale);
  return all;
}

DNDarray scale_rows(const DNDarray& r, const at::Tensor& scale) {
  return r.with_local(r.local().mul(extended(scale, r.shape()[0]).unsqueeze(1)));
}

DNDarray scale_columns(const DNDarray& q, const at::Tensor& scale) {
  const at::Tensor all = extended(scale, q.shape()[1]);
  if (q.split() != 1) return q.with_local(q.local().mul(all));
  const int rank = q.comm().rank();
  return q.with_local(q.local().mul(all.narrow(0, q.layout().offset(rank), q.layout().count(rank))));
}

Factors normalised(const Factors& f) {
  const at::Tensor phase = phases(f.r.split() == 1 ? diagonal_of(f.r) : f.r.local().diagonal());
  return {f.q.shape()[1] > 0 ? scale_columns(f.q, phase) : f.q, scale_rows(f.r, phase.conj())};
}

/// Extents of q and r beside a's.
struct Sizes {
  std::string mode;
  std::int64_t q_columns;
  std::int64_t r_rows;

  bool want_q() const { return mode != "r"; }
};

Sizes sizes_of(const DNDarray& a, const std::string& mode) {
  const std::int64_t m = a.shape()[0];
  const std::int64_t k = std::min(m, a.shape()[1]);
  return {mode, mode == "r" ? 0 : mode == "complete" ? m : k, mode == "complete" ? m : k};
}

/// Every rank has whole matrices: torch's factorisation of each.
QRFactors factor_whole(const DNDarray& a, const std::string& mode) {
  const auto [q, r] = lapack_qr(a.local(), mode.c_str());
  const at::Tensor phase = phases(r.diagonal(0, -2, -1));
  const auto wrap = [&](const at::Tensor& x) {
    Shape shape = a.shape();
    shape[shape.size() - 2] = x.size(-2);
    shape[shape.size() - 1] = x.size(-1);
    return DNDarray(x, share(a.layout().with_shape(std::move(shape), a.split())), a.comm_ptr());
  };
  const DNDarray upper = wrap(r.mul(extended(phase.conj(), r.size(-2)).unsqueeze(-1)));
  if (mode == "r") return {std::nullopt, upper};
  return {wrap(q.mul(extended(phase, q.size(-1)).unsqueeze(-2))), upper};
}

/// Layout of q for an a split along columns.
LayoutPtr columns_of_q(const DNDarray& a, const Shape& shape) {
  return share(shape[1] == a.shape()[1] ? a.layout().with_shape(shape, 1)
                                        : Layout::balanced(shape, 1, a.comm().size()));
}

/// A matrix that LAPACK factors sooner than messages could go to and fro: every rank factors all of it.
Factors factor_gathered(const DNDarray& a, const std::string& mode) {
  const QRFactors f = factor_whole(resplit(a, kNoSplit), mode);
  const DNDarray r = a.split() == 0 ? f.r : redistribute(f.r, share(a.layout().with_shape(f.r.shape(), 1)));
  if (!f.q) return {r, r};  // nobody asked for q
  const LayoutPtr layout =
      a.split() == 0 ? share(a.layout().with_shape(f.q->shape(), 0)) : columns_of_q(a, f.q->shape());
  return {redistribute(*f.q, layout), r};
}

/// Gathered sooner than split: few elements, and not so tall that the ranks' own factorisations and the one of their
/// stacked triangles, (m / p + p n) n^2, are less work than the whole, m n^2.
bool is_gathered(const DNDarray& a, bool reduced) {
  const std::int64_t p = a.comm().size();
  const bool tall = reduced && (p - 1) * a.shape()[0] >= p * p * a.shape()[1];
  return a.layout().size() <= whole_up_to(Work::Factors, a) && !tall;
}

/// Rows of one matrix, without gradients: q split 0 (a's extents where it has as many rows), r replicated.
Factors factor_rows(const DNDarray& a, const Sizes& size) {
  const bool reduced = size.r_rows == std::min(a.shape()[0], a.shape()[1]);
  if (is_gathered(a, reduced)) return factor_gathered(a, size.mode);
  if (reduced && is_tall(a.shape()[0], a.shape()[1], a.comm().size()))
    return normalised(tall_skinny_qr(a, size.want_q()));
  const Factors f = normalised(householder_qr(a, size.q_columns, size.r_rows));
  return {redistribute(f.q, share(a.layout().with_shape(f.q.shape(), 0))), resplit(f.r, kNoSplit)};
}

/// The same for a split along columns; q and r split along columns.
Factors factor_columns(const DNDarray& a, const Sizes& size) {
  const bool reduced = size.r_rows == std::min(a.shape()[0], a.shape()[1]);
  if (is_gathered(a, reduced)) return factor_gathered(a, size.mode);
  if (!reduced || !is_tall(a.shape()[0], a.shape()[1], a.comm().size()))
    return normalised(householder_qr(a, size.q_columns, size.r_rows));
  const Factors f = normalised(tall_skinny_qr(resplit(a, 0), size.want_q()));
  return {size.want_q() ? redistribute(f.q, a.layout_ptr()) : f.q,
          redistribute(f.r, share(a.layout().with_shape(f.r.shape(), 1)))};
}

/// Upper triangle u with real diagonal of x = u + skew-Hermitian.
at::Tensor upper_part(const at::Tensor& x) {
  const at::Tensor sum = x.add(x.mH());
  return sum.triu().sub(sum.diagonal().mul(0.5).diag_embed());
}

/// Factors of a tall matrix split along rows with their derivative: with M = A R^-1 and U the upper part of Q^H M,
/// dR = dU R and dQ = dM - Q dU (Q and R constant).
Factors differentiable_tall(const DNDarray& a) {
  const CommPtr& comm = a.comm_ptr();
  const Factors f = factor_rows(a.with_local(a.local().detach()), {"reduced", a.shape()[1], a.shape()[1]});
  const at::Tensor& q = f.q.local();
  const at::Tensor& r = f.r.local();
  const at::Tensor m = at::_ops::linalg_solve_triangular::call(r, a.local(), /*upper=*/true, /*left=*/false,
                                                               /*unitriangular=*/false);
  const at::Tensor u = upper_part(sum_partials(q.mH().matmul(m), comm));
  return {f.q.with_local(gradient_through(q, m.sub(q.matmul(enter_partial(u, comm))), "qr")),
          f.r.with_local(gradient_through(r, u.matmul(r), "qr"))};
}

/// The first m columns decide q; the others are projected on it.
Factors differentiable_wide(const DNDarray& a) {
  const std::int64_t m = a.shape()[0];
  const std::int64_t rest = a.shape()[1] - m;
  const auto columns = [&](std::int64_t begin, std::int64_t count) {
    return DNDarray(a.local().narrow(1, begin, count), share(a.layout().with_shape({m, count}, 0)),
                    a.comm_ptr());
  };
  const Factors f = differentiable_tall(columns(0, m));
  const LayoutPtr layout = share(Layout::replicated({m, rest}, a.comm().size()));
  const DNDarray right = matmul_to(adjoint(f.q), columns(m, rest), layout);
  const std::vector<at::Tensor> parts = {f.r.local(), right.local()};
  const LayoutPtr whole = share(Layout::replicated(a.shape(), a.comm().size()));
  return {f.q, {at::_ops::cat::call(at::ITensorListRef(parts), 1), whole, a.comm_ptr()}};
}

Factors differentiable(const DNDarray& a, const Sizes& size) {
  EH_CHECK(size.r_rows == std::min(a.shape()[0], a.shape()[1]), NotSupported,
           "qr: mode 'complete' of a tall matrix has no gradient; use mode 'reduced'");
  const DNDarray rows = a.split() == 0 ? a : resplit(a, 0);
  const Factors f = a.shape()[0] >= a.shape()[1] ? differentiable_tall(rows) : differentiable_wide(rows);
  if (a.split() == 0) return f;
  return {redistribute(f.q, columns_of_q(a, f.q.shape())),
          redistribute(f.r, share(a.layout().with_shape(f.r.shape(), 1)))};
}

/// A stack split within its matrices: whole matrices are dealt out along the first axis.
QRFactors factor_stack(const DNDarray& a, const std::string& mode) {
  const QRFactors f = factor_whole(resplit(a, 0), mode);
  const DNDarray r = a.split() == a.ndim() - 1 ? resplit(f.r, a.split()) : f.r;
  if (!f.q) return {std::nullopt, r};
  return {resplit(*f.q, a.split()), r};
}

}  // namespace

DNDarray to_factorable(const DNDarray& x) {
  const DType dtype = dtype_of(x.local().scalar_type());
  if (is_inexact(dtype) && size_of(dtype) >= 4) return x;
  return x.with_local(x.local().to(at::kFloat));
}

QRFactors qr(const DNDarray& x, const std::string& mode) {
  EH_CHECK(mode == "reduced" || mode == "complete" || mode == "r", ValueError, "qr: unknown mode '", mode,
           "'; choose 'reduced', 'complete' or 'r'");
  EH_CHECK(x.ndim() >= 2, ValueError, "qr: needs at least 2 dimensions, the array has ", x.ndim());
  const DNDarray a = to_factorable(x);
  const bool within = a.split() >= a.ndim() - 2;
  if (!within) return factor_whole(a, mode);
  if (a.ndim() > 2) return factor_stack(a, mode);
  const Sizes size = sizes_of(a, mode);
  const Factors f = needs_grad(a.local()) ? differentiable(a, size)
                    : a.split() == 0      ? factor_rows(a, size)
                                          : factor_columns(a, size);
  if (mode == "r") return {std::nullopt, f.r};
  return {f.q, f.r};
}

}  // namespace eh
