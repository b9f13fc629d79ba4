// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Running sums and products.
namespace eh::kernels {

enum class Running : bool { Sum, Product };

/// Columns of an (outer, n, pitch) array: the first `inner` of each row.
struct RunningExtents {
  std::int64_t outer;
  std::int64_t n;
  std::int64_t inner;
  std::int64_t pitch;
};

/// Running totals along the middle axis, accumulated in float64 (integers modulo 2^64). `start`, (outer, pitch), is what
/// they start from; null for 0 or 1. `out` has the form of x and may be x.
#define EH_RUNNING(T) \
  void running(const T* x, const RunningExtents& extents, Running kind, const T* start, T* out);
EH_RUNNING(float)
EH_RUNNING(double)
EH_RUNNING(std::int64_t)
#undef EH_RUNNING

}  // namespace eh::kernels
