// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange_ops.h>

#include <algorithm>
#include <utility>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "base/error.hpp"
#include "ops/growing.hpp"

namespace eh {
namespace {

/// Every rank's rows of the result run through all of x: it is brought to every rank.
at::Tensor read_off(const DNDarray& x, int axis, const Layout& result) {
  const at::Tensor whole = enter_partial(resplit(x, kNoSplit).local(), x.comm_ptr());
  const int me = x.comm().rank();
  const at::Tensor rows =
      at::_ops::arange_start::call(at::Scalar(result.offset(me)), at::Scalar(result.offset(me + 1)),
                                   at::kLong, std::nullopt, whole.device(), std::nullopt);
  return whole.index_select(axis, rows.remainder(std::max<std::int64_t>(x.shape()[at(axis)], 1)));
}

/// Along the axis that is distributed: the result is balanced. Collective.
DNDarray tile_split(const DNDarray& x, std::int64_t times) {
  const int axis = x.split();
  const std::int64_t n = x.shape()[at(axis)];
  if (times >= x.comm().size()) {
    Shape shape = x.shape();
    shape[at(axis)] = n * times;
    const LayoutPtr layout = share(Layout::balanced(shape, axis, x.comm().size()));
    return {read_off(x, axis, *layout), layout, x.comm_ptr()};
  }
  std::vector<Move> moves;
  for (std::int64_t k = 0; k < times && n > 0; ++k) moves.push_back({0, k * n, n});
  return move_to(x, axis, n * times, moves);
}

}  // namespace

DNDarray tile(const DNDarray& array, std::vector<std::int64_t> times) {
  EH_CHECK(static_cast<int>(times.size()) == array.ndim(), ValueError, "tile: ", times.size(),
           " repetitions for ", array.ndim(), " axes");
  for (const std::int64_t n : times)
    EH_CHECK(n >= 0, ValueError, "tile: repetitions must not be negative, is ", n);
  DNDarray x = array;
  if (x.is_distributed() && times[at(x.split())] != 1)
    x = tile_split(x, std::exchange(times[at(x.split())], 1));
  if (std::all_of(times.begin(), times.end(), [](std::int64_t n) { return n == 1; }))
    return x.local().is_same(array.local()) ? x.with_local(x.local().clone()) : x;
  Shape shape = x.shape();
  for (std::size_t axis = 0; axis < shape.size(); ++axis) shape[axis] *= times[axis];
  const Layout layout = x.is_distributed() ? x.layout().with_shape(shape, x.split())
                                           : Layout::balanced(shape, x.split(), x.comm().size());
  return {x.local().repeat(times), share(layout), x.comm_ptr()};
}

}  // namespace eh
