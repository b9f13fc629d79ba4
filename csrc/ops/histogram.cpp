// SPDX-License-Identifier: BSD-3-Clause
#include "ops/histogram.hpp"

#include <ATen/core/Tensor.h>

#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/histogram.hpp"
#include "kernels/selection.hpp"
#include "kernels/sort_key.hpp"

namespace eh {
namespace {

at::Tensor flat(const at::Tensor& local) { return local.detach().cpu().contiguous().view({-1}); }

/// The keys of the smallest and largest element of all ranks.
kernels::KeyRange global_range(const DNDarray& x) {
  const at::Tensor values = flat(x.local());
  kernels::KeyRange range =
      kernels::key_range(dtype_of(values.scalar_type()), values.const_data_ptr(), values.numel());
  if (!x.is_distributed()) return range;
  std::uint64_t extremes[] = {~range.least, range.greatest};
  x.comm().allreduce({extremes, 2, DType::UInt64}, {extremes, 2, DType::UInt64}, ReduceOp::Max);
  x.comm().allreduce({&range.nans, 1, DType::Int64}, {&range.nans, 1, DType::Int64}, ReduceOp::Sum);
  return {~extremes[0], extremes[1], range.nans};
}

/// A key's value, for integers exactly. @pre real or integer
template <typename Number>
Number value_of(std::uint64_t key, const at::Tensor& like) {
  const DType dtype = dtype_of(like.scalar_type());
  at::Tensor out = like.new_empty({1}, like.options().device(at::kCPU));
  kernels::with_codec(dtype, [&](auto codec) {
    using Codec = decltype(codec);
    if constexpr (std::is_integral_v<typename Codec::Raw>)
      *static_cast<typename Codec::Raw*>(out.mutable_data_ptr()) =
          Codec::decode(static_cast<typename Codec::Key>(key));
  });
  return out.item<Number>();
}

/// Weights in x's blocks, as float64.
std::optional<at::Tensor> weights_beside(const DNDarray& x, const std::optional<DNDarray>& weights,
                                         const char* fn) {
  if (!weights) return std::nullopt;
  EH_CHECK(weights->shape() == x.shape(), ValueError, fn, ": weights have shape ",
           to_string(weights->shape()), ", must have that of the array, ", to_string(x.shape()));
  EH_CHECK(!at::isComplexType(weights->local().scalar_type()), TypeError, fn, ": weights must be real");
  return flat(redistribute(*weights, x.layout_ptr()).local()).to(at::kDouble);
}

/// Empty bins, filled by `count`, summed over ranks.
template <typename F>
DNDarray counted(const DNDarray& x, std::int64_t n, bool weighted, const F& count) {
  at::Tensor bins = x.local().new_zeros(
      {n}, x.local().options().device(at::kCPU).dtype(weighted ? at::kDouble : at::kLong));
  count(kernels::Bins{weighted ? nullptr : bins.mutable_data_ptr<std::int64_t>(),
                      weighted ? bins.mutable_data_ptr<double>() : nullptr});
  if (x.is_distributed()) bins = allreduce(bins, ReduceOp::Sum, x.comm());
  const LayoutPtr layout = share(Layout::replicated({n}, x.comm().size()));
  return {bins.to(x.local().device()), layout, x.comm_ptr()};
}

}  // namespace

ValueRange value_range(const DNDarray& x) {
  EH_CHECK(!at::isComplexType(x.local().scalar_type()), TypeError,
           "histogram: complex numbers have no order");
  const kernels::KeyRange range = global_range(x);
  if (range.least > range.greatest) return {1, 0, range.nans};
  return {value_of<double>(range.least, x.local()), value_of<double>(range.greatest, x.local()), range.nans};
}

DNDarray histogram(const DNDarray& x, const std::vector<double>& edges, bool even,
                   const std::optional<DNDarray>& weights) {
  EH_CHECK(!at::isComplexType(x.local().scalar_type()), TypeError,
           "histogram: complex numbers have no order");
  const std::optional<at::Tensor> w = weights_beside(x, weights, "histogram");
  const at::Tensor values = flat(x.local());
  const auto bins = static_cast<std::int64_t>(edges.size()) - 1;
  return counted(x, bins, w.has_value(), [&](kernels::Bins out) {
    kernels::histogram(dtype_of(values.scalar_type()), values.const_data_ptr(),
                       w ? w->const_data_ptr<double>() : nullptr, values.numel(), edges, even, out);
  });
}

DNDarray bincount(const DNDarray& x, const std::optional<DNDarray>& weights, std::int64_t minlength) {
  EH_CHECK(at::isIntegralType(x.local().scalar_type(), true), TypeError,
           "bincount: x must hold integers, holds ", name_of(dtype_of(x.local().scalar_type())));
  EH_CHECK(x.ndim() == 1, ValueError, "bincount: x must be 1-dimensional, has shape ", to_string(x.shape()));
  EH_CHECK(minlength >= 0, ValueError, "bincount: minlength must not be negative, is ", minlength);
  const std::optional<at::Tensor> w = weights_beside(x, weights, "bincount");
  const kernels::KeyRange range = global_range(x);
  std::int64_t n = minlength;
  if (range.least <= range.greatest) {
    const auto least = value_of<std::int64_t>(range.least, x.local());
    EH_CHECK(least >= 0, ValueError, "bincount: x must not hold negative integers, holds ", least);
    n = std::max(n, value_of<std::int64_t>(range.greatest, x.local()) + 1);
  }
  const at::Tensor values = flat(x.local());
  return counted(x, n, w.has_value(), [&](kernels::Bins out) {
    kernels::count_values(dtype_of(values.scalar_type()), values.const_data_ptr(),
                          w ? w->const_data_ptr<double>() : nullptr, values.numel(), out);
  });
}

}  // namespace eh
