// SPDX-License-Identifier: BSD-3-Clause
#include "ops/columns.hpp"

#include <algorithm>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/column_moments.hpp"
#include "ops/samples.hpp"

namespace eh {
namespace {

at::Tensor vector_of(const std::vector<double>& values, const at::Tensor& like) {
  const at::Tensor out = like.new_empty({static_cast<std::int64_t>(values.size())}, at::kDouble);
  const at::Tensor host = out.is_cpu() ? out : out.cpu();
  std::copy(values.begin(), values.end(), host.mutable_data_ptr<double>());
  return host.to(like.device());
}

/// The rows of this rank.
kernels::ColumnMoments local_moments(const at::Tensor& given, const at::Tensor* given_weights) {
  const at::Tensor x = given.cpu();
  kernels::ColumnMoments moments(x.size(1));
  const at::Tensor weights = given_weights == nullptr ? x : given_weights->cpu();
  by_type(x, [&]<typename T>() {
    const auto rows = rows_of<T>(x);
    const T* const w = given_weights == nullptr ? nullptr : weights.const_data_ptr<T>();
    const std::int64_t parts = parts_of(rows.rows, 2 * rows.features);
    std::vector<kernels::ColumnMoments> found(static_cast<std::size_t>(parts),
                                              kernels::ColumnMoments(x.size(1)));
    parallel_parts(rows.rows, parts, [&](std::int64_t part, std::int64_t begin, std::int64_t end) {
      kernels::column_moments(part_of(rows, begin, end), w, found[static_cast<std::size_t>(part)]);
    });
    for (const auto& part : found) moments.merge(part);
  });
  return moments;
}

/// The moments of the rows of all ranks: {mean, m2, min, max} and the count.
struct Merged {
  double count;
  at::Tensor mean, m2, min, max;
};

Merged merge(const kernels::ColumnMoments& own, const at::Tensor& like, const Communicator* comm) {
  Merged m{own.count, vector_of(own.mean, like), vector_of(own.m2, like), vector_of(own.min, like),
           vector_of(own.max, like)};
  if (comm == nullptr) return m;
  const std::int64_t f = own.features();
  const at::Tensor sums = m.mean.new_empty({f + 1});
  sums.narrow(0, 0, f).copy_(own.count > 0 ? m.mean.mul(own.count) : m.mean);
  sums.narrow(0, f, 1).fill_(own.count);
  const at::Tensor total = allreduce(sums, ReduceOp::Sum, *comm);
  m.count = total.narrow(0, f, 1).item<double>();
  const at::Tensor mean = total.narrow(0, 0, f).div(m.count);
  m.m2 = allreduce(m.m2.add(m.mean.sub(mean).square().mul(own.count)), ReduceOp::Sum, *comm);
  m.mean = mean;
  const at::Tensor ends = m.min.new_empty({2, f});
  ends.select(0, 0).copy_(m.min);
  ends.select(0, 1).copy_(m.max.neg());
  const at::Tensor extremes = allreduce(ends, ReduceOp::Min, *comm);
  m.min = extremes.select(0, 0);
  m.max = extremes.select(0, 1).neg();
  return m;
}

/// The verdict is that of all ranks where columns are split.
void check_finite(const at::Tensor& mean, const DNDarray& x, const char* fn) {
  at::Tensor sum = mean.sum().mul(0).reshape({1});
  if (x.split() == 1 && x.is_distributed()) sum = allreduce(sum, ReduceOp::Sum, x.comm());
  EH_CHECK(sum.item<double>() == 0, ValueError, fn, ": the samples contain NaN or infinity");
}

}  // namespace

ColumnStatistics column_statistics(const DNDarray& x, const std::optional<DNDarray>& weights,
                                   const char* fn) {
  EH_CHECK(x.ndim() == 2, ValueError, fn, ": X must be 2-D, (samples, features), has ", x.ndim(),
           " dimensions");
  EH_CHECK(x.shape()[0] > 0, ValueError, fn, ": X has no samples; at least one is needed");
  const bool columns = x.split() == 1;
  const DNDarray a = columns ? x : as_samples(x, fn, "X");
  const at::ScalarType type = a.local().scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const at::Tensor block = a.local().to(type).contiguous();
  at::Tensor w;
  if (weights) {
    w = (columns ? resplit(*weights, kNoSplit) : along_samples(*weights, a, fn, "sample_weight")).local();
    w = w.reshape({-1}).to(type).contiguous();
  }
  const kernels::ColumnMoments own = local_moments(block, weights ? &w : nullptr);
  const Merged m = merge(own, block, a.is_distributed() && !columns ? &a.comm() : nullptr);
  check_finite(m.mean, x, fn);
  EH_CHECK(m.count > 0, ValueError, fn, ": the sample weights add up to ", m.count);
  const LayoutPtr layout = share(columns ? a.layout().with_shape({x.shape()[1]}, 0)
                                         : Layout::replicated({x.shape()[1]}, a.comm().size()));
  const auto wrap = [&](const at::Tensor& t) { return DNDarray(t.contiguous(), layout, a.comm_ptr()); };
  return {m.count, wrap(m.mean), wrap(m.m2.div(m.count)), wrap(m.min), wrap(m.max)};
}

DNDarray scale_columns(const DNDarray& x, const std::optional<DNDarray>& shift,
                       const std::optional<DNDarray>& factor) {
  const at::ScalarType given = x.local().scalar_type();
  const at::Tensor block = at::isFloatingType(given) ? x.local() : x.local().to(at::kFloat);
  const auto beside = [&](const DNDarray& v) {
    if (x.split() != 1) return resplit(v, kNoSplit).local();
    return redistribute(v, share(x.layout().with_shape({x.shape()[1]}, 0))).local();
  };
  at::Tensor a, b;
  if (shift) a = beside(*shift).to(at::kDouble).contiguous();
  if (factor) b = beside(*factor).to(at::kDouble).contiguous();
  const bool native = block.is_cpu() && !needs_grad(block) &&
                      (block.scalar_type() == at::kFloat || block.scalar_type() == at::kDouble);
  if (!native) {
    at::Tensor out = block.to(at::kDouble);
    if (shift) out = out.sub(a);
    if (factor) out = out.mul(b);
    return {out.to(block.scalar_type()), x.layout_ptr(), x.comm_ptr()};
  }
  const at::Tensor from = block.contiguous();
  const at::Tensor out = from.new_empty(from.sizes());
  by_type(from, [&]<typename T>() {
    const auto rows = rows_of<T>(from);
    T* const to = out.mutable_data_ptr<T>();
    parallel_rows(rows.rows, rows.features, [&](std::int64_t begin, std::int64_t end) {
      kernels::scale_columns(part_of(rows, begin, end), shift ? a.const_data_ptr<double>() : nullptr,
                             factor ? b.const_data_ptr<double>() : nullptr, to + begin * rows.features);
    });
  });
  return {out, x.layout_ptr(), x.comm_ptr()};
}

}  // namespace eh
