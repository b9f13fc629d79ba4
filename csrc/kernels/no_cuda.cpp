// SPDX-License-Identifier: BSD-3-Clause
// The CUDA functions of this folder where there is no CUDA: same symbols, a clear error.
#include "base/error.hpp"
#include "kernels/cross_attention_reconstruction/cuda.hpp"
#include "kernels/device_memory.hpp"

namespace eh {
namespace {

[[noreturn]] void missing(const char* fn) {
  throw NotSupported(
      message(fn,
              ": equiheat was built without CUDA. Install a CUDA build of torch and nvcc, then "
              "build again (cmake option EQUIHEAT_WITH_CUDA=ON says what is missing)"));
}

}  // namespace

bool built_with_cuda() { return false; }
int device_of_memory(const void*) { missing("device_of_memory"); }
void copy_to_host(void*, const void*, std::size_t, void*) { missing("copy_to_host"); }
void copy_to_device(void*, const void*, std::size_t, void*) { missing("copy_to_device"); }
void* allocate_pinned(std::size_t) { missing("allocate_pinned"); }
void free_pinned(void*) noexcept {}

namespace kernels {

gpu::Plan plan_on_gpu(const Reconstruction&, Arithmetic, int) { missing("cross_attention_reconstruction"); }
std::size_t memory_on_gpu(const gpu::Plan&) { missing("cross_attention_reconstruction"); }
void run_on_gpu(const Reconstruction&, Arithmetic, const gpu::Plan&, void*, const GpuSums&, void*) {
  missing("cross_attention_reconstruction");
}

}  // namespace kernels

}  // namespace eh
