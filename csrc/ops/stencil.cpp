// SPDX-License-Identifier: BSD-3-Clause
#include "ops/stencil.hpp"

#include <ATen/core/IListRef.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat_ops.h>

#include <algorithm>
#include <tuple>

#include "array/autograd.hpp"
#include "array/halo.hpp"
#include "array/parallel.hpp"
#include "base/error.hpp"
#include "kernels/stencil.hpp"

namespace eh {
namespace {

/// A part of a block: one range per axis.
using Box = std::vector<Window>;

std::size_t at(int axis) { return static_cast<std::size_t>(axis); }

at::Tensor part_of(const at::Tensor& block, const Box& box) {
  at::Tensor part = block;
  for (int axis = 0; axis < static_cast<int>(box.size()); ++axis)
    part = part.narrow(axis, box[at(axis)].begin, box[at(axis)].end - box[at(axis)].begin);
  return part;
}

/// A block, and the rows beside it along the split, from which parts with their frame are cut.
class Framed {
 public:
  Framed(const DNDarray& x, const Frame& frame) : block_(x.local().detach()), frame_(frame) {
    const bool exchanges = x.is_distributed() && width(x.split()) > 0;
    if (!exchanges) return;
    split_ = x.split();
    halo_ = halo_exchange_for(x, frame.before[at(split_)], frame.after[at(split_)], frame.beyond);
    halo_->start(block_);
  }

  std::int64_t width(int axis) const { return frame_.before[at(axis)] + frame_.after[at(axis)]; }
  int ndim() const { return static_cast<int>(block_.dim()); }
  std::int64_t extent(int axis) const { return block_.size(axis); }
  int split() const { return split_; }

  void wait() {
    if (halo_ != nullptr && halo_->is_under_way()) std::tie(before_, after_) = halo_->finish();
  }

  /// The box with its frame. Rows beyond the block along the split need wait().
  at::Tensor around(const Box& box) const {
    Box wide = box;
    for (int axis = 0; axis < ndim(); ++axis) {
      wide[at(axis)].begin -= frame_.before[at(axis)];
      wide[at(axis)].end += frame_.after[at(axis)];
    }
    if (split_ < 0) return across(block_, wide);
    const Window rows = wide[at(split_)];
    const std::int64_t n = extent(split_);
    const std::int64_t halo = frame_.before[at(split_)];
    const Window inside = {std::clamp<std::int64_t>(rows.begin, 0, n),
                           std::clamp<std::int64_t>(rows.end, 0, n)};
    std::vector<at::Tensor> parts;
    const auto add = [&](const at::Tensor& from, std::int64_t begin, std::int64_t end) {
      if (begin < end) parts.push_back(across(from.narrow(split_, begin, end - begin), wide));
    };
    add(before_, halo + rows.begin, halo + std::min<std::int64_t>(rows.end, 0));
    add(block_, inside.begin, inside.end);
    add(after_, std::max<std::int64_t>(rows.begin - n, 0), rows.end - n);
    if (parts.empty()) return across(block_.narrow(split_, 0, 0), wide);
    return parts.size() == 1 ? parts[0] : at::_ops::cat::call(at::ITensorListRef(parts), split_);
  }

 private:
  /// Windows onto all axes but the split.
  at::Tensor across(const at::Tensor& rows, const Box& wide) const {
    at::Tensor part = rows;
    for (int axis = 0; axis < ndim(); ++axis)
      if (axis != split_) part = local_window(part, axis, wide[at(axis)], frame_.beyond);
    return part;
  }

