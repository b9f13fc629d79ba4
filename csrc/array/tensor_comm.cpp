// SPDX-License-Identifier: BSD-3-Clause
#include "array/tensor_comm.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat_ops.h>
#include <ATen/ops/empty_ops.h>

#include <algorithm>
#include <numeric>

#include "array/dndarray.hpp"
#include "array/parallel.hpp"
#include "base/error.hpp"
#include "kernels/large_copies.hpp"
#include "kernels/pack.hpp"
#include "kernels/tiles.hpp"

namespace eh {
namespace {

at::Tensor empty_like_1d(std::int64_t n, const at::Tensor& like) {
  return at::_ops::empty_memory_format::call({n}, like.scalar_type(), like.layout(), like.device(),
                                             std::nullopt, std::nullopt);
}

at::Tensor empty_shape(at::IntArrayRef shape, const at::Tensor& like) {
  const auto n = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  return empty_like_1d(n, like).view(shape);
}

Device buffer_device(const at::Tensor& tensor) {
  if (tensor.device().is_cpu()) return Device::Cpu;
  EH_CHECK(tensor.device().is_cuda(), DeviceError, "communication: tensors on device ", tensor.device().str(),
           " cannot be sent; use cpu or cuda");
  return Device::Cuda;
}

/// Elements per peer of a list of parts.
Counts counts_of(const std::vector<Part>& parts, int size, int self) {
  Counts counts(static_cast<std::size_t>(size), 0);
  for (const Part& part : parts) {
    if (part.peer != self) counts[static_cast<std::size_t>(part.peer)] += part.view.numel();
  }
  return counts;
}

/// Parts whose memory holds what they mean: lazily conjugated views are copied.
std::vector<Part> resolved(std::vector<Part> parts) {
  for (Part& part : parts) part.view = part.view.resolve_conj().resolve_neg();
  return parts;
}

std::vector<std::int64_t> strides_in_bytes(const at::Tensor& view) {
  std::vector<std::int64_t> strides = view.strides().vec();
  for (std::int64_t& stride : strides) stride *= static_cast<std::int64_t>(view.element_size());
  return strides;
}

/// The memory of the parts to or from each other rank.
std::vector<std::vector<StridedView>> memory_of(const std::vector<Part>& parts, int size, int self) {
  std::vector<std::vector<StridedView>> streams(static_cast<std::size_t>(size));
  for (const Part& part : parts) {
    if (part.peer == self || part.view.numel() == 0) continue;
    auto* const data = static_cast<std::byte*>(const_cast<void*>(part.view.const_data_ptr()));
    streams[static_cast<std::size_t>(part.peer)].emplace_back(
        data, part.view.element_size(), part.view.sizes().vec(), strides_in_bytes(part.view));
  }
  return streams;
}

/// Copies between the views of the parts to other ranks and one packed buffer, in order.
template <typename Copy>
void for_each_packed(const std::vector<Part>& parts, int self, const at::Tensor& packed, const Copy& copy) {
  std::int64_t at = 0;
  for (const Part& part : parts) {
    if (part.peer == self) continue;
    const std::int64_t n = part.view.numel();
    copy(part.view, packed.narrow(0, at, n).view(part.view.sizes()));
    at += n;
  }
}

/// A copy on the CPU between views that are contiguous along different axes, for which torch takes three times as long.
bool copy_across(const at::Tensor& target, const at::Tensor& source) {
  if (!target.is_cpu() || !source.is_cpu() || target.scalar_type() != source.scalar_type()) return false;
  if (source.is_conj() || source.is_neg() || source.numel() < 1024) return false;
  const auto from = strides_in_bytes(source), to = strides_in_bytes(target);
  if (!kernels::are_transposed(from, to, source.sizes().vec(), source.element_size())) return false;
  const auto longest = static_cast<std::size_t>(
      std::max_element(source.sizes().begin(), source.sizes().end()) - source.sizes().begin());
  const auto* const read = static_cast<const std::byte*>(source.const_data_ptr());
  auto* const write = static_cast<std::byte*>(target.mutable_data_ptr());
  const std::int64_t extent = source.size(static_cast<std::int64_t>(longest));
  parallel_rows(extent, source.numel() / extent, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> sizes = source.sizes().vec();
    sizes[longest] = end - begin;
    kernels::copy_transposed(read + begin * from[longest], from, write + begin * to[longest], to, sizes,
                             source.element_size());
  });
  return true;
}

StridedView view_of(const at::Tensor& tensor, std::int64_t begin, std::int64_t end) {
  const auto strides = strides_in_bytes(tensor);
  auto* const data = static_cast<std::byte*>(const_cast<void*>(tensor.const_data_ptr()));
  std::vector<std::int64_t> sizes = tensor.sizes().vec();
  sizes[0] = end - begin;
  return {data + begin * strides[0], static_cast<std::size_t>(tensor.element_size()), std::move(sizes),
          strides};
}

/// A large copy on the CPU between rows of some length, one side contiguous: past the caches where that is faster.
bool copy_large(const at::Tensor& target, const at::Tensor& source) {
  if (!target.is_cpu() || !source.is_cpu() || target.scalar_type() != source.scalar_type()) return false;
  if (source.is_conj() || source.is_neg() || source.dim() == 0) return false;
  const auto bytes = source.numel() * static_cast<std::int64_t>(source.element_size());
  const StridedView from = view_of(source, 0, source.size(0)), to = view_of(target, 0, source.size(0));
  const bool rows = from.is_contiguous() ? to.has_long_rows() : to.is_contiguous() && from.has_long_rows();
  if (bytes < kernels::kBeyondCaches || !rows) return false;
  const auto size = static_cast<std::size_t>(bytes);
  kernels::copy_part_of(size, size, [&](bool past_caches) {
    const auto copy = past_caches ? kernels::stream_part : kernels::copy_bytes;
    parallel_rows(source.size(0), source.numel() / source.size(0), [&](std::int64_t begin, std::int64_t end) {
      const StridedView read = view_of(source, begin, end), write = view_of(target, begin, end);
      if (read.is_contiguous())
        write.unpack(0, write.bytes(), read.data(), copy);
      else
        read.pack(0, read.bytes(), write.data(), copy);
      if (past_caches) kernels::finish_streams();
    });
  });
  return true;
}

void put(const at::Tensor& target, const at::Tensor& source, bool accumulate) {
  if (accumulate)
    target.add_(source);
  else if (!copy_across(target, source) && !copy_large(target, source))
    target.copy_(source);
}

void copy_own_parts(const std::vector<Part>& sends, const std::vector<Part>& recvs, bool accumulate,
                    int self) {
  std::size_t s = 0;
  for (const Part& recv : recvs) {
    if (recv.peer != self) continue;
    while (sends[s].peer != self) ++s;
    put(recv.view, sends[s++].view, accumulate);
  }
}

}  // namespace

