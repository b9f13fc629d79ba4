// SPDX-License-Identifier: BSD-3-Clause
// Compiled with OpenMP: at::parallel_for is written in the caller's file.
#include "nn/fused_reconstruction.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_ops.h>
#include <ATen/ops/scalar_tensor_ops.h>
#include <c10/util/Exception.h>

#include <string>
#include <vector>

#include "kernels/cross_attention_reconstruction/cpu.hpp"
#include "nn/fused_problem.hpp"

namespace eh::nn {
namespace {

using kernels::CpuEngine;
using kernels::CpuSizes;
using kernels::Reconstruction;
using kernels::WeightGradients;

const CpuEngine& engine_for(const char* name, kernels::Arithmetic arithmetic, std::string_view instructions) {
  const CpuEngine* engine = kernels::choose_engine(arithmetic, instructions);
  std::string known;
  for (const char* const* set = kernels::instruction_sets(); *set != nullptr; ++set)
    known += (known.empty() ? "" : ", ") + std::string(*set);
  TORCH_CHECK_VALUE(engine != nullptr, name, ": instructions (or EQUIHEAT_INSTRUCTIONS) is '",
                    std::string(instructions), "'; this processor has ", known);
  return *engine;
}

/// Runs an engine over all images with as many threads as torch uses.
class Run {
 public:
  Run(const CpuEngine& engine, const Reconstruction& problem) : engine_(engine), p_(problem) {
    sizes_ = engine.sizes(p_);
    threads_ = std::max<std::int64_t>(1, std::min<std::int64_t>(at::get_num_threads(), p_.images));
    own_bytes_ = (sizes_.own + 4095) / 4096 * 4096 + 64;  // threads start in different cache sets
    const std::size_t shared = (sizes_.shared + 63) / 64 * 64;
    memory_ = at::_ops::empty_memory_format::call(
        {static_cast<std::int64_t>(shared + static_cast<std::size_t>(threads_) * own_bytes_)}, at::kByte,
        at::kStrided, at::kCPU, false, std::nullopt);
    shared_ = memory_.data_ptr();
    for (std::int64_t t = 0; t < threads_; ++t)
      own_.push_back(static_cast<char*>(shared_) + shared + static_cast<std::size_t>(t) * own_bytes_);
  }

  /// @return sum of squared errors
  double images() const {
    if (!p_.attention_only)
      at::parallel_for(0, sizes_.tiles, 1, [&](std::int64_t first, std::int64_t last) {
        engine_.prepare(p_, shared_, first, last);
      });
    std::vector<double> losses(own_.size());
    at::parallel_for(0, threads_, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t t = first; t < last; ++t)
        losses[static_cast<std::size_t>(t)] =
            engine_.images(p_, shared_, own_[static_cast<std::size_t>(t)], p_.images * t / threads_,
                           p_.images * (t + 1) / threads_);
    });
    double loss = 0;
    for (const double part : losses) loss += part;
    return loss;
  }

  void finish(WeightGradients sums) const {
    at::parallel_for(0, p_.pixels, 64, [&](std::int64_t first, std::int64_t last) {
      engine_.finish(p_, own_.data(), threads_, sums, first, last);
    });
  }

 private:
  const CpuEngine& engine_;
  const Reconstruction& p_;
  CpuSizes sizes_;
  std::int64_t threads_;
  std::size_t own_bytes_;
  at::Tensor memory_;
  void* shared_;
  std::vector<void*> own_;
};

at::Tensor sums_like(const at::Tensor& x, at::ScalarType real) {
  return at::_ops::empty_memory_format::call(x.sym_sizes(), real, at::kStrided, x.device(), false,
                                             std::nullopt);
}

}  // namespace

ReconstructionOutputs reconstruction_loss_cpu(const ReconstructionInputs& inputs,
                                              const ReconstructionOptions& options, const Needs& needs) {
  Problem problem(inputs, options);
  ReconstructionOutputs out = problem.outputs(needs);
  const CpuEngine& engine = engine_for(kLossName, problem.arithmetic(), options.instructions);
  const at::ScalarType real = problem.real();
  const at::Tensor weight = needs[3] ? sums_like(inputs.weight, real) : at::Tensor();
  const at::Tensor bias = needs[4] ? sums_like(*inputs.bias, real) : at::Tensor();
  const Run run(engine, problem.kernel());
  const double sum = run.images();
  if (problem.kernel().gradients)
    run.finish({needs[3] ? weight.data_ptr() : nullptr, needs[4] ? bias.data_ptr() : nullptr});
  if (needs[3]) out.gradients[3] = weight.to(inputs.weight.scalar_type());
  if (needs[4]) out.gradients[4] = bias.to(inputs.bias->scalar_type());
  out.loss = at::_ops::scalar_tensor::call(sum * problem.per_element(), real, at::kStrided, at::kCPU, false);
  return out;
}

at::Tensor cross_attention_cpu(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                               const AttentionOptions& options) {
  AttentionProblem problem(query, key, value, options);
  const at::Tensor mixed = problem.forward();
  const CpuEngine& engine = engine_for(kAttentionName, problem.arithmetic(), options.instructions);
  Run(engine, problem.kernel()).images();
  return mixed;
}

std::array<at::Tensor, 3> cross_attention_backward_cpu(const at::Tensor& gradient, const at::Tensor& query,
                                                       const at::Tensor& key, const at::Tensor& value,
                                                       const AttentionOptions& options,
                                                       const std::array<bool, 3>& needs) {
  AttentionProblem problem(query, key, value, options);
  std::array<at::Tensor, 3> out = problem.backward(gradient, needs);
  const CpuEngine& engine = engine_for(kAttentionName, problem.arithmetic(), options.instructions);
  Run(engine, problem.kernel()).images();
  return out;
}

}  // namespace eh::nn
