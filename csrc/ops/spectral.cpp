// SPDX-License-Identifier: BSD-3-Clause
#include "ops/spectral.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_eig_ops.h>
#include <ATen/ops/linalg_eigh_ops.h>
#include <ATen/ops/linalg_eigvals_ops.h>
#include <ATen/ops/linalg_eigvalsh_ops.h>
#include <ATen/ops/linalg_matrix_exp_ops.h>
#include <ATen/ops/linalg_svd_ops.h>
#include <ATen/ops/linalg_svdvals_ops.h>
#include <c10/util/Exception.h>

#include <algorithm>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "ops/matmul.hpp"
#include "ops/qr.hpp"
#include "ops/stacks.hpp"

namespace eh {
namespace {

/// Runs LAPACK's iteration; if it fails on one rank, all ranks throw. Collective.
template <typename Local>
auto jointly(const char* fn, const Communicator& comm, const Local& local) {
  std::optional<decltype(local())> result;
  std::int64_t failed = 0;
  try {
    result = local();
  } catch (const c10::LinAlgError&) {
    failed = 1;
  }
  if (comm.size() > 1) {
    std::int64_t worst = 0;
    comm.allreduce({&failed, 1, DType::Int64}, {&worst, 1, DType::Int64}, ReduceOp::Max);
    failed = worst;
  }
  EH_CHECK(failed == 0, LinAlgError, fn,
           ": the iteration did not converge; are there NaN or infinite entries?");
  return *result;
}

void check_matrix(const DNDarray& x, const char* fn) {
  EH_CHECK(x.ndim() >= 2, LinAlgError, fn, ": needs at least 2 dimensions, the array has ", x.ndim());
}

/// A result of LAPACK on whole matrices, with their batch axes and split.
DNDarray like_stack(const at::Tensor& local, const DNDarray& whole) {
  Shape shape(whole.shape().begin(), whole.shape().end() - 2);
  const auto nbatch = static_cast<std::int64_t>(shape.size());
  for (std::int64_t axis = nbatch; axis < local.dim(); ++axis) shape.push_back(local.size(axis));
  const bool batch = whole.layout().is_split() && whole.split() < nbatch;
  return {local,
          share(batch ? whole.layout().with_shape(std::move(shape), whole.split())
                      : Layout::replicated(std::move(shape), whole.comm().size())),
          whole.comm_ptr()};
}

/// At one rank the split is a label that results of a's shape keep.
DNDarray with_split_of(const DNDarray& x, const DNDarray& a) {
  return x.shape() == a.shape() ? redistribute(x, a.layout_ptr()) : x;
}

SVDFactors svd_whole(const DNDarray& a, bool full, bool vectors) {
  const DNDarray whole = whole_matrices(a);
  if (!vectors) {
    const at::Tensor s =
        jointly("svd", a.comm(), [&] { return at::_ops::linalg_svdvals::call(whole.local(), std::nullopt); });
    return {std::nullopt, like_stack(s, whole), std::nullopt};
  }
  const auto [u, s, vh] =
      jointly("svd", a.comm(), [&] { return at::_ops::linalg_svd::call(whole.local(), full, std::nullopt); });
  return {like_stack(u, whole), like_stack(s, whole), like_stack(vh, whole)};
}

/// A factor with the axis along which a is split, or a square one of that extent.
DNDarray split_as(const DNDarray& factor, const DNDarray& a) {
  const int split = a.split();
  const Shape& shape = factor.shape();
  const bool same = shape[at(split)] == a.shape()[at(split)];
  return redistribute(factor, share(same ? a.layout().with_shape(shape, split)
                                         : Layout::balanced(shape, split, a.comm().size())));
}

/// A tall split matrix: u split as a, the rest replicated.
SVDFactors svd_tall(const DNDarray& a, bool full, bool vectors) {
  if (5 * a.shape()[0] <= 6 * a.shape()[1]) {  // r would be as large
    SVDFactors whole = svd_whole(resplit(a, kNoSplit), full, vectors);
    if (vectors) whole.u = split_as(*whole.u, a);
    return whole;
  }
  const QRFactors f = qr(a, vectors ? "reduced" : "r");
  SVDFactors small = svd_whole(resplit(f.r, kNoSplit), /*full=*/false, vectors);
  if (!vectors) return small;
  DNDarray u = matmul_to(*f.q, *small.u, a.layout_ptr());
  // With orthonormal columns r is the identity, so that the first columns of q are those of u.
  if (full && a.shape()[0] > a.shape()[1]) u = *qr(u, "complete").q;
  return {u, small.s, small.vh};
}

}  // namespace

bool is_large_svd(const DNDarray& a) {
  if (a.ndim() != 2 || !is_split_within(a)) return false;
  const std::int64_t n = std::min(a.shape()[0], a.shape()[1]);
  return n * n > whole_up_to(Work::SingularValues, a);
}

SVDFactors svd(const DNDarray& x, bool full_matrices, bool vectors) {
  check_matrix(x, "svd");
  const DNDarray a = to_factorable(x);
  if (a.ndim() > 2 || !is_split_within(a)) {
    SVDFactors f = svd_whole(a, full_matrices, vectors);
    if (vectors && a.ndim() == 2 &&
        a.layout().is_split()) {  // one rank: the label that many ranks would give
      std::optional<DNDarray>& longer = a.shape()[0] >= a.shape()[1] ? f.u : f.vh;
      longer = split_as(*longer, a);
    }
    return f;
  }
  if (a.shape()[0] >= a.shape()[1]) return svd_tall(a, full_matrices, vectors);
  const SVDFactors f = svd_tall(adjoint(a), full_matrices, vectors);
  if (!vectors) return f;
  return {adjoint(*f.vh), f.s, adjoint(*f.u)};
}

EigenPairs eigh(const DNDarray& x, bool upper, bool vectors) {
  check_square(x, "eigh");
  const DNDarray a = to_factorable(x);
  const Work work = vectors || needs_grad(a.local()) ? Work::Eigenvectors : Work::Eigenvalues;
  if (is_large_matrix(a, whole_up_to(work, a)))
    return eigh_large(upper && a.local().is_cpu() ? redistribute(adjoint(a), a.layout_ptr()) : a, vectors);
  const DNDarray whole = whole_matrices(a);
  const char* triangle = upper ? "U" : "L";
  if (!vectors) {
    const at::Tensor alone =
        jointly("eigh", a.comm(), [&] { return at::_ops::linalg_eigvalsh::call(whole.local(), triangle); });
    return {like_stack(alone, whole), std::nullopt};
  }
  const auto [values, basis] =
      jointly("eigh", a.comm(), [&] { return at::_ops::linalg_eigh::call(whole.local(), triangle); });
  return {like_stack(values, whole), with_split_of(like_stack(basis, whole), a)};
}

EigenPairs eig(const DNDarray& x, bool vectors) {
  check_square(x, "eig");
  const DNDarray a = to_factorable(x);
  const DNDarray whole = whole_matrices(a);
  if (!vectors) {
    const at::Tensor values =
        jointly("eigvals", a.comm(), [&] { return at::_ops::linalg_eigvals::call(whole.local()); });
    return {like_stack(values, whole), std::nullopt};
  }
  const auto [values, basis] =
      jointly("eig", a.comm(), [&] { return at::_ops::linalg_eig::call(whole.local()); });
  return {like_stack(values, whole), with_split_of(like_stack(basis, whole), a)};
}

DNDarray matrix_exp(const DNDarray& x) {
  check_square(x, "matrix_exp");
  const DNDarray a = to_factorable(x);
  const DNDarray whole = whole_matrices(a);
  return with_split_of(like_stack(at::_ops::linalg_matrix_exp::call(whole.local()), whole), a);
}

}  // namespace eh
