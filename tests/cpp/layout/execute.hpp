// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <utility>
#include <vector>

#include "layout/moves.hpp"

/// Plans of all ranks executed in one process on rows that are plain numbers.
namespace eh::testing {

using Rows = std::vector<std::int64_t>;

inline constexpr std::int64_t kUnwritten = -1;

/// `rows` cut into blocks.
inline std::vector<Rows> cut(const Rows& rows, const Rows& counts) {
  std::vector<Rows> blocks;
  auto at = rows.begin();
  for (std::int64_t n : counts) {
    blocks.emplace_back(at, at + n);
    at += n;
  }
  return blocks;
}

inline Rows join(const std::vector<Rows>& blocks) {
  Rows out;
  for (const Rows& block : blocks) out.insert(out.end(), block.begin(), block.end());
  return out;
}

/// Runs the plans of all ranks through mailboxes: what is sent from a to b arrives in order. Checks that sizes
/// match on both sides, that every message is used and that no row is written twice.
inline std::vector<Rows> execute(const std::vector<Rows>& blocks, const Rows& from, const Rows& to,
                                 const std::vector<Move>& moves) {
  const int nranks = static_cast<int>(from.size());
  std::map<std::pair<int, int>, std::vector<Rows>> mail;
  for (int r = 0; r < nranks; ++r) {
    for (const Transfer& t : plan_moves(from, to, moves, r).sends) {
      const auto first = blocks[static_cast<std::size_t>(r)].begin() + t.begin;
      mail[{r, t.peer}].emplace_back(first, first + t.length);
    }
  }
  std::vector<Rows> out;
  for (int r = 0; r < nranks; ++r) {
    Rows block(static_cast<std::size_t>(to[static_cast<std::size_t>(r)]), kUnwritten);
    for (const Transfer& t : plan_moves(from, to, moves, r).recvs) {
      std::vector<Rows>& box = mail[{t.peer, r}];
      REQUIRE_FALSE(box.empty());
      REQUIRE(static_cast<std::int64_t>(box.front().size()) == t.length);
      for (std::int64_t i = 0; i < t.length; ++i) {
        auto& row = block.at(static_cast<std::size_t>(t.begin + i));
        REQUIRE(row == kUnwritten);
        row = box.front()[static_cast<std::size_t>(i)];
      }
      box.erase(box.begin());
    }
    out.push_back(std::move(block));
  }
  for (const auto& [pair, box] : mail) REQUIRE(box.empty());
  return out;
}

/// 0, 1, ..., n - 1.
inline Rows count_up(std::int64_t n) {
  Rows rows(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) rows[static_cast<std::size_t>(i)] = i;
  return rows;
}

/// Random extents that add up to n; some are 0.
inline Rows random_counts(std::int64_t n, int nranks, std::mt19937& random) {
  Rows counts(static_cast<std::size_t>(nranks), 0);
  std::uniform_int_distribution<std::size_t> rank(0, static_cast<std::size_t>(nranks) - 1);
  while (n > 0) {
    const std::int64_t part = std::uniform_int_distribution<std::int64_t>(1, n)(random);
    counts[rank(random)] += part;
    n -= part;
  }
  return counts;
}

inline std::int64_t draw(std::int64_t low, std::int64_t high, std::mt19937& random) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

}  // namespace eh::testing
