// SPDX-License-Identifier: BSD-3-Clause
#include "ops/lloyd.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cdist_ops.h>
#include <ATen/ops/where_ops.h>

#include <algorithm>

#include "array/tensor_comm.hpp"
#include "base/error.hpp"

namespace eh {
namespace {

/// Adds up this rank's rows into `to`, laid out as Sums says.
template <typename T>
void add_native(const LloydData& data, const at::Tensor& centers, const PassOptions& options, double* to) {
  const kernels::RowBlock<T> rows = rows_of<T>(data.x.local());
  const std::int64_t k = centers.size(0);
  const std::int64_t f = centers.size(1);
  const kernels::Panels<T> panels(rows_of<T>(centers), data.metric);
  const std::int64_t parts = parts_of(rows.rows, (k + 16) * f);
  const std::int64_t size = k * (f + 1) + 2;
  std::vector<double> sums(static_cast<std::size_t>(parts * size), 0.0);
  parallel_parts(rows.rows, parts, [&](std::int64_t part, std::int64_t begin, std::int64_t end) {
    double* const own = sums.data() + part * size;
    kernels::Assignment<T> a;
    a.labels = data.labels.mutable_data_ptr<std::int64_t>();
    a.with_total = options.total;
    if (data.weights.defined()) a.weights = data.weights.const_data_ptr<T>();
    if (data.shift.defined()) a.shift = data.shift.const_data_ptr<T>();
    if (options.distance != nullptr) a.distance = options.distance->mutable_data_ptr<T>();
    if (options.sums) {
      a.sums = own;
      a.counts = own + k * f;
    }
    kernels::assign(part_of(rows, begin, end), panels, centers.const_data_ptr<T>(), a);
    own[size - 2] = static_cast<double>(a.changed);
    own[size - 1] = a.total;
  });
  for (std::int64_t i = 0; i < parts * size; ++i) to[i % size] += sums[static_cast<std::size_t>(i)];
}

/// The same with ATen, for other devices.
void add_composed(const LloydData& data, const at::Tensor& centers, const PassOptions& options,
                  const at::Tensor& to) {
  const std::int64_t k = centers.size(0);
  const std::int64_t f = centers.size(1);
  const double p = data.metric == kernels::Metric::Manhattan ? 1.0 : 2.0;
  constexpr std::int64_t kRows = 8192;  // distances at a time
  for (std::int64_t begin = 0; begin < data.x.local().size(0); begin += kRows) {
    const std::int64_t n = std::min(kRows, data.x.local().size(0) - begin);
    at::Tensor rows = data.x.local().narrow(0, begin, n);
    if (data.shift.defined()) rows = rows.sub(data.shift);
    const auto [d, nearest] = at::_ops::cdist::call(rows, centers, p, /*compute_mode=*/2).min(1);
    const at::Tensor labels = data.labels.narrow(0, begin, n);
    to.narrow(0, k * (f + 1), 1).add_(labels.ne(nearest).sum());
    labels.copy_(nearest);
    const at::Tensor objective = p == 1.0 ? d : d.square();
    if (options.distance != nullptr) options.distance->narrow(0, begin, n).copy_(objective);
    const at::Tensor w = data.weights.defined() ? data.weights.narrow(0, begin, n).to(at::kDouble)
                                                : objective.new_ones({n}, at::kDouble);
    if (options.total) to.narrow(0, k * (f + 1) + 1, 1).add_(objective.to(at::kDouble).mul(w).sum());
    if (!options.sums) continue;
    to.narrow(0, 0, k * f).view({k, f}).index_add_(0, nearest, rows.to(at::kDouble).mul(w.unsqueeze(1)));
    to.narrow(0, k * f, k).index_add_(0, nearest, w);
  }
}

}  // namespace

LloydData lloyd_data(const DNDarray& x, const std::optional<DNDarray>& weights, kernels::Metric metric,
                     const char* fn) {
  LloydData data{x, {}, {}, x.local().new_full({x.local().size(0)}, -1, at::kLong), metric};
  if (weights) {
    data.weights =
        along_samples(*weights, x, fn, "sample_weight").local().to(x.local().scalar_type()).contiguous();
  }
  return data;
}

std::int64_t Sums::changed() const {
  return buffer_.narrow(0, k_ * (features_ + 1), 1).to(at::kLong).item<std::int64_t>();
}

double Sums::total() const { return buffer_.narrow(0, k_ * (features_ + 1) + 1, 1).item<double>(); }

at::Tensor Sums::means(const at::Tensor& otherwise) const {
  const at::Tensor n = counts().unsqueeze(1);
  const at::Tensor means = rows().div(n).to(otherwise.scalar_type());
  return at::_ops::where_self::call(n.gt(0), means, otherwise);
}

void Sums::move_row(const at::Tensor& row, std::int64_t from, std::int64_t to) {
  rows().select(0, from).sub_(row);
  rows().select(0, to).copy_(row);
  counts().select(0, from).sub_(1);
  counts().select(0, to).fill_(1);
}

Sums pass(const LloydData& data, const at::Tensor& centers, const PassOptions& options) {
  const std::int64_t k = centers.size(0);
  const std::int64_t f = centers.size(1);
  Sums sums(k, f);
  sums.buffer_ = data.x.local().new_zeros({k * (f + 1) + 2}, at::kDouble);
  if (data.x.local().is_cpu()) {
    by_type(data.x.local(), [&]<typename T>() {
      add_native<T>(data, centers, options, sums.buffer_.mutable_data_ptr<double>());
    });
  } else {
    add_composed(data, centers, options, sums.buffer_);
  }
  sums.buffer_ = total_of(sums.buffer_, data.x);
  return sums;
}

}  // namespace eh
