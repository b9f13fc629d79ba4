// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "kernels/pairwise.hpp"

/// Products of columns of samples, for few of them: a product of matrices that reads [x y] once, in float64 without a
/// copy of the samples in that type.
namespace eh::kernels {

/// Up to here `add_gram` is faster than a general product of matrices.
inline constexpr std::int64_t kGramWidth = 512;

/// sum += z'z for z = [x y] - shift, (w, w) with w = x.features + y.features; all in float64. The order of the sums
/// depends on the rows only.
/// @pre as many rows of y as of x (y may have no features), `shift` of length w
template <typename T, typename U>
void add_gram(const RowBlock<T>& x, const RowBlock<U>& y, const double* shift, double* sum);

extern template void add_gram(const RowBlock<float>&, const RowBlock<float>&, const double*, double*);
extern template void add_gram(const RowBlock<float>&, const RowBlock<double>&, const double*, double*);
extern template void add_gram(const RowBlock<double>&, const RowBlock<float>&, const double*, double*);
extern template void add_gram(const RowBlock<double>&, const RowBlock<double>&, const double*, double*);

}  // namespace eh::kernels