DType dtype_of(at::ScalarType type) {
  switch (type) {
    case at::kBool:
      return DType::Bool;
    case at::kByte:
      return DType::UInt8;
    case at::kChar:
      return DType::Int8;
    case at::kShort:
      return DType::Int16;
    case at::kInt:
      return DType::Int32;
    case at::kLong:
      return DType::Int64;
    case at::ScalarType::UInt16:
      return DType::UInt16;
    case at::ScalarType::UInt32:
      return DType::UInt32;
    case at::ScalarType::UInt64:
      return DType::UInt64;
    case at::kHalf:
      return DType::Float16;
    case at::kBFloat16:
      return DType::BFloat16;
    case at::kFloat:
      return DType::Float32;
    case at::kDouble:
      return DType::Float64;
    case at::kComplexFloat:
      return DType::Complex64;
    case at::kComplexDouble:
      return DType::Complex128;
    default:
      throw TypeError(message("dtype: torch's ", c10::toString(type), " is not supported"));
  }
}

at::ScalarType scalar_type_of(DType dtype) {
  switch (dtype) {
    case DType::Bool:
      return at::kBool;
    case DType::UInt8:
      return at::kByte;
    case DType::UInt16:
      return at::ScalarType::UInt16;
    case DType::UInt32:
      return at::ScalarType::UInt32;
    case DType::UInt64:
      return at::ScalarType::UInt64;
    case DType::Int8:
      return at::kChar;
    case DType::Int16:
      return at::kShort;
    case DType::Int32:
      return at::kInt;
    case DType::Int64:
      return at::kLong;
    case DType::Float16:
      return at::kHalf;
    case DType::BFloat16:
      return at::kBFloat16;
    case DType::Float32:
      return at::kFloat;
    case DType::Float64:
      return at::kDouble;
    case DType::Complex64:
      return at::kComplexFloat;
    case DType::Complex128:
      return at::kComplexDouble;
  }
  throw TypeError("dtype: unknown element type");
}

