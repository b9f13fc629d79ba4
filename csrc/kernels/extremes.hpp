// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Positions of extreme elements.
namespace eh::kernels {

/// For each of `rows` contiguous rows of n > 0 elements: the position of the first NaN, else of the first largest
/// (smallest) element.
#define EH_FIRST_EXTREME(T) \
  void first_extreme(const T* x, std::int64_t rows, std::int64_t n, bool largest, std::int64_t* out);
/// The same along the middle axis of (outer, n, inner), 0 < n < 2^31.
#define EH_FIRST_EXTREME_ACROSS(T)                                                              \
  void first_extreme_across(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, \
                            bool largest, std::int64_t* out);
EH_FIRST_EXTREME(float)
EH_FIRST_EXTREME_ACROSS(float)
EH_FIRST_EXTREME(double)
EH_FIRST_EXTREME_ACROSS(double)
EH_FIRST_EXTREME(std::int8_t)
EH_FIRST_EXTREME_ACROSS(std::int8_t)
EH_FIRST_EXTREME(std::uint8_t)
EH_FIRST_EXTREME_ACROSS(std::uint8_t)
EH_FIRST_EXTREME(std::int16_t)
EH_FIRST_EXTREME_ACROSS(std::int16_t)
EH_FIRST_EXTREME(std::int32_t)
EH_FIRST_EXTREME_ACROSS(std::int32_t)
EH_FIRST_EXTREME(std::int64_t)
EH_FIRST_EXTREME_ACROSS(std::int64_t)
#undef EH_FIRST_EXTREME
#undef EH_FIRST_EXTREME_ACROSS

}  // namespace eh::kernels
