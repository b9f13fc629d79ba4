// SPDX-License-Identifier: BSD-3-Clause
#include "ops/lstsq.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_svd_ops.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "array/autograd.hpp"
#include "array/contraction.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/dtype.hpp"
#include "base/error.hpp"
#include "ops/matmul.hpp"
#include "ops/qr.hpp"
#include "ops/samples.hpp"

namespace eh {
namespace {

/// a = q r (or a^H = q r if a is wide); q split 0, r replicated; pinv(r) as a replicated matrix.
struct Pseudoinverse {
  DNDarray q;
  DNDarray inverse;  ///< of r, or of r^H if a is wide
  bool wide;
  std::int64_t rank;
  DNDarray s;
};

LayoutPtr replicated_layout(Shape shape, const CommPtr& comm) {
  return share(Layout::replicated(std::move(shape), comm->size()));
}

double precision_of(at::ScalarType type) {
  return type == at::kDouble || type == at::kComplexDouble ? std::numeric_limits<double>::epsilon()
                                                           : std::numeric_limits<float>::epsilon();
}

/// Relative cut-off of singular values, NumPy's defaults.
double cutoff(std::optional<double> rcond, const DNDarray& a) {
  const double eps = precision_of(a.local().scalar_type());
  if (!rcond) return eps * static_cast<double>(std::max(a.shape()[0], a.shape()[1]));
  return *rcond < 0 ? eps : *rcond;
}

/// Rows dealt out, whatever the split was: a replicated matrix stays replicated.
DNDarray by_rows(const DNDarray& x) { return x.layout().is_split() ? resplit(x, 0) : x; }

Pseudoinverse pseudoinverse(const DNDarray& a, double rcond) {
  const bool wide = a.shape()[0] < a.shape()[1];
  const CommPtr& comm = a.comm_ptr();
  const QRFactors f = qr(by_rows(wide ? adjoint(a) : a), "reduced");
  const at::Tensor r = wide ? f.r.local().mH() : f.r.local();
  auto [u, s, vh] = at::_ops::linalg_svd::call(r, /*full_matrices=*/false, std::nullopt);
  bcast(s, 0, *comm);  // one decision about the rank, also where ranks round differently
  const at::Tensor keep = s.numel() > 0 ? s.gt(s.narrow(0, 0, 1).mul(rcond)) : s.gt(0);
  const at::Tensor reciprocal = s.reciprocal().masked_fill(keep.logical_not(), 0);
  const at::Tensor inverse = vh.mH().mul(reciprocal).matmul(u.mH());
  return {*f.q, replicated(inverse, comm), wide, keep.sum(at::kLong).item<std::int64_t>(),
          replicated(s, comm)};
}

/// pinv(a) b. (n, k): replicated, or split 0 where a is wide and split.
DNDarray solve(const Pseudoinverse& p, const DNDarray& b, std::int64_t n) {
  const CommPtr& comm = b.comm_ptr();
  const std::int64_t k = b.shape()[1];
  if (p.wide) {
    const DNDarray y = matmul_to(p.inverse, b, replicated_layout({p.inverse.shape()[0], k}, comm));
    return matmul_to(p.q, y, share(p.q.layout().with_shape({n, k}, p.q.split())));
  }
  const DNDarray c = matmul_to(adjoint(p.q), b, replicated_layout({n, k}, comm));
  return replicated(p.inverse.local().matmul(c.local()), comm);
}

/// pinv(a)^H g for g (n, k); split as a's rows are.
DNDarray solve_adjoint(const Pseudoinverse& p, const DNDarray& g, const LayoutPtr& layout) {
  const Shape middle = {p.inverse.shape()[1], g.shape()[1]};
  if (!p.wide) {
    const DNDarray y = matmul_to(adjoint(p.inverse), g, replicated_layout(middle, g.comm_ptr()));
    return matmul_to(p.q, y, layout);
  }
  const DNDarray y =
      matmul_to(adjoint(p.q), g, replicated_layout({p.q.shape()[1], g.shape()[1]}, g.comm_ptr()));
  return matmul_to(adjoint(p.inverse), y, layout);
}

DNDarray subtract(const DNDarray& x, const DNDarray& y) {
  return x.with_local(x.local().sub(redistribute(y, x.layout_ptr()).local()));
}

/// x with the derivative of the solution at constant rank: with P = pinv(a), r = b - a x and z = P^H x constant,
/// dx = P db - P da x + P P^H da^H r + (I - P a) da^H z.
DNDarray differentiable(const DNDarray& x, const Pseudoinverse& p, const DNDarray& a, const DNDarray& b) {
  const auto constant = [](const DNDarray& y) { return y.with_local(y.local().detach()); };
  const DNDarray a0 = constant(a);
  const DNDarray residual = subtract(constant(b), matmul_to(a0, x, b.layout_ptr()));
  const DNDarray z = solve_adjoint(p, x, b.layout_ptr());
  const std::int64_t n = a.shape()[1];
  const auto project = [&](const DNDarray& y) { return solve(p, y, n); };
  const DNDarray along = subtract(project(b), project(matmul_to(a, x, b.layout_ptr())));
  const DNDarray turned = matmul_to(adjoint(a), residual, x.layout_ptr());
  const DNDarray tilt = project(solve_adjoint(p, turned, b.layout_ptr()));
  const DNDarray lifted = matmul_to(adjoint(a), z, x.layout_ptr());
  const DNDarray null = subtract(lifted, project(matmul_to(a0, lifted, b.layout_ptr())));
  return x.with_local(
      gradient_through(x.local(), along.local().add(tilt.local()).add(null.local()), "lstsq"));
}

/// Squared residuals per column, replicated; none unless a has full column rank and more rows than columns.
DNDarray residuals_of(const DNDarray& a, const DNDarray& x, const DNDarray& b, std::int64_t rank) {
  const std::int64_t n = a.shape()[1];
  if (rank < n || a.shape()[0] <= n) return replicated(b.local().abs().new_zeros({0}), b.comm_ptr());
  const DNDarray r = subtract(b, matmul_to(a, x, b.layout_ptr()));
  const at::Tensor squares = r.local().abs().square().sum(at::IntArrayRef{0}, false, std::nullopt);
  if (b.split() == 0) return replicated(sum_partials(squares, b.comm_ptr()), b.comm_ptr());
  return resplit({squares, share(b.layout().reduced({0}, false)), b.comm_ptr()}, kNoSplit);
}

void check(const DNDarray& a, const DNDarray& b) {
  EH_CHECK(a.ndim() == 2, ValueError, "lstsq: a must be 2-dimensional, has shape ", to_string(a.shape()));
  EH_CHECK(b.ndim() == 1 || b.ndim() == 2, ValueError, "lstsq: b must be 1- or 2-dimensional, has shape ",
           to_string(b.shape()));
  EH_CHECK(a.shape()[0] == b.shape()[0], ValueError, "lstsq: a has ", a.shape()[0], " rows and b ",
           b.shape()[0], "; they must be equal");
  EH_CHECK(a.comm_ptr() == b.comm_ptr(), ValueError, "lstsq: a and b live on different communicators");
}

DNDarray as_columns(const DNDarray& b) {
  if (b.ndim() == 2) return b;
  return {b.local().unsqueeze(1), share(b.layout().with_shape({b.shape()[0], 1}, b.split())), b.comm_ptr()};
}

DNDarray as_vector(const DNDarray& x) {
  return {x.local().squeeze(1), share(x.layout().with_shape({x.shape()[0]}, x.split())), x.comm_ptr()};
}

}  // namespace

LeastSquares lstsq(const DNDarray& a, const DNDarray& b, std::optional<double> rcond) {
  check(a, b);
  const DType type = promote(dtype_of(to_factorable(a).local().scalar_type()),
                             dtype_of(to_factorable(b).local().scalar_type()));
  const DNDarray left = a.with_local(a.local().to(scalar_type_of(type)));
  const DNDarray right = as_columns(b.with_local(b.local().to(scalar_type_of(type))));
  const auto constant = [](const DNDarray& y) { return y.with_local(y.local().detach()); };
  const Pseudoinverse p = pseudoinverse(constant(left), cutoff(rcond, left));
  DNDarray x = solve(p, constant(right), left.shape()[1]);
  if (needs_grad(left.local()) || needs_grad(right.local())) x = differentiable(x, p, left, right);
  DNDarray residuals = residuals_of(left, x, right, p.rank);
  if (b.ndim() == 1) x = as_vector(x);
  return {x, residuals, p.rank, p.s};
}

}  // namespace eh
