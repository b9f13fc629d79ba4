// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/class_moments.hpp"
#include "ops/estimators.hpp"
#include "ops/samples.hpp"

namespace eh {
namespace {

at::Tensor tensor_of(const std::vector<double>& values, const at::Tensor& like, at::IntArrayRef shape) {
  const at::Tensor host = like.new_empty(shape, at::TensorOptions(at::kDouble).device(at::kCPU));
  std::copy(values.begin(), values.end(), host.mutable_data_ptr<double>());
  return host;
}

at::Tensor host_of(const DNDarray& x, at::ScalarType type) { return x.local().to(type).cpu().contiguous(); }

/// The moments of the rows of this rank.
kernels::ClassMoments local_moments(const at::Tensor& rows, const at::Tensor& codes, std::int64_t classes,
                                    const at::Tensor& weights) {
  const std::int64_t f = rows.size(1);
  kernels::ClassMoments own(classes, f);
  by_type(rows, [&]<typename T>() {
    const auto block = rows_of<T>(rows);
    const std::int64_t parts = parts_of(block.rows, 2 * f);
    std::vector<kernels::ClassMoments> found(static_cast<std::size_t>(parts),
                                             kernels::ClassMoments(classes, f));
    parallel_parts(block.rows, parts, [&](std::int64_t part, std::int64_t begin, std::int64_t end) {
      found[static_cast<std::size_t>(part)] =
          kernels::class_moments(part_of(block, begin, end), codes.const_data_ptr<std::int64_t>(), classes,
                                 weights.defined() ? weights.const_data_ptr<T>() : nullptr);
    });
    for (const auto& part : found) own.merge(part);
  });
  return own;
}

}  // namespace

ClassStatistics class_statistics(const DNDarray& given, const DNDarray& class_of, std::int64_t classes,
                                 const std::optional<DNDarray>& weights) {
  const DNDarray x = as_samples(given, "class_statistics", "x");
  const at::Tensor rows = x.local().cpu();
  const at::Tensor codes = host_of(along_samples(class_of, x, "class_statistics", "y"), at::kLong);
  at::Tensor w;
  if (weights)
    w = host_of(along_samples(*weights, x, "class_statistics", "sample_weight"), rows.scalar_type());
  const kernels::ClassMoments own = local_moments(rows, codes, classes, w);
  const std::int64_t f = x.shape()[1];
  at::Tensor total = tensor_of(own.count, rows, {classes});
  at::Tensor mean = tensor_of(own.mean, rows, {classes, f});
  at::Tensor m2 = tensor_of(own.m2, rows, {classes, f});
  if (x.is_distributed()) {
    const at::Tensor n = total.unsqueeze(1);
    const at::Tensor sums = total.new_empty({classes, f + 1});
    sums.narrow(1, 0, 1).copy_(n);
    sums.narrow(1, 1, f).copy_(mean.mul(n));
    const at::Tensor all = allreduce(sums, ReduceOp::Sum, x.comm());
    total = all.select(1, 0).contiguous();
    const at::Tensor common = all.narrow(1, 1, f).div(all.narrow(1, 0, 1).clamp_min(1e-300));
    m2 = allreduce(m2.add(mean.sub(common).square().mul(n)), ReduceOp::Sum, x.comm());
    mean = common;
  }
  EH_CHECK(m2.sum().mul(0).item<double>() == 0, ValueError,
           "class_statistics: the samples or their weights contain NaN or infinity");
  const auto wrap = [&](const at::Tensor& z) { return replicated(z.to(x.local().device()), x.comm_ptr()); };
  return {wrap(total), wrap(mean), wrap(m2)};
}

DNDarray class_log_likelihood(const DNDarray& given, const DNDarray& mean, const DNDarray& precision,
                              const DNDarray& constant) {
  const DNDarray x = as_samples(given, "class_log_likelihood", "x");
  const std::int64_t classes = mean.shape()[0];
  const std::int64_t f = mean.shape()[1];
  EH_CHECK(f == x.shape()[1] && precision.shape() == mean.shape() && constant.shape() == Shape{classes},
           ValueError, "class_log_likelihood: shapes of x, mean, precision and constant do not match");
  const at::Tensor rows = x.local().cpu();
  const at::Tensor m = host_of(mean, at::kDouble);
  const at::Tensor p = host_of(precision, at::kDouble);
  const at::Tensor c = host_of(constant, at::kDouble);
  const at::Tensor out = m.new_empty({rows.size(0), classes});
  by_type(rows, [&]<typename T>() {
    const auto block = rows_of<T>(rows);
    parallel_rows(block.rows, classes * f, [&](std::int64_t begin, std::int64_t end) {
      kernels::class_log_likelihood(part_of(block, begin, end), m.const_data_ptr<double>(),
                                    p.const_data_ptr<double>(), c.const_data_ptr<double>(), classes,
                                    out.mutable_data_ptr<double>());
    });
  });
  const LayoutPtr layout = share(x.layout().with_shape({x.shape()[0], classes}, x.split()));
  return {out.to(x.local().device()), layout, x.comm_ptr()};
}

}  // namespace eh
