// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/imag_ops.h>
#include <ATen/ops/real_ops.h>
#include <ATen/ops/stack_ops.h>
#include <ATen/ops/sum_ops.h>
#include <ATen/ops/var_mean_ops.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "array/autograd.hpp"
#include "ops/block_moments.hpp"
#include "ops/column_folds.hpp"
#include "ops/reduce.hpp"
#include "ops/types.hpp"

/// Mean and variance of distributed data.
namespace eh {
namespace {

namespace op = at::_ops;

/// Types a moment computes in and comes back as.
struct MomentTypes {
  at::ScalarType inside;
  at::ScalarType result;
};

MomentTypes moment_types(at::ScalarType given, MaybeType dtype) {
  const bool integer = at::isIntegralType(given, true);
  const at::ScalarType result = dtype.value_or(integer ? at::ScalarType::Float : given);
  if (!dtype) return {integer ? at::ScalarType::Double : detail::accumulation_type(given), result};
  return {at::isIntegralType(result, true) ? at::ScalarType::Double : detail::accumulation_type(result),
          result};
}

at::Tensor squared_magnitude(const at::Tensor& x) {
  return x.is_complex() ? op::real::call(x).square().add(op::imag::call(x).square()) : x.square();
}

/// Mean and sum of squared deviations of `count` elements over the axes. torch's var_mean along an axis takes
/// ten times as long as the steps it consists of; only complex numbers go there.
std::pair<at::Tensor, at::Tensor> mean_and_deviations(const at::Tensor& x,
                                                      const std::vector<std::int64_t>& dims, double count) {
  if (x.is_complex()) {
    const auto [variance, mean] = op::var_mean_correction::call(x, dims, at::Scalar(0), true);
    return {mean, variance.mul(count)};
  }
  const at::Tensor mean = op::sum_dim_IntList::call(x, dims, true, std::nullopt).div(count);
  return {mean, op::sum_dim_IntList::call(x.sub(mean).square(), dims, true, std::nullopt)};
}

/// Mean and sum of squared deviations of a block, stacked.
at::Tensor stacked_moments(const at::Tensor& x, const std::vector<std::int64_t>& dims, std::int64_t count) {
  if (count == 0 ||
      x.numel() == 0) {  // zeros that belong to the graph: backward must send the same messages on all ranks
    const at::Tensor none = op::sum_dim_IntList::call(x, dims, true, std::nullopt);
    return op::stack::call({none, none}, 0);
  }
  const auto [mean, deviations] = mean_and_deviations(x, dims, static_cast<double>(count));
  return op::stack::call({mean, deviations.to(mean.scalar_type())}, 0);
}

/// Sum of squared deviations from the common mean, out of the moments of blocks along axis 0 (Chan et al. 1983).
at::Tensor merge_moments(const at::Tensor& blocks, const std::vector<std::int64_t>& counts,
                         std::int64_t total) {
  const at::Tensor means = blocks.select(1, 0);
  const at::Tensor deviations = blocks.select(1, 1);
  std::vector<std::int64_t> shape(static_cast<std::size_t>(means.dim()), 1);
  shape[0] = static_cast<std::int64_t>(counts.size());
  const at::ScalarType real = c10::toRealValueType(means.scalar_type());
  at::Tensor weights = means.new_empty(shape, real);
  for (std::size_t r = 0; r < counts.size(); ++r) {
    weights.select(0, static_cast<std::int64_t>(r)).fill_(static_cast<double>(counts[r]));
  }
  const at::Tensor mean = means.mul(weights).sum(0, true).div(static_cast<double>(total));
  const at::Tensor between = squared_magnitude(means.sub(mean)).mul(weights).sum(0);
  return (deviations.is_complex() ? op::real::call(deviations) : deviations).sum(0).add(between);
}

/// Sum of squared deviations with kept axes, on the ranks that hold its element of the result.
at::Tensor squared_deviations(const DNDarray& x, const at::Tensor& local, const std::vector<int>& axes,
                              std::int64_t total) {
  const std::vector<std::int64_t> dims = detail::dims_of(axes);
  if (has_moment_kernel(local)) return global_moments(x, local, axes, MomentOrder::Variance).select(0, 1);
  if (!detail::crosses_ranks(x, axes)) {
    if (local.numel() == 0)
      return squared_magnitude(op::sum_dim_IntList::call(local, dims, true, std::nullopt));
    return mean_and_deviations(local, dims, static_cast<double>(total)).second;
  }
  const std::int64_t row = total / x.shape()[static_cast<std::size_t>(x.split())];
  std::vector<std::int64_t> counts = x.layout().counts();
  for (std::int64_t& count : counts) count *= row;
  const at::Tensor own = stacked_moments(local, dims, counts[static_cast<std::size_t>(x.comm().rank())]);
  return merge_moments(stack_partials(own, x.comm_ptr()), counts, total);
}

/// torch warns about variances of nothing; NumPy's value is NaN.
at::Tensor nothing(const at::Tensor& local, const std::vector<std::int64_t>& dims) {
  const at::Tensor sum = op::sum_dim_IntList::call(local, dims, true, std::nullopt);
  return squared_magnitude(sum).add(std::numeric_limits<double>::quiet_NaN());
}

at::Tensor dropped(const at::Tensor& x, const std::vector<std::int64_t>& dims, bool keepdims) {
  return keepdims || dims.empty() ? x : x.squeeze(dims);
}

DNDarray replicated_scalar(const DNDarray& x, const at::Tensor& value) {
  return {value, share(Layout::replicated({}, x.comm().size())), x.comm_ptr()};
}

/// Mean of all elements where that is a sum and the division of one number; absent elsewhere.
std::optional<DNDarray> mean_of_all(const DNDarray& x, const MomentTypes& types) {
  const at::Tensor& local = x.local();
  const bool plain = types.inside == types.result && has_moment_kernel(local);
  if (!plain || (types.inside != at::kFloat && types.inside != at::kDouble)) return std::nullopt;
  at::Tensor sum = op::sum::call(local, types.inside);
  if (x.is_distributed()) sum = sum_partials(sum, x.comm_ptr());
  const auto count = static_cast<double>(x.layout().size());
  if (types.inside == at::kFloat)
    *sum.mutable_data_ptr<float>() /= static_cast<float>(count);
  else
    *sum.mutable_data_ptr<double>() /= count;
  return replicated_scalar(x, sum);
}

}  // namespace

DNDarray mean(const DNDarray& x, const Axes& axes, bool keepdims, MaybeType dtype) {
  const MomentTypes types = moment_types(x.local().scalar_type(), dtype);
  if (!axes && !keepdims) {
    if (std::optional<DNDarray> whole = mean_of_all(x, types)) return *std::move(whole);
  }
  const std::vector<int> sorted = detail::reduced_axes(axes, x.ndim(), "mean");
  const LayoutPtr layout = share(x.layout().reduced(sorted, keepdims));
  if (sorted.empty()) return {cast(x.local(), types.result), layout, x.comm_ptr()};
  const std::vector<std::int64_t> dims = detail::dims_of(sorted);
  std::optional<at::Tensor> folded =
      fold_columns(ColumnFold::Sum, x.local(), at::IntArrayRef(dims), keepdims, types.inside);
  at::Tensor sum = folded ? *folded : op::sum_dim_IntList::call(x.local(), dims, keepdims, types.inside);
  if (detail::crosses_ranks(x, sorted)) sum = sum_partials(sum, x.comm_ptr());
  const double count = static_cast<double>(detail::extent_of(x.shape(), sorted));
  return {cast(sum.div(count), types.result), layout, x.comm_ptr()};
}

DNDarray variance(const DNDarray& x, const Axes& axes, bool keepdims, MaybeType dtype, double ddof) {
  const MomentTypes types = moment_types(x.local().scalar_type(), dtype);
  if (!axes && !keepdims && x.ndim() > 0 && x.layout().size() > 0 && has_moment_kernel(x.local()) &&
      types.inside == x.local().scalar_type()) {
    const double freedom = std::max(static_cast<double>(x.layout().size()) - ddof, 0.0);
    const at::Scalar spread(total_deviations(x, x.local()) / freedom);
    return replicated_scalar(x, cast(x.local().new_full({}, spread, at::kDouble), types.result));
  }
  const std::vector<int> sorted = detail::reduced_axes(axes, x.ndim(), "var");
  const std::vector<std::int64_t> dims = detail::dims_of(sorted);
  const std::int64_t count = detail::extent_of(x.shape(), sorted);
  const at::Tensor local = cast(x.local(), types.inside);
  const at::Tensor deviations = sorted.empty() ? squared_magnitude(local.sub(local))
                                : count == 0   ? nothing(local, dims)
                                               : squared_deviations(x, local, sorted, count);
  const at::Tensor result =
      dropped(deviations.div(std::max(static_cast<double>(count) - ddof, 0.0)), dims, keepdims);
  return {cast(result, c10::toRealValueType(types.result)), share(x.layout().reduced(sorted, keepdims)),
          x.comm_ptr()};
}

}  // namespace eh
