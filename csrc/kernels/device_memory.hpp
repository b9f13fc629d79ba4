// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

/// Copies between host and device memory: what communication needs to stage CUDA buffers through the host.
/// Built without CUDA (no_cuda.cpp) every function but the first throws NotSupported.
namespace eh {

/// True when the library was compiled with CUDA.
bool built_with_cuda();

/// Index of the GPU that holds `memory`.
int device_of_memory(const void* memory);

/// `bytes` from `device` to `host`, after the work queued on `stream` (a cudaStream_t; null is the default stream).
/// Returns when the bytes have arrived.
void copy_to_host(void* host, const void* device, std::size_t bytes, void* stream);

/// `bytes` from `host` to `device`, in the order of `stream`. The host memory may be reused on return.
void copy_to_device(void* device, const void* host, std::size_t bytes, void* stream);

/// Page-locked host memory, which copies at the full speed of the bus.
void* allocate_pinned(std::size_t bytes);
void free_pinned(void* host) noexcept;

}  // namespace eh
