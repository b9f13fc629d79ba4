// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/IListRef.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange_ops.h>
#include <ATen/ops/cat_ops.h>
#include <ATen/ops/cdist_ops.h>
#include <ATen/ops/gather_ops.h>
#include <ATen/ops/sort_ops.h>

#include <limits>

#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "ops/pairwise.hpp"
#include "ops/samples.hpp"
#include "ops/types.hpp"

/// Nearest rows, sums of distances and selected rows.
namespace eh {
namespace {

kernels::Metric metric_of(const std::string& metric, const char* fn) {
  if (metric == "euclidean") return kernels::Metric::Squared;
  EH_CHECK(metric == "manhattan", ValueError, fn, ": unknown metric '", metric,
           "'; choose 'euclidean' or 'manhattan'");
  return kernels::Metric::Manhattan;
}

/// The k nearest so far, (rows, k): squared distances for the Euclidean metric.
struct Best {
  at::Tensor distances;
  at::Tensor indices;
};

Best nothing_yet(const at::Tensor& x, std::int64_t k) {
  const Shape shape{x.size(0), k};
  return {x.new_full(sizes(shape), std::numeric_limits<double>::infinity()),
          x.new_full(sizes(shape), std::numeric_limits<std::int64_t>::max(), at::kLong)};
}

/// The k first of each row, by distance, then by index.
Best first_of(const Best& candidates, std::int64_t k) {
  const auto order = [](const at::Tensor& keys) {
    return std::get<1>(at::_ops::sort_stable::call(keys, true, 1, false));
  };
  const auto by = [](const Best& b, const at::Tensor& o) {
    return Best{at::_ops::gather::call(b.distances, 1, o, false),
                at::_ops::gather::call(b.indices, 1, o, false)};
  };
  const Best by_index = by(candidates, order(candidates.indices));
  return by(by_index, order(by_index.distances).narrow(1, 0, k));
}

/// Takes the rows of a block of y, numbered from `first`, into account.
void consider(const at::Tensor& x, const at::Tensor& y, std::int64_t first, kernels::Metric metric,
              Best& best) {
  const std::int64_t k = best.distances.size(1);
  const at::Tensor numbers = best.indices.new_empty({y.size(0)});
  at::_ops::arange_start_out::call(first, first + y.size(0), 1, const_cast<at::Tensor&>(numbers));
  if (x.is_cpu()) {
    return by_type(x, [&]<typename T>() {
      const kernels::Panels<T> panels(rows_of<T>(y), metric);
      const auto rows = rows_of<T>(x);
      const std::int64_t* number = numbers.const_data_ptr<std::int64_t>();
      T* const distances = best.distances.mutable_data_ptr<T>();
      std::int64_t* const indices = best.indices.mutable_data_ptr<std::int64_t>();
      parallel_rows(rows.rows, y.size(0) * (x.size(1) + 2), [&](std::int64_t begin, std::int64_t end) {
        kernels::nearest(part_of(rows, begin, end), panels, number, k, distances, indices);
      });
    });
  }
  constexpr std::int64_t kRows = 1024;  // distances at a time
  for (std::int64_t begin = 0; begin < x.size(0); begin += kRows) {
    const std::int64_t n = std::min(kRows, x.size(0) - begin);
    const double p = metric == kernels::Metric::Manhattan ? 1.0 : 2.0;
    at::Tensor d = at::_ops::cdist::call(x.narrow(0, begin, n), y, p, /*compute_mode=*/2);
    if (metric == kernels::Metric::Squared) d = d.square();
    const at::Tensor before = best.distances.narrow(0, begin, n);
    const at::Tensor known = best.indices.narrow(0, begin, n);
    const Best now = first_of({at::_ops::cat::call(at::ITensorListRef({before, d}), 1),
                               at::_ops::cat::call(at::ITensorListRef({known, numbers.expand({n, -1})}), 1)},
                              k);
    before.copy_(now.distances);
    known.copy_(now.indices);
  }
}

/// Queries that all ranks have, neighbours that each rank found among its rows.
Best merged(const Best& own, const Communicator& comm) {
  const std::int64_t k = own.distances.size(1);
  const Counts counts(static_cast<std::size_t>(comm.size()), k);
  return first_of({allgather(own.distances, 1, counts, comm), allgather(own.indices, 1, counts, comm)}, k);
}

std::int64_t first_row(const DNDarray& y) {
  return y.layout().is_split() ? y.layout().offset(y.comm().rank()) : 0;
}

}  // namespace

Neighbors nearest_rows(const DNDarray& x, const DNDarray& y, std::int64_t k, const std::string& metric) {
  const kernels::Metric kind = metric_of(metric, "nearest_rows");
  EH_CHECK(x.comm_ptr() == y.comm_ptr(), ValueError, "nearest_rows: x and y live on different communicators");
  EH_CHECK(x.ndim() != 2 || y.ndim() != 2 || x.shape()[1] == y.shape()[1], ValueError, "nearest_rows: x has ",
           x.shape().back(), " features, y has ", y.shape().back());
  EH_CHECK(k >= 1 && k <= y.shape()[0], ValueError,
           "nearest_rows: k must be between 1 and the number of rows, ", y.shape()[0], ", is ", k);
  const at::ScalarType type = promote_types(x.local().scalar_type(), y.local().scalar_type());
  const DNDarray a = as_samples(to_type(x, type), "nearest_rows", "x");
  const DNDarray b = as_samples(to_type(y, type), "nearest_rows", "y");
  Best best = nothing_yet(a.local(), k);
  if (a.is_distributed() && b.is_distributed()) {
    circulate({b.local()}, b.layout().counts(), b.comm(),
              [&](int owner, const std::vector<at::Tensor>& blocks) {
                consider(a.local(), blocks[0], b.layout().offset(owner), kind, best);
              });
  } else {
    consider(a.local(), b.local(), first_row(b), kind, best);
    if (b.is_distributed()) best = merged(best, b.comm());
  }
  if (kind == kernels::Metric::Squared) best.distances.sqrt_();
  const LayoutPtr layout = share(a.layout().with_shape({a.shape()[0], k}, a.split()));
  return {{best.distances, layout, a.comm_ptr()}, {best.indices, layout, a.comm_ptr()}};
}

DNDarray distance_sums(const DNDarray& x, const DNDarray& group, std::int64_t groups,
                       const std::string& metric) {
  const kernels::Metric kind = metric_of(metric, "distance_sums");
  const DNDarray a = as_samples(x, "distance_sums", "x");
  const DNDarray g = along_samples(group, a, "distance_sums", "group");
  const at::Tensor sums = a.local().new_zeros({a.local().size(0), groups}, at::kDouble);
  const at::Tensor own = g.local().to(at::kLong).contiguous();
  const auto add = [&](const at::Tensor& y, const at::Tensor& labels) {
    if (!y.is_cpu()) {
      const double p = kind == kernels::Metric::Manhattan ? 1.0 : 2.0;
      sums.index_add_(1, labels, at::_ops::cdist::call(a.local(), y, p, /*compute_mode=*/2).to(at::kDouble));
      return;
    }
    by_type(y, [&]<typename T>() {
      const kernels::Panels<T> panels(rows_of<T>(y), kind);
      const auto rows = rows_of<T>(a.local());
      const std::int64_t* const label = labels.const_data_ptr<std::int64_t>();
      double* const out = sums.mutable_data_ptr<double>();
      parallel_rows(rows.rows, y.size(0) * (y.size(1) + 8), [&](std::int64_t begin, std::int64_t end) {
        kernels::sum_by_group(part_of(rows, begin, end), panels, label, groups, out);
      });
    });
  };
  if (a.is_distributed()) {
    circulate({a.local(), own}, a.layout().counts(), a.comm(),
              [&](int, const std::vector<at::Tensor>& blocks) { add(blocks[0], blocks[1]); });
  } else {
    add(a.local(), own);
  }
  return {sums, share(a.layout().with_shape({a.shape()[0], groups}, a.split())), a.comm_ptr()};
}

at::Tensor gather_rows(const DNDarray& x, const std::vector<std::int64_t>& rows) {
  const std::int64_t first = first_row(x);
  const at::Tensor out = x.local().new_zeros({static_cast<std::int64_t>(rows.size()), x.shape()[1]});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t row = rows[i] - first;
    const bool own = row >= 0 && row < x.local().size(0);
    if (own) out.select(0, static_cast<std::int64_t>(i)).copy_(x.local().select(0, row));
  }
  return total_of(out, x);
}

}  // namespace eh
