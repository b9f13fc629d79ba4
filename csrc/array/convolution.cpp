// SPDX-License-Identifier: BSD-3-Clause
#include "array/convolution.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/_fft_c2c_ops.h>
#include <ATen/ops/_fft_c2r_ops.h>
#include <ATen/ops/_fft_r2c_ops.h>
#include <ATen/ops/complex_ops.h>
#include <ATen/ops/constant_pad_nd_ops.h>
#include <ATen/ops/conv2d_ops.h>
#include <ATen/ops/imag_ops.h>
#include <ATen/ops/real_ops.h>

#include <algorithm>

#include "kernels/correlate.hpp"
#include "layout/fft_plan.hpp"

namespace eh {
namespace {

namespace op = at::_ops;

/// Elements of v from which a transform is faster than the direct sum.
constexpr std::int64_t kManyElements = 1500;

at::Tensor padded(const at::Tensor& x, std::int64_t height, std::int64_t width) {
  if (x.size(1) == height && x.size(2) == width) return x;
  const std::vector<c10::SymInt> padding = {0, width - x.size(2), 0, height - x.size(1)};
  return op::constant_pad_nd::call(x, padding, 0);
}

/// By circular correlation, whose wrapped part lies behind what is asked for.
at::Tensor transformed(const at::Tensor& x, const at::Tensor& v) {
  const std::int64_t height = x.size(1) == 1 ? 1 : smooth_length(x.size(1));
  const std::int64_t width = smooth_length(x.size(2));
  const std::vector<std::int64_t> axes = {1, 2};
  at::Tensor out;
  if (x.is_complex()) {
    const auto forward = [&](const at::Tensor& t) {
      return op::_fft_c2c::call(padded(t, height, width), c10::fromIntArrayRefSlow(axes), 0, true);
    };
    const at::Tensor product = forward(x).mul(forward(v.conj().resolve_conj()).conj());
    out = op::_fft_c2c::call(product, c10::fromIntArrayRefSlow(axes), 2, false);
  } else {
    const auto forward = [&](const at::Tensor& t) {
      return op::_fft_r2c::call(padded(t, height, width), axes, 0, true);
    };
    out = op::_fft_c2r::call(forward(x).mul(forward(v).conj()), axes, 2, width);
  }
  return out.narrow(1, 0, x.size(1) - v.size(1) + 1).narrow(2, 0, x.size(2) - v.size(2) + 1);
}

/// Long lines in overlapping pieces that stay in the cache (overlap-save); v is a line, too, one for the whole batch.
at::Tensor by_pieces(const at::Tensor& x, const at::Tensor& v) {
  const std::int64_t n = x.size(2) - v.size(2) + 1;
  const std::int64_t piece = smooth_length(4 * v.size(2));
  const std::int64_t step = piece - v.size(2) + 1;
  if (x.size(1) != 1 || v.size(1) != 1 || v.size(0) != 1 || n <= 2 * step) return transformed(x, v);
  const std::int64_t pieces = (n + step - 1) / step;
  const at::Tensor line = padded(x, 1, pieces * step + v.size(2) - 1).contiguous();
  const at::Tensor views = line.as_strided({x.size(0) * pieces, 1, piece}, {step, piece, 1});
  if (x.size(0) == 1) return transformed(views, v).reshape({1, 1, pieces * step}).narrow(2, 0, n);
  const at::Tensor rows = line.as_strided({x.size(0), pieces, piece}, {line.size(2), step, 1});
  const at::Tensor done = transformed(rows.reshape({x.size(0) * pieces, 1, piece}), v);
  return done.reshape({x.size(0), 1, pieces * step}).narrow(2, 0, n);
}

template <typename T, typename Stored>
at::Tensor direct_as(const at::Tensor& x, const at::Tensor& v) {
  const kernels::Correlation shape = {x.size(0), x.size(1), x.size(2), v.size(1), v.size(2), v.size(0) == 1};
  const at::Tensor a = x.contiguous();
  const at::Tensor b = v.contiguous();
  at::Tensor out =
      x.new_empty({shape.batch, shape.height - shape.v_height + 1, shape.width - shape.v_width + 1});
  kernels::correlate(reinterpret_cast<const T*>(a.const_data_ptr<Stored>()),
                     reinterpret_cast<const T*>(b.const_data_ptr<Stored>()), shape,
                     reinterpret_cast<T*>(out.mutable_data_ptr<Stored>()));
  return out;
}

at::Tensor direct(const at::Tensor& x, const at::Tensor& v) {
  switch (x.scalar_type()) {
    case at::kFloat:
      return direct_as<float, float>(x, v);
    case at::kDouble:
      return direct_as<double, double>(x, v);
    case at::kLong:
      return direct_as<std::uint64_t, std::int64_t>(x, v);
    case at::kInt:
      return direct_as<std::uint32_t, std::int32_t>(x, v);
    default:  // half precision sums in float32; small integers wrap after the sum as they would within
      const at::ScalarType wide = at::isFloatingType(x.scalar_type()) ? at::kFloat : at::kInt;
      return direct(x.to(wide), v.to(wide)).to(x.scalar_type());
  }
}

at::Tensor direct_complex(const at::Tensor& x, const at::Tensor& v) {
  const at::Tensor xr = op::real::call(x);
  const at::Tensor xi = op::imag::call(x);
  const at::Tensor vr = op::real::call(v);
  const at::Tensor vi = op::imag::call(v);
  return op::complex::call(direct(xr, vr).sub_(direct(xi, vi)), direct(xr, vi).add_(direct(xi, vr)));
}

/// Elsewhere than on the CPU: one group per element of the batch.
at::Tensor on_device(const at::Tensor& x, const at::Tensor& v) {
  const at::Tensor weight = v.expand({x.size(0), v.size(1), v.size(2)}).unsqueeze(1);
  return op::conv2d::call(x.unsqueeze(0), weight, std::nullopt, c10::SymIntArrayRef{1, 1},
                          c10::SymIntArrayRef{0, 0}, c10::SymIntArrayRef{1, 1}, x.size(0))
      .squeeze(0);
}

}  // namespace

at::Tensor correlate_blocks(const at::Tensor& x, const at::Tensor& v) {
  const bool inexact = x.is_complex() || x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble;
  const std::int64_t results = (x.size(1) - v.size(1) + 1) * (x.size(2) - v.size(2) + 1);
  if (x.size(0) > 0 && inexact && std::min(v.size(1) * v.size(2), results) >= kManyElements)
    return by_pieces(x, v);
  if (!x.device().is_cpu() && x.size(0) > 0) return on_device(x, v);
  return x.is_complex() ? direct_complex(x, v) : direct(x, v);
}

}  // namespace eh
