// SPDX-License-Identifier: BSD-3-Clause
#include "ops/kmeans.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/topk_ops.h>

#include <algorithm>

#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "ops/columns.hpp"
#include "ops/lloyd.hpp"

/// Lloyd's algorithm and assignment to centres.
namespace eh {
namespace {

/// Rows that are farthest from their centre: (count, 2 + f) of distance, label and (shifted) row, farthest first.
at::Tensor farthest(const LloydData& data, const at::Tensor& centers, std::int64_t count) {
  const DNDarray& x = data.x;
  const at::Tensor distance = x.local().new_zeros({x.local().size(0)});
  pass(data, centers, {.total = true, .distance = &distance});
  const std::int64_t own = std::min(count, distance.size(0));
  const auto [values, rows] = at::_ops::topk::call(distance, own, 0, /*largest=*/true, /*sorted=*/true);
  at::Tensor found = x.local().new_full({count, 2 + x.shape()[1]}, -1.0, at::kDouble);
  const at::Tensor mine = found.narrow(0, 0, own);
  mine.select(1, 0).copy_(values);
  mine.select(1, 1).copy_(data.labels.index_select(0, rows));
  mine.narrow(1, 2, x.shape()[1]).copy_(x.local().index_select(0, rows).sub(data.shift));
  if (!x.is_distributed()) return found;
  const Counts counts(static_cast<std::size_t>(x.comm().size()), count);
  const at::Tensor all = allgather(found, 0, counts, x.comm());
  const at::Tensor best =
      std::get<1>(at::_ops::topk::call(all.select(1, 0).contiguous(), count, 0, true, true));
  return all.index_select(0, best);
}

/// Centres without rows take over the rows farthest from their own centres, as in scikit-learn.
void relocate(const LloydData& data, const at::Tensor& centers, Sums& sums) {
  const at::Tensor empty = sums.counts().eq(0).nonzero().reshape({-1});
  if (empty.numel() == 0) return;
  const std::int64_t count = std::min(empty.numel(), data.x.shape()[0]);
  const at::Tensor far = farthest(data, centers, count);
  for (std::int64_t i = 0; i < count; ++i) {
    const at::Tensor row = far.select(0, i);
    if (row.select(0, 0).item<double>() <= 0) return;  // fewer distinct rows than centres
    const auto from = row.select(0, 1).to(at::kLong).item<std::int64_t>();
    const auto to = empty.select(0, i).item<std::int64_t>();
    sums.move_row(row.narrow(0, 2, data.x.shape()[1]), from, to);
  }
}

void check(const DNDarray& x, const DNDarray& centers, const char* fn) {
  EH_CHECK(centers.ndim() == 2 && x.ndim() == 2 && centers.shape()[1] == x.shape()[1], ValueError, fn,
           ": centers must have shape (k, ", x.ndim() == 2 ? x.shape()[1] : -1, ")");
  EH_CHECK(centers.shape()[0] > 0, ValueError, fn, ": at least one center is needed");
  EH_CHECK(!centers.layout().is_split(), ValueError, fn, ": centers must be replicated");
}

DNDarray labels_of(const LloydData& data) {
  return {data.labels, share(data.x.layout().with_shape({data.x.shape()[0]}, data.x.split())),
          data.x.comm_ptr()};
}

}  // namespace

KMeansFit kmeans(const DNDarray& given, const DNDarray& start, const std::optional<DNDarray>& weights,
                 const KMeansOptions& options) {
  check(given, start, "kmeans");
  const DNDarray x = as_samples(given, "kmeans", "x");
  const ColumnStatistics columns = column_statistics(x, std::nullopt, "kmeans");
  LloydData data = lloyd_data(x, weights, kernels::Metric::Expanded, "kmeans");
  data.shift = columns.mean.local().to(x.local().scalar_type());
  const double least_shift = options.tol * columns.variance.local().mean().item<double>();
  at::Tensor centers = start.local().to(x.local().scalar_type()).sub(data.shift);
  std::int64_t iteration = 0;
  while (iteration < options.max_iter) {
    ++iteration;
    Sums sums = pass(data, centers, {.sums = true});
    relocate(data, centers, sums);
    const at::Tensor moved = sums.means(centers);
    const double shift = moved.sub(centers).to(at::kDouble).square().sum().item<double>();
    centers = moved;
    if (options.visit) options.visit(iteration, shift);
    if (sums.changed() == 0 || shift <= least_shift) break;
  }
  const Sums last = pass(data, centers, {.total = true});
  return {replicated(centers.add(data.shift), x.comm_ptr()), labels_of(data), last.total(), iteration};
}

Assigned assign_rows(const DNDarray& given, const DNDarray& centers, const std::optional<DNDarray>& weights,
                     const std::string& metric) {
  check(given, centers, "assign_rows");
  const DNDarray x = as_samples(given, "assign_rows", "x");
  const auto kind = metric == "manhattan" ? kernels::Metric::Manhattan : kernels::Metric::Squared;
  LloydData data = lloyd_data(x, weights, kind, "assign_rows");
  const Sums sums = pass(data, centers.local().to(x.local().scalar_type()).contiguous(), {.total = true});
  return {labels_of(data), sums.total()};
}

}  // namespace eh
