// SPDX-License-Identifier: BSD-3-Clause
#include "ops/estimators.hpp"

#include <algorithm>

#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/class_moments.hpp"
#include "kernels/coordinate_descent.hpp"
#include "ops/samples.hpp"

namespace eh {
namespace {

/// z'z of z = [x y] over the rows of all ranks, in float64.
at::Tensor gram(const DNDarray& x, const at::Tensor& y) {
  const std::int64_t f = x.shape()[1];
  const std::int64_t width = f + y.size(1);
  const at::Tensor sum = x.local().new_zeros({width, width}, at::kDouble);
  const std::int64_t rows =
      std::min<std::int64_t>(x.local().size(0), std::max<std::int64_t>(64, (1 << 16) / width));
  const at::Tensor block = sum.new_empty({rows, width});
  for (std::int64_t begin = 0; begin < x.local().size(0); begin += rows) {
    const std::int64_t n = std::min(rows, x.local().size(0) - begin);
    const at::Tensor z = block.narrow(0, 0, n);
    z.narrow(1, 0, f).copy_(x.local().narrow(0, begin, n));
    z.narrow(1, f, width - f).copy_(y.narrow(0, begin, n));
    sum.addmm_(z.t(), z);
  }
  return total_of(sum, x);
}

/// Rows of y where those of x are.
at::Tensor targets(const DNDarray& y, const DNDarray& x) {
  return redistribute(y, share(x.layout().with_shape(y.shape(), x.split()))).local();
}

at::Tensor tensor_of(const std::vector<double>& values, const at::Tensor& like, at::IntArrayRef shape) {
  const at::Tensor host = like.new_empty(shape, at::TensorOptions(at::kDouble).device(at::kCPU));
  std::copy(values.begin(), values.end(), host.mutable_data_ptr<double>());
  return host;
}

}  // namespace

LassoFit lasso(const DNDarray& given, const DNDarray& y, double penalty, std::int64_t unpenalized,
               std::int64_t max_iter, double tol) {
  EH_CHECK(given.ndim() == 2 && y.ndim() == 2 && y.shape()[0] == given.shape()[0] && y.shape()[0] > 0,
           ValueError, "lasso: x (n, f) and y (n, t) must have the same number of rows, at least one");
  const DNDarray x = as_samples(given, "lasso", "x");
  const std::int64_t f = x.shape()[1];
  const std::int64_t t = y.shape()[1];
  const at::Tensor all = gram(x, targets(y, x)).div(static_cast<double>(x.shape()[0])).cpu();
  EH_CHECK(all.sum().mul(0).item<double>() == 0, ValueError, "lasso: the samples contain NaN or infinity");
  const at::Tensor form = all.narrow(0, 0, f).narrow(1, 0, f).contiguous();
  const at::Tensor linear = all.narrow(0, f, t).narrow(1, 0, f).contiguous();
  const at::Tensor theta = linear.new_zeros({t, f});
  const at::Tensor room = linear.new_empty({f});
  std::int64_t iterations = 0;
  for (std::int64_t target = 0; target < t; ++target) {
    const std::int64_t used = kernels::coordinate_descent(
        form.const_data_ptr<double>(), linear.const_data_ptr<double>() + target * f, f,
        {penalty, unpenalized, max_iter, tol}, theta.mutable_data_ptr<double>() + target * f,
        room.mutable_data_ptr<double>());
    iterations = std::max(iterations, used);
  }
  const at::Tensor result = theta.t().contiguous().to(x.local().device(), x.local().scalar_type());
  return {replicated(result, x.comm_ptr()), iterations};
}

ClassStatistics class_statistics(const DNDarray& given, const DNDarray& class_of, std::int64_t classes,
                                 const std::optional<DNDarray>& weights) {
  const DNDarray x = as_samples(given, "class_statistics", "x");
  const at::Tensor rows = x.local().cpu();
  const at::Tensor codes =
      along_samples(class_of, x, "class_statistics", "y").local().to(at::kLong).cpu().contiguous();
  at::Tensor w;
  if (weights) {
    w = along_samples(*weights, x, "class_statistics", "sample_weight")
            .local()
            .cpu()
            .to(rows.scalar_type())
            .contiguous();
  }
  const std::int64_t f = x.shape()[1];
  kernels::ClassMoments own(classes, f);
  by_type(rows, [&]<typename T>() {
    const auto block = rows_of<T>(rows);
    const std::int64_t parts = parts_of(block.rows, 2 * f);
    std::vector<kernels::ClassMoments> found(static_cast<std::size_t>(parts),
                                             kernels::ClassMoments(classes, f));
    parallel_parts(block.rows, parts, [&](std::int64_t part, std::int64_t begin, std::int64_t end) {
      found[static_cast<std::size_t>(part)] =
          kernels::class_moments(part_of(block, begin, end), codes.const_data_ptr<std::int64_t>(), classes,
                                 weights ? w.const_data_ptr<T>() : nullptr);
    });
    for (const auto& part : found) own.merge(part);
  });
  const at::Tensor count = tensor_of(own.count, rows, {classes});
  at::Tensor mean = tensor_of(own.mean, rows, {classes, f});
  at::Tensor m2 = tensor_of(own.m2, rows, {classes, f});
  at::Tensor total = count;
  if (x.is_distributed()) {
    const at::Tensor n = count.unsqueeze(1);
    const at::Tensor sums = count.new_empty({classes, f + 1});
    sums.narrow(1, 0, 1).copy_(n);
    sums.narrow(1, 1, f).copy_(mean.mul(n));
    const at::Tensor all = allreduce(sums, ReduceOp::Sum, x.comm());
    total = all.select(1, 0).contiguous();
    const at::Tensor common = all.narrow(1, 1, f).div(total.clamp_min(1e-300).unsqueeze(1));
    m2 = allreduce(m2.add(mean.sub(common).square().mul(n)), ReduceOp::Sum, x.comm());
    mean = common;
  }
  const auto wrap = [&](const at::Tensor& z) { return replicated(z.to(x.local().device()), x.comm_ptr()); };
  return {wrap(total), wrap(mean), wrap(m2)};
}

}  // namespace eh
