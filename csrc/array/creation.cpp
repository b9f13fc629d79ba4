// SPDX-License-Identifier: BSD-3-Clause
#include "array/creation.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_ops.h>

#include <cmath>

#include "array/numbers.hpp"
#include "array/redistribute.hpp"
#include "base/error.hpp"

namespace eh {
namespace {

Layout layout_of(const NewArray& spec) { return Layout::balanced(spec.shape, spec.split, spec.comm->size()); }

at::Tensor empty_tensor(const Shape& shape, at::ScalarType dtype, at::Device device) {
  return at::_ops::empty_memory_format::call(c10::fromIntArrayRefSlow(sizes(shape)), dtype, at::kStrided,
                                             device, std::nullopt, std::nullopt);
}

at::Tensor empty_block(const Layout& layout, const NewArray& spec) {
  return empty_tensor(layout.lshape(spec.comm->rank()), spec.dtype, spec.device);
}

/// A 1-D array whose block is computed on the host in T: value(i) for its global indices i.
template <typename T, typename Value>
DNDarray tabulate(const NewArray& spec, const Value& value) {
  const LayoutPtr layout = share(layout_of(spec));
  const std::int64_t offset = layout->is_split() ? layout->offset(spec.comm->rank()) : 0;
  at::Tensor block =
      empty_tensor(layout->lshape(spec.comm->rank()), c10::CppTypeToScalarType<T>::value, at::kCPU);
  T* out = block.mutable_data_ptr<T>();
  for (std::int64_t i = 0; i < block.numel(); ++i) out[i] = value(offset + i);
  if (block.scalar_type() != spec.dtype || !spec.device.is_cpu()) block = block.to(spec.device, spec.dtype);
  return {std::move(block), layout, spec.comm};
}

/// NumPy's fill in arithmetic of T, after `first` and `second` were rounded to the array's own type.
template <typename T>
DNDarray fill(const NewArray& spec, T first, T second) {
  const T step = second - first;
  return tabulate<T>(spec, [=](std::int64_t i) { return first + static_cast<T>(i) * step; });
}

template <typename Narrow>
float rounded(double value) {
  return static_cast<float>(Narrow(static_cast<float>(value)));
}

}  // namespace

DNDarray empty(const NewArray& spec) {
  const LayoutPtr layout = share(layout_of(spec));
  return {empty_block(*layout, spec), layout, spec.comm};
}

DNDarray full(const NewArray& spec, const at::Scalar& value) {
  DNDarray x = empty(spec);
  x.local().fill_(in_range(value, spec.dtype));
  return x;
}

DNDarray eye(const NewArray& spec, std::int64_t k) {
  DNDarray x = full(spec, 0);
  const Layout& layout = x.layout();
  const std::int64_t begin = layout.is_split() ? layout.offset(spec.comm->rank()) : 0;
  // Entry (i, j) of the block is (i + begin, j) or (i, j + begin) of the array.
  x.local().diagonal(layout.split() == 1 ? k - begin : k + begin, 0, 1).fill_(1);
  return x;
}

DNDarray arange(const NewArray& spec, double first, double second) {
  switch (spec.dtype) {
    case at::kFloat:
      return fill(spec, static_cast<float>(first), static_cast<float>(second));
    case at::kHalf:
      return fill(spec, rounded<at::Half>(first), rounded<at::Half>(second));
    case at::kBFloat16:
      return fill(spec, rounded<at::BFloat16>(first), rounded<at::BFloat16>(second));
    default:
      return fill(spec, first, second);
  }
}

DNDarray arange(const NewArray& spec, std::int64_t first, std::int64_t step) {
  // Unsigned: NumPy wraps around, and so may we.
  const auto start = static_cast<std::uint64_t>(first);
  const auto stride = static_cast<std::uint64_t>(step);
  const auto value = [=](std::int64_t i) { return start + static_cast<std::uint64_t>(i) * stride; };
  if (spec.dtype == at::kInt)
    return tabulate<std::int32_t>(spec, [=](std::int64_t i) { return static_cast<std::int32_t>(value(i)); });
  return tabulate<std::int64_t>(spec, [=](std::int64_t i) { return static_cast<std::int64_t>(value(i)); });
}

DNDarray linspace(const NewArray& spec, const Line& line) {
  const double step = line.delta / line.div;
  const std::int64_t last = spec.shape[0] - 1;
  const bool floor = at::isIntegralType(spec.dtype, /*includeBool=*/false);
  return tabulate<double>(spec, [&](std::int64_t i) {
    const auto x = static_cast<double>(i);
    // A step that underflows to zero would lose the line (NumPy's rule).
    double y = (step == 0 ? x / line.div * line.delta : x * step) + line.start;
    if (i == last && line.last) y = *line.last;
    return floor ? std::floor(y) : y;
  });
}

DNDarray from_global(const at::Tensor& whole, int split, bool copy, const CommPtr& comm) {
  const DNDarray replicated(whole, share(Layout::replicated(shape_of(whole), comm->size())), comm);
  const DNDarray x = resplit(replicated, split);
  return copy ? x.with_local(x.local().clone(at::MemoryFormat::Contiguous)) : x;
}

}  // namespace eh
