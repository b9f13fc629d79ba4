// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <numeric>

#include "array/redistribute.hpp"
#include "base/error.hpp"
#include "ops/manipulation.hpp"

namespace eh {
namespace {

std::vector<int> full_permutation(const std::vector<int>& axes, int ndim) {
  std::vector<int> order(at(ndim));
  std::iota(order.rbegin(), order.rend(), 0);
  if (axes.empty()) return order;
  EH_CHECK(static_cast<int>(axes.size()) == ndim, ValueError,
           "transpose: axes don't match array: ", axes.size(), " axes for ", ndim, " dimensions");
  normalize_axes(axes, ndim, "transpose");  // each axis once
  std::transform(axes.begin(), axes.end(), order.begin(),
                 [&](int a) { return normalize_axis(a, ndim, "transpose"); });
  return order;
}

std::vector<int> squeezed_axes(const DNDarray& x, const std::optional<std::vector<int>>& axes) {
  std::vector<int> out;
  if (axes) {
    out = normalize_axes(*axes, x.ndim(), "squeeze");
  } else {
    for (int a = 0; a < x.ndim(); ++a) {
      if (x.shape()[at(a)] == 1) out.push_back(a);
    }
  }
  for (int a : out) {
    EH_CHECK(x.shape()[at(a)] == 1, ValueError,
             "squeeze: cannot select an axis to squeeze out which has size not "
             "equal to one: axis ",
             a, " of shape ", to_string(x.shape()));
  }
  return out;
}

void check_stretch(const Shape& from, const Shape& to) {
  bool fits = from.size() <= to.size();
  for (std::size_t i = 0; fits && i < from.size(); ++i) {
    const std::int64_t n = from[from.size() - 1 - i];
    fits = n == 1 || n == to[to.size() - 1 - i];
  }
  EH_CHECK(fits, ValueError, "broadcast_to: operands could not be broadcast together with remapped shapes ",
           to_string(from), " -> ", to_string(to));
}

}  // namespace

DNDarray permute(const DNDarray& x, const std::vector<int>& axes) {
  const std::vector<int> order = full_permutation(axes, x.ndim());
  const Shape wide(order.begin(), order.end());
  return {x.local().permute(sizes(wide)), share(x.layout().permuted(order)), x.comm_ptr()};
}

DNDarray expand_dims(const DNDarray& x, const std::vector<int>& axes) {
  const std::vector<int> places =
      normalize_axes(axes, x.ndim() + static_cast<int>(axes.size()), "expand_dims");
  Shape shape = x.shape();
  int split = x.split();
  at::Tensor local = x.local();
  for (int place : places) {  // ascending
    shape.insert(shape.begin() + place, 1);
    if (split != kNoSplit && place <= split) ++split;
    local = local.unsqueeze(place);
  }
  return {std::move(local), share(x.layout().with_shape(std::move(shape), split)), x.comm_ptr()};
}

DNDarray squeeze(const DNDarray& x, const std::optional<std::vector<int>>& axes) {
  const std::vector<int> gone = squeezed_axes(x, axes);
  const bool loses_split = std::binary_search(gone.begin(), gone.end(), x.split());
  const DNDarray whole = loses_split ? resplit(x, kNoSplit) : x;
  at::Tensor local = whole.local();
  for (auto axis = gone.rbegin(); axis != gone.rend(); ++axis) local = local.squeeze(*axis);
  return {std::move(local), share(whole.layout().reduced(gone, false)), x.comm_ptr()};
}

DNDarray broadcast_to(const DNDarray& x, const Shape& shape) {
  check_stretch(x.shape(), shape);
  const int shift = static_cast<int>(shape.size()) - x.ndim();
  const int split = x.layout().is_split() ? x.split() + shift : kNoSplit;
  const int nranks = x.comm().size();
  if (split == kNoSplit || x.shape()[at(x.split())] == shape[at(split)]) {
    const Layout layout = x.layout().with_shape(shape, split);
    return {x.local().expand(sizes(layout.lshape(x.comm().rank()))), share(layout), x.comm_ptr()};
  }
  const DNDarray whole = broadcast_to(resplit(x, kNoSplit), shape);
  return redistribute(whole, share(Layout::balanced(shape, split, nranks)));
}

}  // namespace eh
