// SPDX-License-Identifier: BSD-3-Clause
#include "ops/fft.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/_fft_c2c_ops.h>
#include <ATen/ops/_fft_c2r_ops.h>
#include <ATen/ops/_fft_r2c_ops.h>
#include <ATen/ops/constant_pad_nd_ops.h>
#include <ATen/ops/real_ops.h>

#include <algorithm>

#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "ops/types.hpp"

namespace eh {
namespace detail {

namespace op = at::_ops;

at::Tensor resized(const at::Tensor& x, std::int64_t axis, std::int64_t length) {
  const std::int64_t present = x.size(axis);
  if (present == length) return x;
  if (present > length) return x.narrow(axis, 0, length);
  std::vector<c10::SymInt> padding(static_cast<std::size_t>(2 * (x.dim() - axis)), 0);
  padding.back() = length - present;
  return op::constant_pad_nd::call(x, padding, 0);
}

at::Tensor plain_fft(const at::Tensor& x, const std::vector<std::int64_t>& axes, FftScale scale,
                     bool forward) {
  const bool real = !x.is_complex();
  const at::ScalarType type = c10::toComplexType(x.scalar_type());
  if (x.numel() == 0 || axes.empty()) return x.to(type);
  const auto normalization = static_cast<std::int64_t>(scale);
  if (real && axes.size() == 1) {  // half the work of a complex transform
    const at::Tensor spectrum = op::_fft_r2c::call(x, axes, normalization, false);
    return forward ? spectrum : spectrum.conj().resolve_conj();
  }
  return op::_fft_c2c::call(x.to(type), c10::fromIntArrayRefSlow(axes), normalization, forward);
}

at::Tensor LineTransform::operator()(const at::Tensor& x, std::int64_t axis) const {
  const auto normalization = static_cast<std::int64_t>(scale);
  switch (kind) {
    case Kind::Complex:
      return plain_fft(resized(x, axis, n), {axis}, scale, forward);
    case Kind::FromReal:
      if (x.numel() == 0) return resized(x.to(c10::toComplexType(x.scalar_type())), axis, extent());
      return op::_fft_r2c::call(resized(x, axis, n), axis, normalization, true);
    case Kind::ToReal:
      const at::Tensor half = resized(x, axis, n / 2 + 1);
      if (x.numel() == 0) return resized(op::real::call(half), axis, n);
      return op::_fft_c2r::call(half, axis, normalization, n);
  }
  return x;
}

}  // namespace detail

namespace {

using detail::LineTransform;
using Kind = LineTransform::Kind;

/// float32 or complex64 at least: what transforms exist for.
DNDarray transformable(const DNDarray& x, bool complex) {
  at::ScalarType type = x.local().scalar_type();
  if (at::isIntegralType(type, true) || type == at::kHalf || type == at::kBFloat16) type = at::kFloat;
  return x.with_local(cast(x.local(), complex ? c10::toComplexType(type) : type));
}

/// The layout of x with another extent along one axis: balanced along the split if that is the axis.
LayoutPtr with_extent(const DNDarray& x, int axis, std::int64_t extent) {
  Shape shape = x.shape();
  if (shape[static_cast<std::size_t>(axis)] == extent) return x.layout_ptr();
  shape[static_cast<std::size_t>(axis)] = extent;
  if (axis == x.split()) return share(Layout::balanced(std::move(shape), axis, x.layout().nranks()));
  if (!x.layout().is_split()) return share(Layout::replicated(std::move(shape), x.layout().nranks()));
  return share(x.layout().with_shape(std::move(shape), x.split()));
}

DNDarray transform_line(const DNDarray& x, int axis, const LineTransform& line) {
  if (axis == x.split() && x.is_distributed()) return detail::transform_split(x, line);
  return {line(x.local(), axis), with_extent(x, axis, line.extent()), x.comm_ptr()};
}

/// Complex transforms along all axes that are local, in one go.
DNDarray transform_local(const DNDarray& x, const FftAxes& spec, FftScale scale, bool forward) {
  DNDarray y = x;
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < spec.axes.size(); ++i) {
    const int axis = spec.axes[i];
    if (axis == x.split() && x.is_distributed()) continue;
    axes.push_back(axis);
    y = {detail::resized(y.local(), axis, spec.lengths[i]), with_extent(y, axis, spec.lengths[i]),
         y.comm_ptr()};
  }
  return y.with_local(detail::plain_fft(y.local(), axes, scale, forward));
}

FftAxes all_but_last(const FftAxes& axes) {
  return {{axes.axes.begin(), axes.axes.end() - 1}, {axes.lengths.begin(), axes.lengths.end() - 1}};
}

}  // namespace

DNDarray fft_complex(const DNDarray& x, const FftAxes& axes, FftScale scale, bool forward) {
  DNDarray y = transform_local(transformable(x, false), axes, scale, forward);
  for (std::size_t i = 0; i < axes.axes.size(); ++i) {
    if (axes.axes[i] != x.split() || !x.is_distributed()) continue;
    y = transform_line(y, axes.axes[i], {Kind::Complex, axes.lengths[i], scale, forward});
  }
  return y;
}

DNDarray fft_from_real(const DNDarray& x, const FftAxes& axes, FftScale scale) {
  EH_CHECK(!x.local().is_complex(), TypeError, "rfft: the array must be real, is ",
           name_of(dtype_of(x.local().scalar_type())), "; use fft");
  const LineTransform last = {Kind::FromReal, axes.lengths.back(), scale, true};
  const DNDarray half = transform_line(transformable(x, false), axes.axes.back(), last);
  return fft_complex(half, all_but_last(axes), scale, true);
}

DNDarray fft_to_real(const DNDarray& x, const FftAxes& axes, FftScale scale) {
  const DNDarray half = fft_complex(transformable(x, true), all_but_last(axes), scale, false);
  return transform_line(half, axes.axes.back(), {Kind::ToReal, axes.lengths.back(), scale, false});
}

}  // namespace eh
