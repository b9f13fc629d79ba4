// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace eh::kernels {

/// Gives the whole pages within this memory back to the system; what they held is lost. They may be written again.
/// @pre private memory from malloc
void release_pages(void* data, std::size_t bytes);

/// Asks the system to back new memory by large pages, whose first touch costs much less. A wish, no more.
void prefer_large_pages(void* data, std::size_t bytes);

}  // namespace eh::kernels
