// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "base/dtype.hpp"

namespace eh::kernels {

/// For each of n values the number of elements of `sorted` (ascending, m of them) that are less than it, or not
/// greater where `right`. NaN is the largest.
void search_sorted(DType dtype, const void* sorted, std::int64_t m, const void* values, std::int64_t n,
                   bool right, std::int64_t* places);

}  // namespace eh::kernels
