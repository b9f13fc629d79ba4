// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

/// How comm/ reaches device memory. It knows no CUDA itself: the array layer sets these functions.
namespace eh {

/// Both copies wait for the work queued before them on the device memory and return when the bytes are there.
struct StagingHooks {
  void (*copy_to_host)(void* host, const void* device, std::size_t bytes) = nullptr;
  void (*copy_to_device)(void* device, const void* host, std::size_t bytes) = nullptr;
};

/// Lets messages of Device::Cuda memory travel through host memory. Two null pointers take the ability back.
/// @throws ValueError if only one of the two is set
void set_staging_hooks(StagingHooks hooks);

/// @throws NotSupported if no hooks are set
StagingHooks staging_hooks();

}  // namespace eh
