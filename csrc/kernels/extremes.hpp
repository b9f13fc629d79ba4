// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Positions of extreme elements.
namespace eh::kernels {

/// For each of `rows` contiguous rows of n > 0 elements: the position of the first NaN, else of the first largest
/// (smallest) element.
#define EH_FIRST_EXTREME(T) \
  void first_extreme(const T* x, std::int64_t rows, std::int64_t n, bool largest, std::int64_t* out);
EH_FIRST_EXTREME(float)
EH_FIRST_EXTREME(double)
EH_FIRST_EXTREME(std::int8_t)
EH_FIRST_EXTREME(std::uint8_t)
EH_FIRST_EXTREME(std::int16_t)
EH_FIRST_EXTREME(std::int32_t)
EH_FIRST_EXTREME(std::int64_t)
#undef EH_FIRST_EXTREME

}  // namespace eh::kernels
