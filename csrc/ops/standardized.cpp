// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/IListRef.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/stack_ops.h>
#include <ATen/ops/sum_ops.h>

#include <cmath>
#include <limits>

#include "array/autograd.hpp"
#include "ops/block_moments.hpp"
#include "ops/reduce.hpp"
#include "ops/types.hpp"

/// Skewness and kurtosis: third and fourth moments of standardized data.
namespace eh {
namespace {

namespace op = at::_ops;

constexpr Kinds kReal("buif");

/// (3, kept shape): sums of deviations to the powers 2, 3, 4, differentiably.
at::Tensor recorded_powers(const DNDarray& x, const at::Tensor& local, const std::vector<int>& axes,
                           double count) {
  const std::vector<std::int64_t> dims = detail::dims_of(axes);
  const bool crosses = detail::crosses_ranks(x, axes);
  at::Tensor mean = op::sum_dim_IntList::call(local, dims, true, std::nullopt).div(count);
  if (crosses) mean = enter_partial(sum_partials(mean, x.comm_ptr()), x.comm_ptr());
  const at::Tensor deviation = local.sub(mean);
  const at::Tensor square = deviation.square();
  const auto sum = [&](const at::Tensor& powers) {
    return op::sum_dim_IntList::call(powers, dims, true, std::nullopt);
  };
  const std::vector<at::Tensor> sums = {sum(square), sum(square.mul(deviation)), sum(square.square())};
  const at::Tensor all = op::stack::call(sums, 0);
  return crosses ? sum_partials(all, x.comm_ptr()) : all;
}

/// Sums of powers 2, 3, 4 of the deviations from the mean, without the reduced axes unless `keepdims`.
struct Powers {
  at::Tensor second, third, fourth;
  double count;
  LayoutPtr layout;
  at::ScalarType type;  ///< of the result
};

Powers power_sums(const char* name, const DNDarray& x, const Axes& axes, bool keepdims) {
  const at::ScalarType given = compute_type(name, Entry::Same, kReal, x.local().scalar_type());
  const bool integer = at::isIntegralType(given, true);
  const at::Tensor local =
      cast(x.local(), integer ? at::ScalarType::Double : detail::accumulation_type(given));
  const std::vector<int> sorted = detail::reduced_axes(axes, x.ndim(), name);
  const double count = static_cast<double>(detail::extent_of(x.shape(), sorted));
  const std::vector<std::int64_t> dims = detail::dims_of(sorted);
  const auto kept = [&](const at::Tensor& t) { return keepdims || dims.empty() ? t : t.squeeze(dims); };
  const auto layout = share(x.layout().reduced(sorted, keepdims));
  const at::ScalarType type = integer ? at::ScalarType::Float : given;
  if (sorted.empty()) {
    const at::Tensor none = local.sub(local);
    return {none, none, none, count, layout, type};
  }
  if (has_moment_kernel(local)) {
    const at::Tensor m = global_moments(x, local, sorted, MomentOrder::Kurtosis);
    return {kept(m.select(0, 1)), kept(m.select(0, 2)), kept(m.select(0, 3)), count, layout, type};
  }
  const at::Tensor m = recorded_powers(x, local, sorted, count);
  return {kept(m.select(0, 0)), kept(m.select(0, 1)), kept(m.select(0, 2)), count, layout, type};
}

}  // namespace

DNDarray skewness(const DNDarray& x, const Axes& axes, bool keepdims, bool unbiased) {
  const Powers p = power_sums("skew", x, axes, keepdims);
  const double n = p.count;
  const double bias = unbiased ? std::sqrt(n * (n - 1)) / (n - 2) : 1.0;
  const at::Tensor ratio = p.third.div(n).div(p.second.div(n).pow(1.5)).mul(bias);
  return {cast(ratio, p.type), p.layout, x.comm_ptr()};
}

DNDarray kurtosis(const DNDarray& x, const Axes& axes, bool keepdims, bool unbiased, bool excess) {
  const Powers p = power_sums("kurtosis", x, axes, keepdims);
  const double n = p.count;
  at::Tensor ratio = p.fourth.div(n).div(p.second.div(n).square());
  if (unbiased) {
    ratio = ratio.mul(n + 1).sub(3 * (n - 1)).mul((n - 1) / ((n - 2) * (n - 3))).add(3);
  }
  return {cast(excess ? ratio.sub(3) : ratio, p.type), p.layout, x.comm_ptr()};
}

}  // namespace eh
