// SPDX-License-Identifier: BSD-3-Clause
#include "ops/pairwise.hpp"

#include <ATen/core/IListRef.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat_ops.h>
#include <ATen/ops/cdist_ops.h>

#include <algorithm>

#include "array/autograd.hpp"
#include "array/movers.hpp"
#include "array/products.hpp"
#include "array/redistribute.hpp"
#include "base/error.hpp"
#include "ops/samples.hpp"
#include "ops/types.hpp"

/// cdist, manhattan and rbf.
namespace eh {
namespace {

struct Formula {
  kernels::Metric metric;
  bool gaussian;
  double factor;  ///< of the squared distance in the exponent
};

Formula formula_of(const std::string& metric, double sigma) {
  const double factor = -1.0 / (2.0 * sigma * sigma);
  if (metric == "euclidean") return {kernels::Metric::Squared, false, 0};
  if (metric == "expanded") return {kernels::Metric::Expanded, false, 0};
  if (metric == "manhattan") return {kernels::Metric::Manhattan, false, 0};
  if (metric == "rbf") return {kernels::Metric::Squared, true, factor};
  EH_CHECK(metric == "rbf_expanded", ValueError, "pairwise_distances: unknown metric '", metric,
           "'; choose 'euclidean', 'expanded', 'manhattan', 'rbf' or 'rbf_expanded'");
  return {kernels::Metric::Expanded, true, factor};
}

/// With ATen: any device, differentiable.
at::Tensor composed(const at::Tensor& x, const at::Tensor& y, const Formula& f) {
  if (f.metric == kernels::Metric::Expanded) {
    const at::Tensor norms = x.square().sum(1).unsqueeze(1).add(y.square().sum(1));
    const at::Tensor squared = norms.sub(matrix_product(x, y.t()).mul(2)).clamp_min(0);
    return f.gaussian ? squared.mul(f.factor).exp() : squared.sqrt();
  }
  constexpr std::int64_t kDifferences = 2;
  const double p = f.metric == kernels::Metric::Manhattan ? 1.0 : 2.0;
  const at::Tensor d = at::_ops::cdist::call(x, y, p, kDifferences);
  return f.gaussian ? d.square().mul(f.factor).exp() : d;
}

/// Columns of `out` from `begin` on, by the native kernel.
template <typename T>
void fill(const at::Tensor& x, const at::Tensor& y, const Formula& f, const at::Tensor& out,
          std::int64_t begin) {
  const kernels::Panels<T> panels(rows_of<T>(y), f.metric);
  const auto rows = rows_of<T>(x);
  const std::int64_t pitch = out.size(1);
  T* const data = out.mutable_data_ptr<T>() + begin;
  parallel_rows(rows.rows, y.size(0) * (x.size(1) + 1), [&](std::int64_t first, std::int64_t last) {
    constexpr std::int64_t kRows = 32;  // so that the exponential finds them in the cache
    for (std::int64_t row = first; row < last; row += kRows) {
      const std::int64_t end = std::min(last, row + kRows);
      kernels::distances(part_of(rows, row, end), panels, f.gaussian, data, pitch);
      if (f.gaussian) out.narrow(0, row, end - row).narrow(1, begin, y.size(0)).mul_(f.factor).exp_();
    }
  });
}

bool is_native(const at::Tensor& x, const at::Tensor& y) {
  return x.is_cpu() && y.is_cpu() && !needs_grad(x) && !needs_grad(y);
}

/// The block of the rank `step` ranks further on, on every rank. Differentiable. Collective.
at::Tensor block_from(const DNDarray& y, int step) {
  const int size = y.comm().size();
  std::vector<std::int64_t> to;
  std::vector<Move> moves;
  std::int64_t target = 0;
  for (int r = 0; r < size; ++r) {
    const int owner = (r + step) % size;
    to.push_back(y.layout().count(owner));
    moves.push_back({y.layout().offset(owner), target, to.back()});
    target += to.back();
  }
  return move_rows(y.local(), 0, y.layout().counts(), to, moves, y.comm_ptr());
}

/// Both operands split; with gradients.
at::Tensor ring_composed(const DNDarray& x, const DNDarray& y, const Formula& f) {
  const int size = x.comm().size();
  std::vector<at::Tensor> columns(static_cast<std::size_t>(size));
  for (int step = 0; step < size; ++step) {
    const auto owner = static_cast<std::size_t>((x.comm().rank() + step) % size);
    columns[owner] = composed(x.local(), step == 0 ? y.local() : block_from(y, step), f);
  }
  return at::_ops::cat::call(at::ITensorListRef(columns), 1);
}

/// All rows of y are no more than a quarter of the largest block of the result, which is better filled in one sweep:
/// half a row of it at a time, memory is touched twice.
bool prefers_gathering(const DNDarray& x, const DNDarray& y) {
  const std::vector<std::int64_t> counts = x.layout().counts();
  return 4 * y.shape()[1] <= *std::max_element(counts.begin(), counts.end());
}

at::Tensor ring_native(const DNDarray& x, const DNDarray& y, const Formula& f) {
  const at::Tensor out = movers::empty(Shape{x.local().size(0), y.shape()[0]}, x.local());
  const auto add = [&](const at::Tensor& rows, std::int64_t begin) {
    by_type(out, [&]<typename T>() { fill<T>(x.local(), rows, f, out, begin); });
  };
  if (prefers_gathering(x, y)) {
    const LayoutPtr whole = share(Layout::replicated(y.shape(), y.comm().size()));
    add(redistribute(y, whole).local(), 0);
    return out;
  }
  circulate(
      {y.local()}, y.layout().counts(), x.comm(),
      [&](int owner, const std::vector<at::Tensor>& blocks) { add(blocks[0], y.layout().offset(owner)); });
  return out;
}

at::Tensor local_block(const DNDarray& x, const DNDarray& y, const Formula& f, bool native) {
  if (native) {
    const at::Tensor out = movers::empty(Shape{x.local().size(0), y.local().size(0)}, x.local());
    by_type(out, [&]<typename T>() { fill<T>(x.local(), y.local(), f, out, 0); });
    return out;
  }
  const bool mixed = x.layout().is_split() != y.layout().is_split();
  const auto entered = [&](const DNDarray& z) {
    return mixed && !z.layout().is_split() ? enter_partial(z.local(), z.comm_ptr()) : z.local();
  };
  return composed(entered(x), entered(y), f);
}

}  // namespace

DNDarray pairwise_distances(const DNDarray& x, const DNDarray& y, const std::string& metric, double sigma) {
  const Formula f = formula_of(metric, sigma);
  EH_CHECK(x.comm_ptr() == y.comm_ptr(), ValueError, "cdist: x and y live on different communicators");
  EH_CHECK(x.ndim() != 2 || y.ndim() != 2 || x.shape()[1] == y.shape()[1], ValueError, "cdist: x has ",
           x.shape().back(), " features, y has ", y.shape().back());
  const at::ScalarType type = promote_types(x.local().scalar_type(), y.local().scalar_type());
  const DNDarray a = as_samples(to_type(x, type), "cdist", "X");
  const DNDarray b = as_samples(to_type(y, type), "cdist", "Y");
  const bool native = is_native(a.local(), b.local());
  const Shape shape{a.shape()[0], b.shape()[0]};
  const LayoutPtr layout = share(a.layout().is_split()   ? a.layout().with_shape(shape, 0)
                                 : b.layout().is_split() ? b.layout().with_shape(shape, 1)
                                                         : Layout::replicated(shape, a.comm().size()));
  const bool ring = a.is_distributed() && b.is_distributed();
  at::Tensor block =
      ring ? (native ? ring_native(a, b, f) : ring_composed(a, b, f)) : local_block(a, b, f, native);
  return {std::move(block), layout, a.comm_ptr()};
}

}  // namespace eh