ConstBuffer const_buffer(const at::Tensor& tensor) {
  return {tensor.const_data_ptr(), tensor.numel(), dtype_of(tensor.scalar_type()), buffer_device(tensor)};
}

Buffer buffer(const at::Tensor& tensor) {
  return {tensor.mutable_data_ptr(), tensor.numel(), dtype_of(tensor.scalar_type()), buffer_device(tensor)};
}

at::Tensor allreduce(const at::Tensor& tensor, ReduceOp op, const Communicator& comm) {
  // A lazily conjugated view would send unconjugated memory.
  const at::Tensor send = tensor.detach().resolve_conj().resolve_neg().contiguous();
  at::Tensor recv = empty_shape(send.sizes(), send);
  comm.allreduce(const_buffer(send), buffer(recv), op);
  return recv;
}

at::Tensor exscan(const at::Tensor& tensor, ReduceOp op, const Communicator& comm) {
  const at::Tensor send = tensor.detach().resolve_conj().resolve_neg().contiguous();
  at::Tensor recv = empty_shape(send.sizes(), send);
  comm.exscan(const_buffer(send), buffer(recv), op);
  return recv;
}

at::Tensor allgather(const at::Tensor& tensor, int axis, const Counts& counts, const Communicator& comm) {
  // Blocks arrive rank after rank; along axis 0 that is the result, else the axis is brought to the front.
  const at::Tensor send = tensor.detach().movedim(axis, 0).resolve_conj().resolve_neg().contiguous();
  Shape shape = shape_of(send);
  const std::int64_t own = shape[0];
  const std::int64_t row = own == 0 ? numel({shape.begin() + 1, shape.end()}) : send.numel() / own;
  shape[0] = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  at::Tensor recv = empty_shape(sizes(shape), send);
  Counts elements;
  for (std::int64_t count : counts) elements.push_back(count * row);
  comm.allgatherv(const_buffer(send), buffer(recv), elements);
  return axis == 0 ? recv : recv.movedim(0, axis).contiguous();
}

std::vector<std::int64_t> allgather_int(std::int64_t value, const Communicator& comm) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(comm.size()));
  comm.allgather({&value, 1, DType::Int64}, {values.data(), comm.size(), DType::Int64});
  return values;
}

void bcast(const at::Tensor& tensor, int root, const Communicator& comm) {
  const at::Tensor whole = tensor.detach();
  const at::Tensor message = whole.is_contiguous() && !whole.is_conj() && !whole.is_neg()
                                 ? whole
                                 : whole.clone(at::MemoryFormat::Contiguous);
  comm.bcast(buffer(message), root);
  if (!message.is_same(whole)) whole.copy_(message);
}

void exchange(const std::vector<Part>& sends, const std::vector<Part>& recvs, bool accumulate,
              const at::Tensor& like, const Communicator& comm) {
  const int self = comm.rank();
  if (like.is_cpu() && !accumulate) {
    const std::vector<Part> plain = resolved(sends);
    comm.alltoallv_views(memory_of(plain, comm.size(), self), memory_of(recvs, comm.size(), self),
                         dtype_of(like.scalar_type()));
    return copy_own_parts(plain, recvs, accumulate, self);
  }
  const Counts send_counts = counts_of(sends, comm.size(), self);
  const Counts recv_counts = counts_of(recvs, comm.size(), self);
  const auto total = [](const Counts& c) { return std::accumulate(c.begin(), c.end(), std::int64_t{0}); };
  const at::Tensor out = empty_like_1d(total(send_counts), like);
  const at::Tensor in = empty_like_1d(total(recv_counts), like);
  for_each_packed(sends, self, out, [](const at::Tensor& view, const at::Tensor& slot) { slot.copy_(view); });
  comm.alltoallv(const_buffer(out), send_counts, buffer(in), recv_counts);
  for_each_packed(recvs, self, in,
                  [&](const at::Tensor& view, const at::Tensor& slot) { put(view, slot, accumulate); });
  copy_own_parts(sends, recvs, accumulate, self);
}

}  // namespace eh
