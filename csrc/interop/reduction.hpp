// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/csrc/distributed/c10d/Types.hpp>

#include "comm/communicator.hpp"

namespace eh {

/// torch's reduction as the communicator does it: a factor before, an operation, a division behind.
struct Reduction {
  ReduceOp op;
  bool is_mean = false;
  at::Tensor factor_tensor;  ///< of PREMUL_SUM
  double factor = 1;

  /// @throws TypeError where torch's operation is not defined for the type
  Reduction(const c10d::ReduceOp& asked, at::ScalarType type, const char* fn);
  void prepare(const at::Tensor& x) const;
  void complete(const at::Tensor& x, int ranks) const;
  bool changes_input() const { return factor_tensor.defined() || factor != 1; }
};

}  // namespace eh
