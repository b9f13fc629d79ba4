// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/cpu.hpp"
#include "kernels/cross_attention_reconstruction/gpu/plan.hpp"

/// The fused cross-attention reconstruction on a GPU: one launch for everything, one that adds what the teams of blocks
/// have summed for the weights. All pointers of the problem are the GPU's.
namespace eh::kernels {

/// How the device would run a problem. @return a plan that does not fit where its rows are too long
gpu::Plan plan_on_gpu(const Reconstruction& problem, Arithmetic arithmetic, int device);

/// Bytes of memory a run needs besides inputs and outputs: O(blocks that run at the same time) images.
std::size_t memory_on_gpu(const gpu::Plan& plan);

/// What is summed over images. Each may be null.
struct GpuSums {
  float* loss = nullptr;    ///< mean of squares
  float* weight = nullptr;  ///< gradient (pixels, width)
  float* bias = nullptr;    ///< gradient (pixels)
};

/// Queues everything on `stream` (a cudaStream_t). @pre the plan fits; there are images
void run_on_gpu(const Reconstruction& problem, Arithmetic arithmetic, const gpu::Plan& plan, void* memory,
                const GpuSums& sums, void* stream);

}  // namespace eh::kernels
