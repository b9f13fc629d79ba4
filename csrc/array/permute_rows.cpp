// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_ops.h>

#include <algorithm>
#include <numeric>

#include "array/autograd.hpp"
#include "array/random.hpp"
#include "array/tensor_comm.hpp"

namespace eh {
namespace {

at::Tensor indices(std::int64_t n) {
  return at::_ops::empty_memory_format::call(c10::fromIntArrayRefSlow({n}), at::kLong, at::kStrided, at::kCPU,
                                             std::nullopt, std::nullopt);
}

at::Tensor take_rows(const at::Tensor& t, const at::Tensor& rows) {
  return t.index_select(0, rows.to(t.device()));
}

/// Own rows sorted by where they go, and how many go to each rank.
struct Outgoing {
  at::Tensor order;
  Counts counts;
};

Outgoing outgoing(const Layout& layout, int rank, const RandomPermutation& permutation) {
  const std::int64_t n = layout.count(rank);
  std::vector<std::int64_t> target(static_cast<std::size_t>(n));
  Outgoing out{indices(n), Counts(static_cast<std::size_t>(layout.nranks()), 0)};
  for (std::int64_t i = 0; i < n; ++i) {
    target[static_cast<std::size_t>(i)] = permutation.inverse(layout.offset(rank) + i);
    ++out.counts[static_cast<std::size_t>(layout.owner(target[static_cast<std::size_t>(i)]))];
  }
  auto* order = out.order.mutable_data_ptr<std::int64_t>();
  std::iota(order, order + n, std::int64_t{0});
  std::sort(order, order + n, [&](std::int64_t a, std::int64_t b) {
    return target[static_cast<std::size_t>(a)] < target[static_cast<std::size_t>(b)];
  });
  return out;
}

/// counts[s * nranks + d]: rows that rank s sends to rank d. Collective.
Counts gather_counts(const Counts& mine, const Communicator& comm) {
  Counts all(mine.size() * mine.size());
  const auto n = static_cast<std::int64_t>(mine.size());
  comm.allgather({mine.data(), n, DType::Int64}, {all.data(), n * n, DType::Int64});
  return all;
}

/// Rows packed by target become rows packed by source: one move for each pair of ranks.
std::vector<Move> packed_moves(const Layout& layout, const Counts& counts) {
  const auto nranks = static_cast<std::size_t>(layout.nranks());
  std::vector<Move> moves;
  std::vector<std::int64_t> filled(layout.offsets().begin(), layout.offsets().end() - 1);
  for (std::size_t s = 0; s < nranks; ++s) {
    std::int64_t source = layout.offsets()[s];
    for (std::size_t d = 0; d < nranks; ++d) {
      const std::int64_t length = counts[s * nranks + d];
      if (length > 0) moves.push_back({source, filled[d], length});
      source += length;
      filled[d] += length;
    }
  }
  return moves;
}

/// For each own row of the result, in order: its place among the rows received, which lie source behind source.
at::Tensor arrival_places(const Layout& layout, int rank, const Counts& counts,
                          const RandomPermutation& permutation) {
  const auto nranks = static_cast<std::size_t>(layout.nranks());
  std::vector<std::int64_t> next(nranks, 0);
  for (std::size_t s = 1; s < nranks; ++s)
    next[s] = next[s - 1] + counts[(s - 1) * nranks + static_cast<std::size_t>(rank)];
  const std::int64_t n = layout.count(rank);
  at::Tensor places = indices(n);
  auto* place = places.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i)
    place[i] = next[static_cast<std::size_t>(layout.owner(permutation(layout.offset(rank) + i)))]++;
  return places;
}

}  // namespace

DNDarray permute_rows(const DNDarray& x, const RandomPermutation& permutation) {
  if (!x.is_distributed() || x.split() != 0) {
    at::Tensor rows = indices(permutation.size());
    auto* row = rows.mutable_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < permutation.size(); ++i) row[i] = permutation(i);
    return x.with_local(take_rows(x.local(), rows));
  }
  const Layout& layout = x.layout();
  const int rank = x.comm().rank();
  const Outgoing out = outgoing(layout, rank, permutation);
  const Counts counts = gather_counts(out.counts, x.comm());
  const at::Tensor received = move_rows(take_rows(x.local(), out.order), 0, layout.counts(), layout.counts(),
                                        packed_moves(layout, counts), x.comm_ptr());
  return x.with_local(take_rows(received, arrival_places(layout, rank, counts, permutation)));
}

}  // namespace eh
