// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/coordinate_descent.hpp"
#include "ops/estimators.hpp"
#include "ops/gram.hpp"
#include "ops/samples.hpp"

namespace eh {
namespace {

/// A column whose deviations are less than this share of its mean is constant but for rounding.
constexpr double kConstant = 1e-13;

/// Means of the columns of [x y], float64.
at::Tensor means(const DNDarray& x, const at::Tensor& y) {
  const std::int64_t f = x.shape()[1];
  const at::Tensor sums = x.local().new_empty({f + y.size(1)}, at::kDouble);
  sums.narrow(0, 0, f).copy_(x.local().sum(0, false, at::kDouble));
  sums.narrow(0, f, y.size(1)).copy_(y.sum(0, false, at::kDouble));
  return total_of(sums, x).div(static_cast<double>(x.shape()[0]));
}

/// z'z / n of z = [x y] - shift over the rows of all ranks, in float64.
at::Tensor gram(const DNDarray& x, const at::Tensor& y, const at::Tensor& shift) {
  return total_of(gram_of_rows(x.local(), y, shift), x).div_(static_cast<double>(x.shape()[0]));
}

/// Rows of y where those of x are.
at::Tensor targets(const DNDarray& y, const DNDarray& x) {
  return redistribute(y, share(x.layout().with_shape(y.shape(), x.split()))).local();
}

/// Rounding left in the columns of constant features, taken out.
void clear_constant(const at::Tensor& gram, const at::Tensor& shift, std::int64_t f) {
  const at::Tensor spread = gram.diagonal().narrow(0, 0, f);
  const at::Tensor keep = spread.gt(shift.narrow(0, 0, f).mul(kConstant).square()).to(at::kDouble);
  gram.narrow(0, 0, f).mul_(keep.unsqueeze(1));
  gram.narrow(1, 0, f).mul_(keep);
}

}  // namespace

LassoFit lasso(const DNDarray& given, const DNDarray& y, const LassoOptions& options) {
  EH_CHECK(given.ndim() == 2 && y.ndim() == 2 && y.shape()[0] == given.shape()[0] && y.shape()[0] > 0,
           ValueError, "lasso: x (n, f) and y (n, t) must have the same number of rows, at least one");
  const DNDarray x = as_samples(given, "lasso", "x");
  const std::int64_t f = x.shape()[1];
  const std::int64_t t = y.shape()[1];
  const at::Tensor local_y = targets(y, x);
  const at::Tensor shift = options.center ? means(x, local_y) : at::Tensor();
  const at::Tensor all = gram(x, local_y, shift).cpu();
  EH_CHECK(all.sum().mul(0).item<double>() == 0, ValueError, "lasso: x or y contains NaN or infinity");
  if (options.center) clear_constant(all, shift.cpu(), f);
  const at::Tensor form = all.narrow(0, 0, f).narrow(1, 0, f).contiguous();
  form.diagonal().narrow(0, options.unpenalized, f - options.unpenalized).add_(options.ridge);
  const at::Tensor linear = all.narrow(0, f, t).narrow(1, 0, f).contiguous();
  const at::Tensor theta = linear.new_zeros({t, f});
  const at::Tensor room = linear.new_empty({f});
  std::int64_t iterations = 0;
  for (std::int64_t target = 0; target < t; ++target) {
    const std::int64_t used = kernels::coordinate_descent(
        form.const_data_ptr<double>(), linear.const_data_ptr<double>() + target * f, f,
        {options.penalty, options.unpenalized, options.max_iter, options.tol},
        theta.mutable_data_ptr<double>() + target * f, room.mutable_data_ptr<double>());
    iterations = std::max(iterations, used);
  }
  const auto wrap = [&](const at::Tensor& z) { return replicated(z.to(x.local().device()), x.comm_ptr()); };
  const at::Tensor intercept = options.center
                                   ? shift.cpu().narrow(0, f, t).sub(theta.mv(shift.cpu().narrow(0, 0, f)))
                                   : linear.new_zeros({t});
  return {wrap(theta.t().contiguous()), wrap(intercept), iterations};
}

}  // namespace eh
