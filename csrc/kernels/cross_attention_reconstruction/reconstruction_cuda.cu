// SPDX-License-Identifier: BSD-3-Clause
#include <cuda_runtime.h>

#include "base/error.hpp"
#include "kernels/cross_attention_reconstruction/cuda.hpp"
#include "kernels/cross_attention_reconstruction/gpu/device.cuh"

namespace eh::kernels {
namespace {

using gpu::Device;
using gpu::Index;
using gpu::Plan;

void check(cudaError_t status) {
  EH_CHECK(status == cudaSuccess, DeviceError, "cross_attention_reconstruction: ", cudaGetErrorString(status),
           " (", cudaGetErrorName(status), ")");
}

/// Teams take images in turn.
template <typename M, int kChunk>
__global__ void __launch_bounds__(32 * gpu::kMostWarps, 1)
    images_kernel(const __grid_constant__ Reconstruction p, const __grid_constant__ Plan plan, float* own,
                  float* weights) {
  const Device e;
  const int team = static_cast<int>(blockIdx.x) / plan.members;
  gpu::Work<Device> work{e,
                         p,
                         plan,
                         own + team * plan.team_numbers,
                         weights + team * plan.weight_numbers,
                         team,
                         static_cast<int>(blockIdx.x) % plan.members,
                         true};
  Device::PerWarp<Device::Lanes<double>> squares;
  squares[0][0] = 0;
  for (; work.image < p.images; work.image += plan.teams, work.first = false) {
    gpu::run_phase<M, kChunk>(work, 0, squares);
    Device::sync_team(plan.members);
    gpu::run_phase<M, kChunk>(work, 1, squares);
    Device::sync_team(plan.members);
    gpu::run_phase<M, kChunk>(work, 2, squares);
    Device::sync_team(plan.members);
  }
  gpu::write_loss(work, squares);
}

/// Sums of the teams, always in the same order: the same bits in every run.
__global__ void sum_kernel(const __grid_constant__ Reconstruction p, const __grid_constant__ Plan plan,
                           const float* own, const float* weights, GpuSums out) {
  const double factor = gpu::factor_of(p);
  const Index count = p.pixels * p.width;
  const Index step = static_cast<Index>(gridDim.x) * blockDim.x;
  for (Index i = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x; i < count + p.pixels; i += step) {
    float* to = i < count ? out.weight : out.bias;
    if (to != nullptr && p.gradients)
      to[i < count ? i : i - count] = static_cast<float>(factor) * gpu::sum_of_teams(weights, plan, i);
  }
  if (blockIdx.x > 0 || threadIdx.x > 0 || out.loss == nullptr) return;
  double sum = 0;
  for (int team = 0; team < plan.teams; ++team)
    for (int m = 0; m < plan.members; ++m)
      sum += reinterpret_cast<const double*>(own + team * plan.team_numbers + plan.sums)[m];
  *out.loss = static_cast<float>(sum * factor / 2);
}

template <typename M, int kChunk>
void launch(const Reconstruction& p, const Plan& plan, float* own, float* weights, cudaStream_t stream) {
  const auto kernel = images_kernel<M, kChunk>;
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(plan.shared_bytes)));
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(plan.teams * plan.members));
  config.blockDim = dim3(static_cast<unsigned>(32 * plan.warps));
  config.dynamicSmemBytes = plan.shared_bytes;
  config.stream = stream;
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim = {static_cast<unsigned>(plan.members), 1, 1};
  config.attrs = &cluster;
  config.numAttrs = plan.members > 1 ? 1 : 0;
  check(cudaLaunchKernelEx(&config, kernel, p, plan, own, weights));
}

/// Calls f(words of the arithmetic).
template <typename F>
auto with_words(Arithmetic arithmetic, const F& f) {
  if (arithmetic == Arithmetic::bf16) return f(gpu::Bf16Words{});
  if (arithmetic == Arithmetic::f16) return f(gpu::HalfWords{});
  EH_CHECK(arithmetic == Arithmetic::f32, NotSupported,
           "cross_attention_reconstruction: no double precision on GPUs");
  return f(gpu::FloatWords{});
}

}  // namespace

Plan plan_on_gpu(const Reconstruction& p, Arithmetic arithmetic, int device) {
  int shared = 0, processors = 0, major = 0;
  check(cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  check(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
  const gpu::Limits limits{static_cast<std::size_t>(shared), processors, major >= 9};
  if (major < 8) return {};
  return with_words(arithmetic, [&](auto words) { return gpu::make_plan<decltype(words)>(p, limits); });
}

std::size_t memory_on_gpu(const Plan& plan) {
  return static_cast<std::size_t>(plan.teams * (plan.team_numbers + plan.weight_numbers)) * sizeof(float);
}

void run_on_gpu(const Reconstruction& p, Arithmetic arithmetic, const Plan& plan, void* memory,
                const GpuSums& sums, void* stream) {
  const auto queue = static_cast<cudaStream_t>(stream);
  auto* own = static_cast<float*>(memory);
  float* weights = own + plan.teams * plan.team_numbers;
  with_words(arithmetic, [&](auto words) {
    using M = decltype(words);
    if (plan.chunk == 32)
      launch<M, 32>(p, plan, own, weights, queue);
    else
      launch<M, 64>(p, plan, own, weights, queue);
  });
  if (p.attention_only) return;
  const Index blocks = (p.pixels * (p.width + 1) + 255) / 256;
  sum_kernel<<<static_cast<unsigned>(blocks < 1024 ? blocks : 1024), 256, 0, queue>>>(p, plan, own, weights,
                                                                                      sums);
  check(cudaGetLastError());
}

}  // namespace eh::kernels
