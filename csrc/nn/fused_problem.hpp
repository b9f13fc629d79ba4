// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "kernels/cross_attention_reconstruction/cpu.hpp"
#include "nn/fused_reconstruction.hpp"

/// Tensors to the kernels' raw pointers, checked. Holds on to the tensors the pointers belong to.
namespace eh::nn {

inline constexpr const char* kLossName = "cross_attention_reconstruction_loss";
inline constexpr const char* kAttentionName = "cross_attention";

class Operands {
 public:
  kernels::Arithmetic arithmetic() const { return arithmetic_; }
  /// Type of sums: float, or double where the inputs are.
  at::ScalarType real() const;
  const kernels::Reconstruction& kernel() const { return p_; }

 protected:
  Operands(const char* name, const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
           std::int64_t heads, double scale, std::string_view arithmetic);

  /// (images, rows, features) as the kernels read it; a copy only if its features are not adjacent or its dtype is
  /// not one they read.
  kernels::Tokens tokens(const at::Tensor& x);
  static kernels::TokensOut tokens_out(const at::Tensor& x);
  at::Tensor readable(const at::Tensor& x);
  void check_shape(const char* argument, const at::Tensor& x, at::IntArrayRef expected) const;
  void check_kind(const char* argument, const at::Tensor& x) const;

  const char* name_;
  kernels::Reconstruction p_;
  kernels::Arithmetic arithmetic_;
  std::vector<at::Tensor> held_;
};

class Problem : public Operands {
 public:
  Problem(const ReconstructionInputs& inputs, const ReconstructionOptions& options);

  /// Allocates what `needs` and the options ask for and points the kernel to it; the rest are empty tensors.
  ReconstructionOutputs outputs(const Needs& needs);
  /// 1 / (counted tokens * pixels); 0 when there are none.
  double per_element() const { return per_element_; }

 private:
  void set_target();
  void set_image(const at::Tensor& target);
  void set_mask();

  const ReconstructionInputs& inputs_;
  const ReconstructionOptions& options_;
  double per_element_ = 0;
};

class AttentionProblem : public Operands {
 public:
  AttentionProblem(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                   const AttentionOptions& options);
  at::Tensor forward();
  std::array<at::Tensor, 3> backward(const at::Tensor& gradient, const std::array<bool, 3>& needs);

 private:
  at::Tensor query_, key_, value_;
};

}  // namespace eh::nn
