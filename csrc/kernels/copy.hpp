// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

namespace eh::kernels {

/// memcpy, also where that of glibc falls to a twentieth of its speed: between 4 KiB and half the second-level cache it
/// uses `rep movsb`, and processors of AMD crawl through that for some alignments of the target, among them 16 bytes
/// behind a page where the source begins at one: so lie arrays of NumPy, and chunks of shared memory.
void copy_bytes(void* to, const void* from, std::size_t bytes);

/// Bytes of a result that no cache keeps: written past them it need not be read first.
inline constexpr std::int64_t kBeyondCaches = 16 << 20;

/// memcpy past the caches, where the processor can: for what this core does not read again soon.
void stream_bytes(void* to, const void* from, std::size_t bytes);
/// The same, in parts: others may see a flag that is set afterwards before the bytes, until finish_streams() was called.
void stream_part(void* to, const void* from, std::size_t bytes);
void finish_streams();

}  // namespace eh::kernels
