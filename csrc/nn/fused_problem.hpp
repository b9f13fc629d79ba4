// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "kernels/cross_attention_reconstruction/cpu.hpp"
#include "nn/fused_reconstruction.hpp"

/// Tensors to the kernels' raw pointers, checked. Holds on to the tensors the pointers belong to.
namespace eh::nn {

inline constexpr const char* kLossName = "cross_attention_reconstruction_loss";
inline constexpr const char* kAttentionName = "cross_attention";

at::Tensor empty(at::IntArrayRef shape, at::ScalarType dtype, c10::Device device);

/// Gradients are computed before the factor from upstream is known; half precision is too narrow for that.
constexpr at::ScalarType dtype_of_gradient(at::ScalarType dtype) {
  return dtype == at::kHalf ? at::kFloat : dtype;
}

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
  c10::Device device_;
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
  /// The numbers in memory that the kernels can read.
  const double* where_read(at::ArrayRef<double> numbers);
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
