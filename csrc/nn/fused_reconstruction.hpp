// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <optional>
#include <string_view>

/// Fused cross-attention reconstruction on tensors: checks, memory and threads around kernels/.
namespace eh::nn {

/// query, key, value, weight, bias, residual: what may have a gradient, in this order everywhere.
inline constexpr int kDifferentiable = 6;
using Needs = std::array<bool, kDifferentiable>;

struct ReconstructionInputs {
  at::Tensor query, key, value, weight;
  std::optional<at::Tensor> bias;
  at::Tensor target;
  std::optional<at::Tensor> residual, mask;
};

struct ReconstructionOptions {
  std::int64_t heads;
  double scale;
  at::IntArrayRef grid;         ///< rows and columns of the patches when the target is an image
  at::ArrayRef<double> factor;  ///< per channel of an image: value = pixel * factor + offset
  at::ArrayRef<double> offset;
  bool normalize_patches;
  bool return_prediction;
  std::string_view arithmetic;    ///< "float32", "bfloat16" or "": bfloat16 where query is
  std::string_view instructions;  ///< of processors; "": the best there is
};

/// What was not asked for is an empty tensor.
struct ReconstructionOutputs {
  at::Tensor loss, prediction;
  std::array<at::Tensor, kDifferentiable> gradients;
};

/// The loss and, where `needs` says so, its gradients. Raises ValueError and TypeError for what does not fit.
ReconstructionOutputs reconstruction_loss_cpu(const ReconstructionInputs& inputs,
                                              const ReconstructionOptions& options, const Needs& needs);

ReconstructionOutputs reconstruction_loss_gpu(const ReconstructionInputs& inputs,
                                              const ReconstructionOptions& options, const Needs& needs);

struct AttentionOptions {
  std::int64_t heads;
  double scale;
  std::string_view arithmetic, instructions;
};

at::Tensor cross_attention_cpu(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                               const AttentionOptions& options);
std::array<at::Tensor, 3> cross_attention_backward_cpu(const at::Tensor& gradient, const at::Tensor& query,
                                                       const at::Tensor& key, const at::Tensor& value,
                                                       const AttentionOptions& options,
                                                       const std::array<bool, 3>& needs);
at::Tensor cross_attention_gpu(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                               const AttentionOptions& options);
std::array<at::Tensor, 3> cross_attention_backward_gpu(const at::Tensor& gradient, const at::Tensor& query,
                                                       const at::Tensor& key, const at::Tensor& value,
                                                       const AttentionOptions& options,
                                                       const std::array<bool, 3>& needs);

}  // namespace eh::nn
