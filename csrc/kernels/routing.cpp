// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/routing.hpp"

#include <algorithm>
#include <numeric>

#include "base/shape.hpp"

namespace eh::kernels {
namespace {

using Positions = std::vector<std::int64_t>;

/// Finds owners; neighbours in an index often have the same.
class OwnerOf {
 public:
  explicit OwnerOf(const Positions& offsets) : offsets_(offsets) {}
  std::size_t operator()(std::int64_t row) {
    if (row < begin_ || row >= end_) {
      rank_ = at(std::upper_bound(offsets_.begin(), offsets_.end(), row) - offsets_.begin() - 1);
      begin_ = offsets_[rank_];
      end_ = offsets_[rank_ + 1];
    }
    return rank_;
  }

 private:
  const Positions& offsets_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::size_t rank_ = 0;
};

std::int64_t rest_of(const IndexedItems& items, std::int64_t i) {
  return items.rest == nullptr ? 0 : items.rest[i];
}

bool strictly_ascending(const std::int64_t* position, std::int64_t n) {
  return std::adjacent_find(position, position + n, std::greater_equal<>()) == position + n;
}

/// For each item the one that names its position last, from a table of all positions.
Positions last_by_table(const std::int64_t* position, std::int64_t n, std::int64_t space) {
  Positions last(at(space), -1);
  for (std::int64_t i = 0; i < n; ++i) last[at(position[i])] = i;
  Positions out;
  for (std::int64_t i = 0; i < n; ++i) {
    if (last[at(position[i])] == i) out.push_back(i);
  }
  return out;
}

Positions last_by_sorting(const std::int64_t* position, std::int64_t n) {
  Positions order(at(n));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [position](std::int64_t a, std::int64_t b) {
    return position[a] != position[b] ? position[a] < position[b] : a < b;
  });
  Positions out;
  for (std::int64_t k = 0; k < n; ++k) {
    if (k + 1 == n || position[order[at(k + 1)]] != position[order[at(k)]]) out.push_back(order[at(k)]);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Routed route(const IndexedItems& items, const Positions& offsets, std::int64_t* place,
             std::int64_t* position) {
  Routed out{Positions(offsets.size() - 1, 0), true};
  OwnerOf owner_of(offsets);
  std::size_t previous = 0;
  for (std::int64_t i = 0; i < items.n; ++i) {
    const std::size_t owner = owner_of(items.rows[i]);
    ++out.counts[owner];
    out.in_order = out.in_order && owner >= previous;
    previous = owner;
  }
  Positions next(out.counts.size(), 0);
  std::exclusive_scan(out.counts.begin(), out.counts.end(), next.begin(), std::int64_t{0});
  for (std::int64_t i = 0; i < items.n; ++i) {
    const std::size_t owner = owner_of(items.rows[i]);
    place[i] = next[owner]++;
    position[place[i]] = (items.rows[i] - offsets[owner]) * items.width + rest_of(items, i);
  }
  return out;
}

void pick_own(const IndexedItems& items, std::int64_t begin, std::int64_t end, Positions& position) {
  for (std::int64_t i = 0; i < items.n; ++i) {
    const std::int64_t row = items.rows[i];
    if (row >= begin && row < end) position.push_back((row - begin) * items.width + rest_of(items, i));
  }
}

std::optional<Positions> last_of_each(const std::int64_t* position, std::int64_t n, std::int64_t space) {
  if (strictly_ascending(position, n)) return std::nullopt;
  Positions kept = space <= 4 * n + 1024 ? last_by_table(position, n, space) : last_by_sorting(position, n);
  if (static_cast<std::int64_t>(kept.size()) == n) return std::nullopt;
  return kept;
}

}  // namespace eh::kernels
