// SPDX-License-Identifier: BSD-3-Clause
#include "array/staging.hpp"

#include <c10/core/impl/VirtualGuardImpl.h>

#include "comm/staging.hpp"
#include "kernels/device_memory.hpp"

namespace eh {
namespace {

/// torch's current stream of the GPU that holds `memory`, without linking to CUDA.
void* current_stream(const void* memory) {
  const auto index = static_cast<c10::DeviceIndex>(device_of_memory(memory));
  const c10::impl::VirtualGuardImpl guard(c10::DeviceType::CUDA);
  return guard.getStream({c10::DeviceType::CUDA, index}).native_handle();
}

void to_host(void* host, const void* device, std::size_t bytes) {
  copy_to_host(host, device, bytes, current_stream(device));
}

void to_device(void* device, const void* host, std::size_t bytes) {
  copy_to_device(device, host, bytes, current_stream(device));
}

}  // namespace

void install_staging() {
  if (built_with_cuda()) set_staging_hooks({to_host, to_device});
}

}  // namespace eh
