// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/pack.hpp"

/// One copy instead of two: a rank reads the memory of another process of its node itself, by way of the kernel
/// (process_vm_readv of Linux). Systems may forbid it: containers, Yama's ptrace_scope; then it is not used.
namespace eh {

/// Fills the memory `to` from the memory `from` of a process. Both have as many bytes, their pieces need not agree.
/// @return whether the system did it
bool try_pull(std::int64_t process, const std::vector<Memory>& to, const std::vector<Memory>& from);
/// The same. @throw CommError when the system refuses
void pull(std::int64_t process, const std::vector<Memory>& to, const std::vector<Memory>& from);

}  // namespace eh
