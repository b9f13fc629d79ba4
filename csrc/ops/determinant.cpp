// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_det_ops.h>
#include <ATen/ops/linalg_slogdet_ops.h>
#include <ATen/ops/real_ops.h>

#include "array/autograd.hpp"
#include "array/contraction.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "ops/matmul.hpp"
#include "ops/qr.hpp"
#include "ops/samples.hpp"
#include "ops/solvers.hpp"
#include "ops/stacks.hpp"

namespace eh {
namespace {

/// The trace of a^-1 da as a linear expression of a: the logarithm's derivative.
at::Tensor logarithmic(const DNDarray& a) {
  const DNDarray inverse = matrix_transpose(inv(constant(a)));
  const at::Tensor same = redistribute(inverse, a.layout_ptr()).local();
  return sum_partials(same.mul(a.local()).sum(), a.comm_ptr());
}

SignLog slogdet_large(const DNDarray& a) {
  const Cyclic cyclic = elimination_panels(a.shape()[0], a.comm().size());
  const Eliminated lu = eliminate(deal_columns(constant(a), cyclic), cyclic, a.comm());
  const CommPtr& comm = a.comm_ptr();
  at::Tensor sign = allreduce(lu.diagonal.sgn().prod(std::nullopt), ReduceOp::Prod, *comm);
  if (lu.odd) sign = sign.neg();
  at::Tensor log = allreduce(lu.diagonal.abs().log().sum(), ReduceOp::Sum, *comm);
  if (needs_grad(a.local())) {
    const at::Tensor t = logarithmic(a);
    log = gradient_through(log, t.is_complex() ? at::_ops::real::call(t) : t, "det");
    if (sign.is_complex()) sign = gradient_through(sign, t.sub(at::_ops::real::call(t)).mul(sign), "det");
  }
  return {replicated(sign, comm), replicated(log, comm)};
}

/// One number of every matrix, replicated if the matrices were split.
DNDarray per_matrix(const at::Tensor& values, const DNDarray& whole, const DNDarray& a) {
  const int ndim = whole.ndim();
  const DNDarray result(values, share(whole.layout().reduced({ndim - 2, ndim - 1}, false)), a.comm_ptr());
  return is_split_within(a) ? resplit(result, kNoSplit) : result;
}

}  // namespace

SignLog slogdet(const DNDarray& x) {
  check_square(x, "slogdet");
  const DNDarray a = to_factorable(x);
  if (is_large_matrix(a, whole_up_to(Work::Factors, a))) return slogdet_large(a);
  const DNDarray whole = whole_matrices(a);
  const auto [sign, log] = at::_ops::linalg_slogdet::call(whole.local());
  return {per_matrix(sign, whole, a), per_matrix(log, whole, a)};
}

DNDarray det(const DNDarray& x) {
  check_square(x, "det");
  const DNDarray a = to_factorable(x);
  if (is_large_matrix(a, whole_up_to(Work::Factors, a))) {
    const SignLog parts = slogdet_large(a);
    return parts.sign.with_local(parts.sign.local().mul(parts.logabsdet.local().exp()));
  }
  const DNDarray whole = whole_matrices(a);
  return per_matrix(at::_ops::linalg_det::call(whole.local()), whole, a);
}

}  // namespace eh
