// SPDX-License-Identifier: BSD-3-Clause
#include <cuda_runtime.h>

#include "base/error.hpp"
#include "kernels/device_memory.hpp"

namespace eh {
namespace {

void check(cudaError_t status, const char* fn) {
  EH_CHECK(status == cudaSuccess, DeviceError, fn, ": ", cudaGetErrorString(status), " (",
           cudaGetErrorName(status), ")");
}

void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, void* stream, const char* fn) {
  if (bytes == 0) return;
  const auto queue = static_cast<cudaStream_t>(stream);
  check(cudaMemcpyAsync(to, from, bytes, kind, queue), fn);
  check(cudaStreamSynchronize(queue), fn);
}

}  // namespace

bool built_with_cuda() { return true; }

int device_of_memory(const void* memory) {
  cudaPointerAttributes attributes;
  check(cudaPointerGetAttributes(&attributes, memory), "device_of_memory");
  EH_CHECK(attributes.type == cudaMemoryTypeDevice || attributes.type == cudaMemoryTypeManaged, DeviceError,
           "device_of_memory: the memory is not on a GPU");
  return attributes.device;
}

void copy_to_host(void* host, const void* device, std::size_t bytes, void* stream) {
  copy(host, device, bytes, cudaMemcpyDeviceToHost, stream, "copy_to_host");
}

void copy_to_device(void* device, const void* host, std::size_t bytes, void* stream) {
  copy(device, host, bytes, cudaMemcpyHostToDevice, stream, "copy_to_device");
}

void* allocate_pinned(std::size_t bytes) {
  void* host = nullptr;
  check(cudaMallocHost(&host, bytes), "allocate_pinned");
  return host;
}

void free_pinned(void* host) noexcept { cudaFreeHost(host); }

}  // namespace eh
