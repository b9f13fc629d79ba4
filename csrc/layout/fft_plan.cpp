// SPDX-License-Identifier: BSD-3-Clause
#include "layout/fft_plan.hpp"

#include <algorithm>
#include <cmath>

#include "layout/layout.hpp"

namespace eh {
namespace {

std::int64_t root_of(std::int64_t n) {
  auto root = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n)));
  while (root * root > n) --root;
  while ((root + 1) * (root + 1) <= n) ++root;
  return root;
}

/// Smallest smooth multiple of `unit` that is at least n.
std::int64_t smooth_multiple(std::int64_t n, std::int64_t unit) {
  return unit * smooth_length((n + unit - 1) / unit);
}

}  // namespace

std::optional<std::pair<std::int64_t, std::int64_t>> balanced_factors(std::int64_t n, int nranks) {
  for (std::int64_t first = root_of(n); first >= std::max(nranks, 1); --first) {
    if (n % first == 0) return std::pair{first, n / first};
  }
  return std::nullopt;
}

std::int64_t smooth_length(std::int64_t n) {
  for (n = std::max<std::int64_t>(n, 1);; ++n) {
    std::int64_t rest = n;
    for (std::int64_t prime : {2, 3, 5, 7}) {
      while (rest % prime == 0) rest /= prime;
    }
    if (rest == 1) return n;
  }
}

std::int64_t smooth_product(std::int64_t n, int nranks) {
  const std::int64_t first = smooth_multiple(root_of(n - 1) + 1, nranks);
  return first * smooth_multiple((n + first - 1) / first, nranks);
}

std::vector<Move> mirrored_moves(const std::vector<std::int64_t>& from, std::int64_t n, std::int64_t behind) {
  std::vector<Move> moves;
  const std::vector<std::int64_t> offsets = offsets_of(from);
  for (std::size_t rank = 0; rank < from.size(); ++rank) {
    const std::int64_t begin = std::max<std::int64_t>(offsets[rank], 1);
    const std::int64_t end = std::min(offsets[rank + 1], behind + 1);
    if (begin < end) moves.push_back({offsets[rank] + offsets[rank + 1] - end, n - end + 1, end - begin});
  }
  return moves;
}

}  // namespace eh
