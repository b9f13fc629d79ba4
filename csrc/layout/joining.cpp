// SPDX-License-Identifier: BSD-3-Clause
#include "layout/joining.hpp"

#include <algorithm>
#include <unordered_set>

#include "layout/layout.hpp"

namespace eh {
namespace {

using Rows = std::vector<std::int64_t>;

/// n[s][t]: items from rank s to rank t.
std::vector<Rows> count_pairs(const std::vector<int>& source, const std::vector<int>& target, int nranks) {
  std::vector<Rows> n(static_cast<std::size_t>(nranks), Rows(static_cast<std::size_t>(nranks), 0));
  for (std::size_t k = 0; k < source.size(); ++k)
    ++n[static_cast<std::size_t>(source[k])][static_cast<std::size_t>(target[k])];
  return n;
}

/// Items with mine[k] == rank, ordered by the other side's rank.
Rows items_of(const std::vector<int>& mine, const std::vector<int>& other, int rank) {
  Rows items;
  for (std::size_t k = 0; k < mine.size(); ++k) {
    if (mine[k] == rank) items.push_back(static_cast<std::int64_t>(k));
  }
  std::stable_sort(items.begin(), items.end(), [&](std::int64_t a, std::int64_t b) {
    return other[static_cast<std::size_t>(a)] < other[static_cast<std::size_t>(b)];
  });
  return items;
}

/// Moves of blocks from (source rank, target rank) order to (target rank, source rank) order.
RowPlan transpose_pairs(const std::vector<Rows>& n) {
  const std::size_t nranks = n.size();
  RowPlan plan{Rows(nranks, 0), Rows(nranks, 0), {}};
  for (std::size_t s = 0; s < nranks; ++s) {
    for (std::size_t t = 0; t < nranks; ++t) {
      plan.from[s] += n[s][t];
      plan.to[t] += n[s][t];
    }
  }
  Rows next = offsets_of(plan.to);
  std::int64_t at = 0;
  for (std::size_t s = 0; s < nranks; ++s) {
    for (std::size_t t = 0; t < nranks; ++t) {
      if (n[s][t] > 0) plan.moves.push_back({at, next[t], n[s][t]});
      at += n[s][t];
      next[t] += n[s][t];
    }
  }
  return plan;
}

}  // namespace

RowPlan plan_join(const std::vector<Rows>& parts) {
  RowPlan plan;
  const std::size_t nranks = parts.front().size();
  Rows target;  // next row of every array in the result
  std::int64_t total = 0;
  for (const Rows& part : parts) {
    target.push_back(total);
    total += offsets_of(part).back();
  }
  std::int64_t source = 0;
  for (std::size_t r = 0; r < nranks; ++r) {
    const std::int64_t begin = source;
    for (std::size_t a = 0; a < parts.size(); ++a) {
      const std::int64_t n = parts[a][r];
      if (n > 0) plan.moves.push_back({source, target[a], n});
      source += n;
      target[a] += n;
    }
    plan.from.push_back(source - begin);
  }
  plan.to = chunk_counts(total, static_cast<int>(nranks));
  return plan;
}

Route plan_route(const std::vector<int>& source, const std::vector<int>& target, int nranks, int rank) {
  return {items_of(source, target, rank), items_of(target, source, rank),
          transpose_pairs(count_pairs(source, target, nranks))};
}

std::vector<int> owners(const Rows& rows, const Rows& counts) {
  const Rows offsets = offsets_of(counts);
  std::vector<int> out;
  for (std::int64_t row : rows)
    out.push_back(static_cast<int>(std::upper_bound(offsets.begin(), offsets.end(), row) - offsets.begin()) -
                  1);
  return out;
}

Rows last_occurrences(const Rows& rows) {
  std::unordered_set<std::int64_t> seen;
  Rows out;
  for (std::size_t k = rows.size(); k-- > 0;) {
    if (seen.insert(rows[k]).second) out.push_back(static_cast<std::int64_t>(k));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace eh
