// SPDX-License-Identifier: BSD-3-Clause
#include "ops/solvers.hpp"

#include <ATen/core/IListRef.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat_ops.h>
#include <ATen/ops/linalg_inv_ex_ops.h>
#include <ATen/ops/linalg_solve_ex_ops.h>
#include <ATen/ops/linalg_solve_triangular_ops.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "array/autograd.hpp"
#include "array/contraction.hpp"
#include "array/movers.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/dtype.hpp"
#include "ops/matmul.hpp"
#include "ops/qr.hpp"
#include "ops/selection.hpp"
#include "ops/stacks.hpp"

namespace eh {
namespace {

at::Tensor beside(const at::Tensor& left, const at::Tensor& right) {
  const std::vector<at::Tensor> parts = {left, right};
  return at::_ops::cat::call(at::ITensorListRef(parts), 1);
}

Cyclic cyclic_of(const DNDarray& a) { return elimination_panels(a.shape()[0], a.comm().size()); }

/// The global indices of a rank's columns.
std::vector<std::int64_t> own_indices(const Cyclic& cyclic, int rank) {
  const std::vector<std::int64_t> order = cyclic.order();
  const std::int64_t first = offsets_of(cyclic.counts())[static_cast<std::size_t>(rank)];
  return {order.begin() + first, order.begin() + first + cyclic.count(rank)};
}

/// Columns with a one each.
at::Tensor unit_columns(const std::vector<std::int64_t>& ones, std::int64_t extent, const at::Tensor& like) {
  const at::Tensor columns = like.new_zeros({extent, static_cast<std::int64_t>(ones.size())});
  columns.scatter_(0, index_tensor(ones, like).unsqueeze(0), 1);
  return columns;
}

void check_regular(std::int64_t code, const char* fn) {
  EH_CHECK(code == 0, LinAlgError, fn, ": Singular matrix");
}

/// a^-1 rhs for a large matrix and own right-hand sides.
at::Tensor solve_dealt(const DNDarray& a, const at::Tensor& rhs, const Cyclic& cyclic, const char* fn) {
  const at::Tensor columns = beside(deal_columns(a, cyclic), rhs);
  const Eliminated lu = eliminate(columns, cyclic, a.comm());
  check_regular(agreed(lu.diagonal.eq(0), a.comm()), fn);
  const std::int64_t own = cyclic.count(a.comm().rank());
  const at::Tensor x = columns.narrow(1, own, rhs.size(1));
  substitute(columns.narrow(1, 0, own), cyclic, {/*upper=*/true, /*unit=*/false}, x, a.comm());
  return x;
}

/// Where the ones of the own columns of p (the identity with its rows exchanged) are, and the columns in that order.
struct Ones {
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> columns;  ///< among the own ones
};

Ones exchanged_ones(const Eliminated& lu, const Cyclic& cyclic, int rank) {
  std::vector<std::int64_t> places(lu.rows.size());
  for (std::size_t i = 0; i < lu.rows.size(); ++i)
    places[static_cast<std::size_t>(lu.rows[i])] = static_cast<std::int64_t>(i);
  std::vector<std::pair<std::int64_t, std::int64_t>> ones;
  for (const std::int64_t column : own_indices(cyclic, rank))
    ones.emplace_back(places[static_cast<std::size_t>(column)], static_cast<std::int64_t>(ones.size()));
  std::sort(ones.begin(), ones.end());
  Ones found;
  for (const auto& [row, column] : ones) {
    found.rows.push_back(row);
    found.columns.push_back(column);
  }
  return found;
}

/// u^-1 l^-1 p, which begins with columns of zeros and a one: 2 n^3 operations in all.
DNDarray inverse_dealt(const DNDarray& a, const LayoutPtr& layout) {
  const Cyclic cyclic = cyclic_of(a);
  const Eliminated lu = eliminate(deal_columns(a, cyclic), cyclic, a.comm(), /*keep_lower=*/true);
  check_regular(agreed(lu.diagonal.eq(0), a.comm()), "inv");
  const Ones ones = exchanged_ones(lu, cyclic, a.comm().rank());
  const at::Tensor x = unit_columns(ones.rows, cyclic.extent(), lu.columns);
  substitute_from(lu.columns, cyclic, x, ones.rows, a.comm());
  substitute(lu.columns, cyclic, {/*upper=*/true, /*unit=*/false}, x, a.comm());
  const at::Tensor sorted = movers::empty(shape_of(x), x);
  sorted.index_copy_(1, index_tensor(ones.columns, x), x);
  return collect_columns(sorted, cyclic, layout, a.comm_ptr());
}

/// Right-hand sides dealt out by columns, in memory of their own.
at::Tensor own_columns(const DNDarray& b) {
  return resplit(constant(b), 1).local().resolve_conj().clone(at::MemoryFormat::Contiguous);
}

DNDarray deliver_columns(const at::Tensor& x, const DNDarray& b, const LayoutPtr& to) {
  const LayoutPtr dealt = share(Layout::balanced(b.shape(), 1, b.comm().size()));
  return redistribute({x, dealt, b.comm_ptr()}, to);
}

bool either_needs_grad(const DNDarray& a, const DNDarray& b) {
  return needs_grad(a.local()) || needs_grad(b.local());
}

/// x = a^-1 b with its derivative: dx = a^-1 (db - da x).
DNDarray with_derivative(const DNDarray& x, const DNDarray& inverse, const DNDarray& a, const DNDarray& b) {
  const DNDarray change = matmul_to(a, x, b.layout_ptr());
  const DNDarray residual = b.with_local(b.local().sub(change.local()));
  const at::Tensor expression = matmul_to(inverse, residual, x.layout_ptr()).local();
  return x.with_local(gradient_through(x.local(), expression, needs_grad(a.local()) ? "solve" : ""));
}

DNDarray solve_large(const DNDarray& a, const DNDarray& b, const LayoutPtr& to) {
  const DNDarray x = deliver_columns(solve_dealt(constant(a), own_columns(b), cyclic_of(a), "solve"), b, to);
  if (!either_needs_grad(a, b)) return x;
  return with_derivative(x, inverse_dealt(constant(a), a.layout_ptr()), a, b);
}

at::Tensor substitute_dealt(const DNDarray& a, const at::Tensor& rhs, const Triangle& triangle) {
  const Cyclic cyclic = cyclic_of(a);
  substitute(deal_columns(a, cyclic), cyclic, triangle, rhs, a.comm());
  return rhs;
}

DNDarray solve_large_triangle(const DNDarray& a, const DNDarray& b, const Triangle& triangle,
                              const LayoutPtr& to) {
  const DNDarray x = deliver_columns(substitute_dealt(a, own_columns(b), triangle), b, to);
  if (!either_needs_grad(a, b)) return x;
  EH_CHECK(!needs_grad(a.local()), NotSupported,
           "solve_triangular: a large split matrix has no gradient; the right-hand side has");
  const Cyclic cyclic = cyclic_of(a);
  const at::Tensor identity = unit_columns(own_indices(cyclic, a.comm().rank()), cyclic.extent(), a.local());
  const at::Tensor inverse = substitute_dealt(a, identity, triangle);
  const DNDarray left = collect_columns(inverse, cyclic, a.layout_ptr(), a.comm_ptr());
  return x.with_local(gradient_through(x.local(), matmul_to(left, b, to).local(), ""));
}

/// Right-hand sides beside whole matrices: along columns where there are enough of them.
DNDarray beside_whole(const DNDarray& b) {
  if (!b.is_distributed() || b.split() == 1) return b;
  const bool few = b.shape()[1] < b.comm().size() || b.layout().size() <= linalg_tuning().small;
  return resplit(b, few ? kNoSplit : 1);
}

/// Where x goes for one matrix; see solvers.hpp.
LayoutPtr solution_layout(const DNDarray& a, const DNDarray& b) {
  if (b.layout().is_split() || !a.layout().is_split()) return b.layout_ptr();
  return share(a.layout().with_shape(b.shape(), 0));
}

DNDarray to_type(const DNDarray& x, at::ScalarType type) {
  return x.local().scalar_type() == type ? x : x.with_local(x.local().to(type));
}

struct System {
  DNDarray a;
  DNDarray b;
  bool vector;
};

/// The operands in one type that LAPACK has, b as matrices.
System system_of(const DNDarray& a, const DNDarray& b, const char* fn) {
  check_square(a, fn);
  EH_CHECK(a.comm_ptr() == b.comm_ptr(), ValueError, fn, ": the operands live on different communicators");
  EH_CHECK(b.ndim() > 0, ValueError, fn, ": the right-hand side is 0-dimensional");
  const bool vector = b.ndim() == 1;
  const std::int64_t rows = b.shape()[b.shape().size() - (vector ? 1 : 2)];
  EH_CHECK(rows == a.shape().back(), ValueError, fn, ": shapes ", to_string(a.shape()), " and ",
           to_string(b.shape()), " do not match: matrices of order ", a.shape().back(),
           " meet right-hand sides of ", rows, " rows");
  const DNDarray left = to_factorable(a);
  DNDarray right = to_factorable(b);
  const at::ScalarType type =
      scalar_type_of(promote(dtype_of(left.local().scalar_type()), dtype_of(right.local().scalar_type())));
  if (vector) {
    right = {right.local().unsqueeze(1), share(b.layout().with_shape({rows, 1}, b.split())), b.comm_ptr()};
  }
  return {to_type(left, type), to_type(right, type), vector};
}

DNDarray drop_column(const DNDarray& x) {
  Shape shape(x.shape().begin(), x.shape().end() - 1);
  return {x.local().squeeze(-1), share(x.layout().with_shape(std::move(shape), x.split())), x.comm_ptr()};
}

/// Stacks: whole matrices meet whole right-hand sides; b's split within its matrices is restored.
template <typename Local>
DNDarray solve_stacks(const DNDarray& a, const DNDarray& b, const char* fn, const Local& local) {
  const Stacks s = align_stacks(a, b, fn);
  const DNDarray x(local(s.a, s.b), s.layout, a.comm_ptr());
  if (!is_split_within(b)) return x;
  return resplit(x, x.ndim() - (b.ndim() - b.split()));
}

/// One matrix: `large` for one too large to gather, else `local` on whole matrices.
template <typename Local, typename Large>
DNDarray solve_system(const DNDarray& a, const DNDarray& b, const char* fn, const Local& local,
                      const Large& large) {
  const System s = system_of(a, b, fn);
  DNDarray x = s.b;
  if (s.a.ndim() > 2 || s.b.ndim() > 2) {
    x = solve_stacks(s.a, s.b, fn, local);
  } else if (is_large_matrix(s.a, whole_up_to(Work::Factors, s.a))) {
    x = large(s.a, s.b, solution_layout(s.a, s.b));
  } else {
    const DNDarray rhs = beside_whole(s.b);
    const at::Tensor left = whole_matrices(s.a).local();
    const at::Tensor partial = rhs.is_distributed() ? enter_partial(left, a.comm_ptr()) : left;
    x = redistribute(rhs.with_local(local(partial, rhs.local())), solution_layout(s.a, s.b));
  }
  return s.vector ? drop_column(x) : x;
}

}  // namespace

DNDarray solve(const DNDarray& a, const DNDarray& b) {
  const Communicator& comm = a.comm();
  const auto local = [&](const at::Tensor& left, const at::Tensor& right) {
    // One axis less than the matrices have would make torch see a stack of vectors where the extents are right.
    at::Tensor matrices = right;
    while (matrices.dim() < left.dim()) matrices = matrices.unsqueeze(0);
    const auto [x, info] =
        at::_ops::linalg_solve_ex::call(left, matrices, /*left=*/true, /*check_errors=*/false);
    check_regular(agreed(info, comm), "solve");
    return x;
  };
  return solve_system(a, b, "solve", local, solve_large);
}

DNDarray solve_triangular(const DNDarray& a, const DNDarray& b, const Triangle& triangle) {
  const auto local = [&](const at::Tensor& left, const at::Tensor& right) {
    return at::_ops::linalg_solve_triangular::call(left, right, triangle.upper, /*left=*/true, triangle.unit);
  };
  const auto large = [&](const DNDarray& left, const DNDarray& right, const LayoutPtr& to) {
    return solve_large_triangle(left, right, triangle, to);
  };
  return solve_system(a, b, "solve_triangular", local, large);
}

DNDarray inv(const DNDarray& x) {
  check_square(x, "inv");
  const DNDarray a = to_factorable(x);
  if (is_large_matrix(a, whole_up_to(Work::Factors, a))) {
    const DNDarray inverse = inverse_dealt(constant(a), a.layout_ptr());
    if (!needs_grad(a.local())) return inverse;
    const DNDarray product = matmul_to(matmul_to(inverse, a, a.layout_ptr()), inverse, a.layout_ptr());
    return inverse.with_local(gradient_through(inverse.local(), product.local().neg(), "inv"));
  }
  const DNDarray whole = whole_matrices(a);
  const auto [inverse, info] = at::_ops::linalg_inv_ex::call(whole.local(), /*check_errors=*/false);
  check_regular(agreed(info, a.comm()), "inv");
  return redistribute(whole.with_local(inverse), a.layout_ptr());
}

}  // namespace eh
