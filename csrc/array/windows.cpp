// SPDX-License-Identifier: BSD-3-Clause
#include "array/windows.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd_ops.h>

#include <algorithm>

#include "array/autograd.hpp"

namespace eh {
namespace {

namespace op = at::_ops;

at::Tensor padded(const at::Tensor& x, int axis, std::int64_t before, std::int64_t after, double fill) {
  if (before + after == 0) return x;
  std::vector<c10::SymInt> padding(static_cast<std::size_t>(2 * (x.dim() - axis)), 0);
  padding[padding.size() - 2] = before;
  padding.back() = after;
  return op::constant_pad_nd::call(x, padding, fill);
}

/// What Boundary::Fill puts beyond the ends, where the moves have left zeros.
at::Tensor filled_beyond(const at::Tensor& rows, int axis, const Window& own, std::int64_t n, double fill) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(rows.dim()), 1);
  const std::int64_t length = own.end - own.begin;
  shape[static_cast<std::size_t>(axis)] = length;
  at::Tensor beyond = rows.new_zeros({length});
  const std::int64_t before = std::clamp<std::int64_t>(-own.begin, 0, length);
  const std::int64_t after = std::clamp<std::int64_t>(own.end - n, 0, length);
  beyond.narrow(0, 0, before).fill_(fill);
  beyond.narrow(0, length - after, after).fill_(fill);
  return rows.add(beyond.view(shape));
}

}  // namespace

at::Tensor local_window(const at::Tensor& x, int axis, const Window& window, const Beyond& beyond) {
  const std::int64_t n = x.size(axis);
  if (window.begin >= 0 && window.end <= n) return x.narrow(axis, window.begin, window.end - window.begin);
  if (beyond.boundary == Boundary::Fill || n == 0) {
    const std::int64_t begin = std::clamp<std::int64_t>(window.begin, 0, n);
    const std::int64_t end = std::clamp<std::int64_t>(window.end, begin, n);
    const std::int64_t before = std::clamp<std::int64_t>(-window.begin, 0, window.end - window.begin);
    const std::int64_t after = window.end - window.begin - before - (end - begin);
    const double fill = beyond.boundary == Boundary::Fill ? beyond.fill : 0;
    return padded(x.narrow(axis, begin, end - begin), axis, before, after, fill);
  }
  const at::Tensor index = x.new_empty({window.end - window.begin},
                                       x.options().dtype(at::kLong).device(at::kCPU).requires_grad(false));
  auto* target = index.mutable_data_ptr<std::int64_t>();
  for (std::int64_t at = window.begin; at < window.end; ++at) *target++ = row_at(at, n, beyond.boundary);
  return x.index_select(axis, index.to(x.device()));
}

at::Tensor window_of(const DNDarray& x, int axis, const std::vector<Window>& windows, const Beyond& beyond) {
  const Window own = windows[static_cast<std::size_t>(x.comm().rank())];
  if (axis != x.split() || !x.is_distributed()) return local_window(x.local(), axis, own, beyond);
  const RowPlan plan = plan_windows(x.layout().counts(), windows, beyond.boundary);
  const at::Tensor rows = move_rows(x.local(), axis, plan.from, plan.to, plan.moves, x.comm_ptr());
  if (beyond.boundary != Boundary::Fill || beyond.fill == 0) return rows;
  return filled_beyond(rows, axis, own, x.shape()[static_cast<std::size_t>(axis)], beyond.fill);
}

at::Tensor extended(const DNDarray& x, const Frame& frame) {
  at::Tensor block = x.local();
  if (x.is_distributed()) {
    const auto k = static_cast<std::size_t>(x.split());
    if (frame.before[k] + frame.after[k] > 0) {
      const auto windows = windows_around(x.layout().counts(), frame.before[k], frame.after[k]);
      block = window_of(x, x.split(), windows, frame.beyond);
    }
  }
  for (int axis = 0; axis < x.ndim(); ++axis) {
    if (axis == x.split() && x.is_distributed()) continue;
    const auto k = static_cast<std::size_t>(axis);
    block = local_window(block, axis, {-frame.before[k], block.size(axis) + frame.after[k]}, frame.beyond);
  }
  return block;
}

}  // namespace eh
