// SPDX-License-Identifier: BSD-3-Clause
#include "ops/masks.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_ops.h>

#include "array/autograd.hpp"
#include "kernels/masks.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

/// The kernels' memory: one entry more than are kept.
at::Tensor with_room(std::int64_t n, const at::TensorOptions& options) {
  return at::_ops::empty_memory_format::call({n + 1}, c10::optTypeMetaToScalarType(options.dtype_opt()),
                                             options.layout_opt(), options.device_opt(),
                                             options.pinned_memory_opt(), std::nullopt);
}

at::Tensor lay_out(const at::Tensor& mask) { return mask.reshape({-1}).contiguous(); }

/// Memory the kernels can work on, with nothing that autograd should know of.
bool is_plain(const at::Tensor& block) {
  return block.is_cpu() && block.is_contiguous() && !needs_grad(block) && !block.is_conj() && !block.is_neg();
}

}  // namespace

std::int64_t count_here(const at::Tensor& mask) {
  if (!mask.is_cpu()) return mask.sum().item<std::int64_t>();
  const at::Tensor flat = lay_out(mask);
  return kernels::count_true(flat.const_data_ptr<bool>(), flat.numel());
}

at::Tensor positions_here(const at::Tensor& mask) {
  const at::Tensor flat = lay_out(mask);
  if (!flat.is_cpu()) return flat.nonzero().squeeze(1);
  const bool* bits = flat.const_data_ptr<bool>();
  const std::int64_t n = kernels::count_true(bits, flat.numel());
  const at::Tensor out = with_room(n, flat.options().dtype(at::kLong));
  kernels::true_positions(bits, flat.numel(), out.mutable_data_ptr<std::int64_t>());
  return out.narrow(0, 0, n);
}

std::vector<at::Tensor> coordinates_here(const at::Tensor& mask, std::int64_t start, const Shape& shape) {
  std::vector<at::Tensor> out;
  const at::Tensor flat = lay_out(mask);
  if (flat.is_cpu()) {
    const bool* bits = flat.const_data_ptr<bool>();
    const std::int64_t n = kernels::count_true(bits, flat.numel());
    std::vector<std::int64_t*> lists;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      const at::Tensor memory = with_room(n, flat.options().dtype(at::kLong));
      lists.push_back(memory.mutable_data_ptr<std::int64_t>());
      out.push_back(memory.narrow(0, 0, n));
    }
    kernels::true_coordinates(bits, flat.numel(), start, shape, lists);
    return out;
  }
  at::Tensor rest = positions_here(flat).add(start);
  out.assign(shape.size(), rest);
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    if (shape[axis] == 0) break;  // nothing to number
    out[axis] = rest.remainder(shape[axis]);
    rest = rest.floor_divide(at::Scalar(shape[axis]));
  }
  return out;
}

at::Tensor select_here(const at::Tensor& block, const at::Tensor& mask, int axis) {
  if (block.dim() != 1 || !is_plain(block)) return block.index_select(axis, positions_here(mask));
  const at::Tensor flat = lay_out(mask);
  const bool* bits = flat.const_data_ptr<bool>();
  const std::int64_t n = kernels::count_true(bits, flat.numel());
  const at::Tensor out = with_room(n, block.options());
  kernels::masked_pack(bits, flat.numel(), block.const_data_ptr(), block.element_size(),
                       out.mutable_data_ptr());
  return out.narrow(0, 0, n);
}

void write_here(at::Tensor block, const at::Tensor& mask, int axis, const at::Tensor& given) {
  const at::Tensor values = given.to(block.scalar_type()).contiguous();
  if (mask.dim() == block.dim() && is_plain(block) && is_plain(values)) {
    const at::Tensor flat = lay_out(mask);
    const auto write = values.numel() == 1 ? kernels::masked_fill : kernels::masked_unpack;
    write(flat.const_data_ptr<bool>(), flat.numel(), values.const_data_ptr(), values.element_size(),
          block.mutable_data_ptr());
    block.unsafeGetTensorImpl()->bump_version();  // a graph that kept the block finds out
  } else if (values.numel() == 1) {
    const auto behind = block.dim() - axis - mask.dim();
    Shape shape = shape_of(mask);
    shape.insert(shape.end(), static_cast<std::size_t>(behind), 1);
    block.masked_fill_(mask.view(sizes(shape)), values.reshape({}));
  } else if (mask.dim() == block.dim()) {
    block.masked_scatter_(mask, values);
  } else {
    block.index_put_(advanced_index(mask.nonzero().unbind(1), axis), values);
  }
}

}  // namespace eh
