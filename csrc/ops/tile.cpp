// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange_ops.h>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "base/error.hpp"
#include "ops/growing.hpp"

namespace eh {
namespace {

at::Tensor repeat_here(const at::Tensor& local, std::int64_t times, int axis) {
  std::vector<std::int64_t> repeats(static_cast<std::size_t>(local.dim()), 1);
  repeats[at(axis)] = times;
  return local.repeat(repeats);
}

/// Every rank's rows of the result run through all of x: it is brought to every rank.
at::Tensor read_off(const DNDarray& x, int axis, const Layout& result) {
  const at::Tensor whole = enter_partial(resplit(x, kNoSplit).local(), x.comm_ptr());
  const int me = x.comm().rank();
  const at::Tensor rows =
      at::_ops::arange_start::call(at::Scalar(result.offset(me)), at::Scalar(result.offset(me + 1)),
                                   at::kLong, std::nullopt, whole.device(), std::nullopt);
  return whole.index_select(axis, rows.remainder(std::max<std::int64_t>(x.shape()[at(axis)], 1)));
}

}  // namespace

DNDarray tile_axis(const DNDarray& x, std::int64_t times, int axis) {
  axis = normalize_axis(axis, x.ndim(), "tile");
  EH_CHECK(times >= 0, ValueError, "tile: repetitions must not be negative, is ", times);
  const std::int64_t n = x.shape()[at(axis)];
  Shape shape = x.shape();
  shape[at(axis)] = n * times;
  if (axis != x.split() || x.comm().size() == 1) {
    const Layout layout = axis == x.split()       ? Layout::balanced(shape, axis, 1)
                          : x.layout().is_split() ? x.layout().with_shape(shape, x.split())
                                                  : Layout::replicated(shape, x.comm().size());
    return {repeat_here(x.local(), times, axis), share(layout), x.comm_ptr()};
  }
  if (times >= x.comm().size()) {
    const LayoutPtr layout = share(Layout::balanced(shape, axis, x.comm().size()));
    return {read_off(x, axis, *layout), layout, x.comm_ptr()};
  }
  std::vector<Move> moves;
  for (std::int64_t k = 0; k < times && n > 0; ++k) moves.push_back({0, k * n, n});
  return move_to(x, axis, n * times, moves);
}

}  // namespace eh
