// SPDX-License-Identifier: BSD-3-Clause
#include "array/parallel.hpp"

#include <ATen/Parallel.h>

#include <algorithm>

// Compiled with OpenMP: at::parallel_for is written in its caller's file, and is a plain loop without.
namespace eh {
namespace {

/// Element operations that a thread must have to be worth waking.
constexpr std::int64_t kGrain = 100'000;

}  // namespace

void parallel_rows(std::int64_t rows, std::int64_t cost_per_row,
                   const std::function<void(std::int64_t begin, std::int64_t end)>& work) {
  const std::int64_t grain = std::max<std::int64_t>(32, kGrain / std::max<std::int64_t>(1, cost_per_row));
  at::parallel_for(0, rows, grain, work);
}

std::int64_t parts_of(std::int64_t rows, std::int64_t cost_per_row) {
  const std::int64_t worth = rows * std::max<std::int64_t>(1, cost_per_row) / kGrain;
  return std::clamp<std::int64_t>(worth, 1, at::get_num_threads());
}

void parallel_parts(
    std::int64_t rows, std::int64_t parts,
    const std::function<void(std::int64_t part, std::int64_t begin, std::int64_t end)>& work) {
  at::parallel_for(0, parts, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t part = first; part < last; ++part)
      work(part, rows * part / parts, rows * (part + 1) / parts);
  });
}

}  // namespace eh
