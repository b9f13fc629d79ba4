// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

namespace eh::kernels {

/// n items of `bytes` bytes each, every one `times` times in a row. `out` has room for n * times items.
void repeat(const void* items, std::int64_t n, std::size_t bytes, std::int64_t times, void* out);

}  // namespace eh::kernels
