// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace eh::kernels {

/// memcpy, also where that of glibc falls to a twentieth of its speed: between 4 KiB and half the second-level cache it
/// uses `rep movsb`, and processors of AMD crawl through that when the target lies a few bytes behind the source, pages aside
/// (glibc bug 30994). Arrays of NumPy begin 16 bytes behind a page; chunks of shared memory at one.
void copy_bytes(void* to, const void* from, std::size_t bytes);

}  // namespace eh::kernels
