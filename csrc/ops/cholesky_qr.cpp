// SPDX-License-Identifier: BSD-3-Clause
#include "ops/cholesky_qr.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_cholesky_ex_ops.h>
#include <ATen/ops/linalg_solve_triangular_ops.h>

#include "array/products.hpp"
#include "array/tensor_comm.hpp"

namespace eh {
namespace {

/// Rows of more bytes are factored as fast by reflectors, whose updates then are products as well.
constexpr std::int64_t kRowBytes = 256;
/// Elements below which two allreduces cost more than the reflectors.
constexpr std::int64_t kWork = std::int64_t{1} << 15;

/// Upper triangle of the Gram matrix of all ranks' rows, and behind it on how many ranks `failed`.
struct Gram {
  at::Tensor matrix;
  double failed;
};

Gram gram_of(const at::Tensor& block, bool failed, const Communicator& comm) {
  const std::int64_t n = block.size(1);
  const at::Tensor both = block.new_empty({n * n + 1});
  both.narrow(0, 0, n * n).copy_(matrix_product(block.mH(), block).reshape({n * n}));
  both.narrow(0, n * n, 1).fill_(failed ? 1.0 : 0.0);
  const at::Tensor sum = comm.size() > 1 ? allreduce(both, ReduceOp::Sum, comm) : both;
  const double ranks = sum.select(0, n * n).item().toComplexDouble().real();
  return {sum.narrow(0, 0, n * n).view({n, n}), ranks};
}

struct Root {
  at::Tensor upper;
  bool failed;
};

Root root_of(const at::Tensor& gram) {
  const auto [upper, code] = at::_ops::linalg_cholesky_ex::call(gram, /*upper=*/true, /*check_errors=*/false);
  return {upper, code.item<std::int64_t>() != 0};
}

at::Tensor identity(const at::Tensor& like) {
  at::Tensor one = at::Tensor(like.new_zeros({like.size(0), like.size(0)}));
  one.diagonal().fill_(1);
  return one;
}

at::Tensor solved(const at::Tensor& triangle, const at::Tensor& rhs, bool upper) {
  return at::_ops::linalg_solve_triangular::call(triangle, rhs, upper, /*left=*/true,
                                                 /*unitriangular=*/false);
}

/// block upper^-1: a product with the inverse, several times as fast as a substitution, where that costs no digits
/// (Skeel's condition number, which scales of columns do not change, is small).
at::Tensor divided(const at::Tensor& block, const at::Tensor& upper) {
  constexpr double kCondition = 16;
  const at::Tensor inverse = solved(upper, identity(upper), /*upper=*/true);
  const at::Tensor condition = inverse.abs().matmul(upper.abs()).sum(1).max();
  if (condition.item<double>() <= kCondition) return matrix_product(block, inverse);
  return solved(upper.mT(), block.mT(), /*upper=*/false).mT();
}

/// Largest |element| of gram - 1, an exact comparison: the same on every rank that has the same bits.
bool is_near_one(const at::Tensor& gram) {
  const double limit = 0.25 / static_cast<double>(gram.size(0));
  return gram.sub(identity(gram)).abs().max().item<double>() <= limit;  // false for NaN
}

}  // namespace

bool prefers_cholesky_qr(const DNDarray& a) {
  const std::int64_t m = a.shape()[0];
  const std::int64_t n = a.shape()[1];
  return n > 0 && n * a.local().element_size() <= kRowBytes && m >= 16 * n && m * n >= kWork;
}

std::optional<Factors> cholesky_qr(const DNDarray& a, bool want_q) {
  const Communicator& comm = a.comm();
  const Layout& layout = a.layout();
  const std::int64_t n = a.shape()[1];
  const Root first = root_of(gram_of(a.local(), false, comm).matrix);
  at::Tensor q = first.failed ? a.local() : divided(a.local(), first.upper);
  const Gram gram = gram_of(q, first.failed, comm);
  if (gram.failed != 0 || !is_near_one(gram.matrix)) return std::nullopt;
  const Root second = root_of(gram.matrix);
  q = want_q ? divided(q, second.upper) : q.narrow(1, 0, 0);
  const at::Tensor r = second.upper.matmul(first.upper).triu();
  return Factors{{q, share(layout.with_shape({a.shape()[0], q.size(1)}, 0)), a.comm_ptr()},
                 {r, share(Layout::replicated({n, n}, layout.nranks())), a.comm_ptr()}};
}

}  // namespace eh