  at::Tensor block_;
  const Frame& frame_;
  int split_ = -1;
  std::shared_ptr<HaloExchange> halo_;
  at::Tensor before_, after_;
};

/// Calls visit(part with its frame, box) for disjoint boxes that make up the block: first those that need no halo, while
/// it travels.
template <typename Visit>
void for_parts(const DNDarray& x, const Frame& frame, const Visit& visit) {
  Framed framed(x, frame);
  const int ndim = framed.ndim();
  Box whole(at(ndim));
  Box inner(at(ndim));
  bool has_inner = true;
  for (int axis = 0; axis < ndim; ++axis) {
    whole[at(axis)] = {0, framed.extent(axis)};
    inner[at(axis)] = {frame.before[at(axis)], framed.extent(axis) - frame.after[at(axis)]};
    has_inner = has_inner && inner[at(axis)].begin < inner[at(axis)].end;
  }
  if (!has_inner) {
    framed.wait();
    return visit(framed.around(whole), whole);
  }
  visit(framed.around(inner), inner);
  // Slabs of the other axes lie between those of the split: they need no rows of others either.
  Box open = whole;
  std::vector<Box> last;
  const auto slabs = [&](int axis, std::vector<Box>* later) {
    for (const Window& range :
         {Window{0, inner[at(axis)].begin}, Window{inner[at(axis)].end, framed.extent(axis)}}) {
      if (range.begin == range.end) continue;
      Box slab = open;
      slab[at(axis)] = range;
      if (later != nullptr)
        later->push_back(slab);
      else
        visit(framed.around(slab), slab);
    }
    open[at(axis)] = inner[at(axis)];
  };
  if (framed.split() >= 0) slabs(framed.split(), &last);
  for (int axis = 0; axis < ndim; ++axis)
    if (axis != framed.split()) slabs(axis, nullptr);
  framed.wait();
  for (const Box& slab : last) visit(framed.around(slab), slab);
}

/// The sum in torch's operations: any type, any device, recorded by autograd.
at::Tensor sum_of_views(const at::Tensor& wide, const Frame& frame, const Taps& taps) {
  at::Tensor sum;
  for (std::size_t t = 0; t < taps.weights.size(); ++t) {
    at::Tensor view = wide;
    for (int axis = 0; axis < static_cast<int>(wide.dim()); ++axis) {
      const std::int64_t n = wide.size(axis) - frame.before[at(axis)] - frame.after[at(axis)];
      view = view.narrow(axis, frame.before[at(axis)] + taps.offsets[t][at(axis)], n);
    }
    sum = sum.defined() ? sum.add(view, taps.weights[t]) : view.mul(taps.weights[t]);
  }
  return sum;
}

/// The sum in one pass over rows of the last axis.
template <typename T>
void sum_rows(const at::Tensor& wide, const Frame& frame, const Taps& taps, bool add, const at::Tensor& out) {
  const int ndim = static_cast<int>(out.dim());
  const int last = ndim - 1;
  const at::Tensor source = wide.stride(last) == 1 ? wide : wide.contiguous();
  const T* x = source.const_data_ptr<T>();
  for (int axis = 0; axis < ndim; ++axis) x += frame.before[at(axis)] * source.stride(axis);
  std::vector<kernels::Tap<T>> list;
  for (std::size_t t = 0; t < taps.weights.size(); ++t) {
    std::int64_t offset = 0;
    for (int axis = 0; axis < ndim; ++axis) offset += taps.offsets[t][at(axis)] * source.stride(axis);
    list.push_back({offset, static_cast<T>(taps.weights[t])});
  }
  const std::int64_t n = out.size(last);
  T* to = out.mutable_data_ptr<T>();
  const std::int64_t rows = n == 0 ? 0 : out.numel() / n;
  const auto cost = n * static_cast<std::int64_t>(list.size()) / 4;
  parallel_rows(rows, cost, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      std::int64_t from_at = 0;
      std::int64_t to_at = 0;
      std::int64_t rest = row;
      for (int axis = last - 1; axis >= 0; --axis) {
        const std::int64_t i = rest % out.size(axis);
        rest /= out.size(axis);
        from_at += i * source.stride(axis);
        to_at += i * out.stride(axis);
      }
      kernels::stencil_row(x + from_at, list, n, add, to + to_at);
    }
  });
}

void sum_into(const at::Tensor& wide, const Frame& frame, const Taps& taps, bool add, const at::Tensor& out) {
  const bool plain = wide.is_cpu() && out.dim() > 0 && out.stride(out.dim() - 1) == 1;
  if (plain && wide.scalar_type() == at::kFloat) return sum_rows<float>(wide, frame, taps, add, out);
  if (plain && wide.scalar_type() == at::kDouble) return sum_rows<double>(wide, frame, taps, add, out);
  const at::Tensor sum = sum_of_views(wide, frame, taps);
  if (add)
    out.add_(sum);
  else
    out.copy_(sum);
}

}  // namespace

DNDarray weighted_stencil(const DNDarray& x, const Frame& frame, const Taps& taps, const Destination& to) {
  if (taps.weights.empty()) {
    if (!to.out) return x.with_local(x.local().mul(0));
    if (!to.add) to.out->local().detach().zero_();
    return *to.out;
  }
  if (!to.out && needs_grad(x.local())) return x.with_local(sum_of_views(extended(x, frame), frame, taps));
  const DNDarray target = to.out ? *to.out : x.with_local(x.local().new_empty(x.local().sizes()));
  const at::Tensor out = target.local().detach();
  for_parts(x, frame, [&](const at::Tensor& wide, const Box& box) {
    sum_into(wide, frame, taps, to.add, part_of(out, box));
  });
  return target;
}

DNDarray map_stencil(const DNDarray& x, const Frame& frame, const BlockFunction& fn) {
  const auto checked = [&](const at::Tensor& wide, const Shape& shape) {
    at::Tensor result = fn(wide);
    EH_CHECK(shape_of(result) == shape, ValueError, "stencil: fn gave a tensor of shape ",
             to_string(shape_of(result)), " for a part of shape ", to_string(shape_of(wide)),
             "; without the frame it is ", to_string(shape));
    return result.is_alias_of(x.local()) && !needs_grad(result) ? result.clone() : result;
  };
  if (needs_grad(x.local())) return x.with_local(checked(extended(x, frame), shape_of(x.local())));
  at::Tensor out;
  const Shape own = shape_of(x.local());
  for_parts(x, frame, [&](const at::Tensor& wide, const Box& box) {
    Shape shape;
    for (const Window& range : box) shape.push_back(range.end - range.begin);
    const at::Tensor result = checked(wide, shape);
    if (shape == own) {
      out = result;
      return;
    }
    if (!out.defined()) out = result.new_empty(sizes(own));
    part_of(out, box).copy_(result);
  });
  return x.with_local(out);
}

}  // namespace eh
