// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "array/tensor_comm.hpp"

/// Contiguous memory for tensors of any strides.
namespace eh {

inline bool is_plain(const at::Tensor& t) { return t.is_contiguous() && !t.is_conj() && !t.is_neg(); }

/// A tensor to send, copied only if it must be.
class Sent {
 public:
  explicit Sent(const at::Tensor& t) : tensor_(t.resolve_conj().resolve_neg().contiguous()) {}
  ConstBuffer buffer() const { return const_buffer(tensor_); }
  const at::Tensor& tensor() const { return tensor_; }

 private:
  at::Tensor tensor_;
};

/// A tensor to fill, or to change in place: itself when contiguous, else a copy that finish() writes back.
class Filled {
 public:
  explicit Filled(const at::Tensor& t)
      : target_(t), staged_(is_plain(t) ? t : t.clone(at::MemoryFormat::Contiguous)) {}
  Buffer buffer() const { return eh::buffer(staged_); }
  const at::Tensor& tensor() const { return staged_; }
  void finish() const {
    if (!staged_.is_same(target_)) target_.copy_(staged_);
  }

 private:
  at::Tensor target_;
  at::Tensor staged_;
};

/// Elements of each tensor.
inline Counts counts_of(const std::vector<at::Tensor>& tensors) {
  Counts counts;
  for (const at::Tensor& t : tensors) counts.push_back(t.numel());
  return counts;
}

/// The elements of all tensors, one behind another.
at::Tensor packed(const std::vector<at::Tensor>& tensors, const at::Tensor& like);
/// Back into the tensors.
void unpack(const at::Tensor& flat, const std::vector<at::Tensor>& tensors);

}  // namespace eh
