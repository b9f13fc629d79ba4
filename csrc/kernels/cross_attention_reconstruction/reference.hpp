// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/problem.hpp"

namespace eh::kernels {

/// The definition, in double and in plain loops: what all other implementations are measured against.
/// Outputs of any floating element; weight gradients are written, not added, in double.
/// @return sum of squared errors of the counted tokens
double reference_reconstruction(const Reconstruction& problem, WeightGradients sums);

}  // namespace eh::kernels
