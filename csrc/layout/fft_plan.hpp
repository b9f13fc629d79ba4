// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "layout/moves.hpp"

/// Lengths and moves of Fourier transforms along a split axis. Pure: no communication.
namespace eh {

/// n = first * second, both at least `nranks` and as close to each other as possible; absent if there are none.
std::optional<std::pair<std::int64_t, std::int64_t>> balanced_factors(std::int64_t n, int nranks);

/// Smallest number >= n without prime factors above 7, which transforms are fast for.
std::int64_t smooth_length(std::int64_t n);

/// A length >= n whose balanced factors are smooth multiples of `nranks`.
std::int64_t smooth_product(std::int64_t n, int nranks);

/// For spectra of real data: row n - k of a full spectrum is row k of its first half, 0 < k <= behind. The moves
/// expect that every rank has reversed its own `from` rows.
std::vector<Move> mirrored_moves(const std::vector<std::int64_t>& from, std::int64_t n, std::int64_t behind);

}  // namespace eh
