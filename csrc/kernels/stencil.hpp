// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

/// Weighted sums of neighbours: out[i, ..., j] = sum over taps of weight * x[i, ..., j + offset], rows of contiguous
/// entries.
namespace eh::kernels {

/// An entry that counts: its distance in memory, in elements, and its weight.
template <typename T>
struct Tap {
  std::int64_t offset;
  T weight;
};

/// A row of n results. The sum is taken in the order of the taps, from 0 or, with `add`, from what is there.
/// @pre x + offset is readable for n elements for every tap; out overlaps none of them
void stencil_row(const float* x, const std::vector<Tap<float>>& taps, std::int64_t n, bool add, float* out);
void stencil_row(const double* x, const std::vector<Tap<double>>& taps, std::int64_t n, bool add,
                 double* out);

}  // namespace eh::kernels
