// SPDX-License-Identifier: BSD-3-Clause
// The fused reconstruction on GPUs: memory and torch's stream around kernels/. It names no CUDA header, so that it is
// compiled, and its checks are tested, everywhere.
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros_ops.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>

#include "kernels/cross_attention_reconstruction/cuda.hpp"
#include "nn/fused_problem.hpp"

namespace eh::nn {
namespace {

using kernels::GpuSums;
using kernels::Reconstruction;

at::Tensor zeros(at::IntArrayRef shape, c10::Device device) {
  return at::_ops::zeros::call(c10::fromIntArrayRefSlow(shape), at::kFloat, at::kStrided, device, false);
}

/// Queues the problem on torch's current stream. Its memory may be handed out again at once: whoever gets it uses it
/// later on the same stream.
void run(const char* name, const Operands& operands, c10::Device device, const GpuSums& sums) {
  const Reconstruction& p = operands.kernel();
  if (p.images == 0 || p.queries == 0) return;
  const kernels::gpu::Plan plan = kernels::plan_on_gpu(p, operands.arithmetic(), device.index());
  TORCH_CHECK_NOT_IMPLEMENTED(plan.fits, name, ": width ", p.width, " in ", p.heads,
                              " heads does not fit into the shared memory of ", device,
                              "; expected a smaller width or heads of at most 128 features");
  const auto bytes = static_cast<std::int64_t>(kernels::memory_on_gpu(plan));
  const at::Tensor memory = empty({bytes}, at::kByte, device);
  const c10::impl::VirtualGuardImpl guard(device.type());
  kernels::run_on_gpu(p, operands.arithmetic(), plan, memory.data_ptr(), sums,
                      guard.getStream(device).native_handle());
}

}  // namespace

ReconstructionOutputs reconstruction_loss_gpu(const ReconstructionInputs& inputs,
                                              const ReconstructionOptions& options, const Needs& needs) {
  const c10::Device device = inputs.query.device();
  const c10::DeviceGuard guard(device);
  Problem problem(inputs, options);
  ReconstructionOutputs out = problem.outputs(needs);
  const at::Tensor weight = needs[3] ? zeros(inputs.weight.sizes(), device) : at::Tensor();
  const at::Tensor bias = needs[4] ? zeros(inputs.bias->sizes(), device) : at::Tensor();
  out.loss = zeros({}, device);
  const auto numbers = [](const at::Tensor& x) {
    return x.defined() ? x.mutable_data_ptr<float>() : nullptr;
  };
  run(kLossName, problem, device, {numbers(out.loss), numbers(weight), numbers(bias)});
  if (needs[3]) out.gradients[3] = weight.to(dtype_of_gradient(inputs.weight.scalar_type()));
  if (needs[4]) out.gradients[4] = bias.to(dtype_of_gradient(inputs.bias->scalar_type()));
  return out;
}

at::Tensor cross_attention_gpu(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                               const AttentionOptions& options) {
  const c10::DeviceGuard guard(query.device());
  AttentionProblem problem(query, key, value, options);
  const at::Tensor mixed = problem.forward();
  run(kAttentionName, problem, query.device(), {});
  return mixed;
}

std::array<at::Tensor, 3> cross_attention_backward_gpu(const at::Tensor& gradient, const at::Tensor& query,
                                                       const at::Tensor& key, const at::Tensor& value,
                                                       const AttentionOptions& options,
                                                       const std::array<bool, 3>& needs) {
  const c10::DeviceGuard guard(query.device());
  AttentionProblem problem(query, key, value, options);
  std::array<at::Tensor, 3> out = problem.backward(gradient, needs);
  run(kAttentionName, problem, query.device(), {});
  return out;
}

}  // namespace eh::nn
