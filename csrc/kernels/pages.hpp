// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace eh::kernels {

/// Gives the whole pages within this memory back to the system; what they held is lost. They may be written again.
/// @pre private memory from malloc
void release_pages(void* data, std::size_t bytes);

/// Asks the system to back new memory by large pages, whose first touch costs much less. A wish, no more.
void prefer_large_pages(void* data, std::size_t bytes);

/// Has glibc keep freed blocks of up to 32 MiB, 128 MiB in all, for the next arrays instead of giving them back to the
/// system: the first touch of a new page costs more than the arithmetic on it. glibc does so by
/// itself, with half as much in all, once a block of 32 MiB was freed. Does nothing where the user has set glibc's own limits, or there is another allocator.
void keep_freed_memory();

}  // namespace eh::kernels
