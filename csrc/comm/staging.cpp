// SPDX-License-Identifier: BSD-3-Clause
#include "comm/staging.hpp"

#include <mutex>

#include "base/error.hpp"
#include "comm/flight.hpp"

namespace eh {
namespace {

std::mutex hooks_mutex;
StagingHooks installed_hooks;

using HostMemory = std::vector<std::byte>;

// Some MPI libraries reject null or equal addresses of empty messages.
alignas(16) const std::byte kNothingToRead[16] = {};
alignas(16) std::byte nothing_to_write[16];

}  // namespace

void set_staging_hooks(StagingHooks hooks) {
  EH_CHECK((hooks.copy_to_host == nullptr) == (hooks.copy_to_device == nullptr), ValueError,
           "set_staging_hooks: copy_to_host and copy_to_device must be set together");
  const std::lock_guard lock(hooks_mutex);
  installed_hooks = hooks;
}

StagingHooks staging_hooks() {
  const std::lock_guard lock(hooks_mutex);
  EH_CHECK(installed_hooks.copy_to_host != nullptr, NotSupported,
           "communication of CUDA memory: this build has no staging through host memory; move the array to "
           "the CPU "
           "first");
  return installed_hooks;
}

const void* Flight::input(ConstBuffer buffer) {
  if (buffer.count == 0) return kNothingToRead;
  if (buffer.device == Device::Cpu) return buffer.data;
  const auto hooks = staging_hooks();
  auto& host = keep(HostMemory(static_cast<std::size_t>(bytes_of(buffer))));
  hooks.copy_to_host(host.data(), buffer.data, host.size());
  return host.data();
}

void* Flight::output(Buffer buffer, bool reads) {
  if (buffer.count == 0) return nothing_to_write;
  if (buffer.device == Device::Cpu) return buffer.data;
  const auto hooks = staging_hooks();
  auto& host = keep(HostMemory(static_cast<std::size_t>(bytes_of(buffer))));
  if (reads) hooks.copy_to_host(host.data(), buffer.data, host.size());
  on_completion([hooks, &host, buffer] { hooks.copy_to_device(buffer.data, host.data(), host.size()); });
  return host.data();
}

}  // namespace eh
