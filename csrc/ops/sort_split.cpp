// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_ops.h>

#include <algorithm>
#include <numeric>

#include "array/tensor_comm.hpp"
#include "kernels/sorting.hpp"
#include "ops/sorting.hpp"

/// Sample sort of one line: the exact splitters are found on the sorted blocks, so that every rank ends up with as
/// many elements as it had.
namespace eh::detail {
namespace {

using kernels::Items;
using kernels::Key128;

at::Tensor memory(std::int64_t bytes) {
  return at::_ops::empty_memory_format::call({bytes}, at::kByte, at::kStrided, at::kCPU, std::nullopt,
                                             std::nullopt);
}

/// The search for the key at one global position: it is at least `key` and differs from it in the bits below the
/// present shift only. The own sorted items with such keys are [begin, end); `below` keys of all ranks are smaller.
struct Search {
  std::int64_t position;
  Key128 key;
  std::int64_t begin;
  std::int64_t end;
  std::int64_t below;
};

/// Fixes the next `bits` bits of every searched key: counts of 2^bits - 1 probes each are added up over ranks.
void fix_bits(const Items& items, const void* sorted, std::vector<Search>& searches, int shift, int bits,
              const Communicator& comm) {
  const std::size_t probes = (std::size_t{1} << bits) - 1;
  std::vector<std::int64_t> local;
  for (const Search& s : searches) {
    std::int64_t from = s.begin;
    for (std::size_t j = 1; j <= probes; ++j) {
      const Key128 step = kernels::shifted_left(j, shift);
      from = items.lower_bound(sorted, from, s.end, {s.key.hi | step.hi, s.key.lo | step.lo});
      local.push_back(from);
    }
  }
  std::vector<std::int64_t> global(local.size());
  const auto n = static_cast<std::int64_t>(local.size());
  comm.allreduce({local.data(), n, DType::Int64}, {global.data(), n, DType::Int64}, ReduceOp::Sum);
  for (std::size_t i = 0; i < searches.size(); ++i) {
    Search& s = searches[i];
    const auto first = global.begin() + static_cast<std::ptrdiff_t>(i * probes);
    const auto above = std::upper_bound(first, first + static_cast<std::ptrdiff_t>(probes), s.position);
    const auto digit = static_cast<std::size_t>(above - first);
    const std::int64_t* own = local.data() + i * probes;
    if (digit < probes) s.end = own[digit];
    if (digit == 0) continue;
    s.begin = own[digit - 1];
    s.below = first[static_cast<std::ptrdiff_t>(digit) - 1];
    const Key128 step = kernels::shifted_left(digit, shift);
    s.key = {s.key.hi | step.hi, s.key.lo | step.lo};
  }
}

/// Where the own sorted items are cut: those in [cuts[r], cuts[r + 1]) belong to rank r. Of equal keys those of
/// earlier ranks come first. Collective.
std::vector<std::int64_t> cut(const Items& items, const void* sorted, std::int64_t n, const Counts& counts,
                              const Communicator& comm) {
  const std::vector<std::int64_t> offsets = offsets_of(counts);
  std::vector<Search> searches;
  for (std::size_t r = 1; r < counts.size(); ++r) searches.push_back({offsets[r], {}, 0, n, 0});
  constexpr std::size_t kManyRanks = 256;
  const int bits = counts.size() > kManyRanks ? 4 : 8;
  for (int shift = items.key_bits() - bits; shift >= 0; shift -= bits)
    fix_bits(items, sorted, searches, shift, bits, comm);
  std::vector<std::int64_t> equal;
  for (const Search& s : searches) equal.push_back(s.end - s.begin);
  std::vector<std::int64_t> before(equal.size());
  const auto k = static_cast<std::int64_t>(equal.size());
  comm.exscan({equal.data(), k, DType::Int64}, {before.data(), k, DType::Int64}, ReduceOp::Sum);
  std::vector<std::int64_t> cuts = {0};
  for (std::size_t i = 0; i < searches.size(); ++i) {
    const Search& s = searches[i];
    cuts.push_back(s.begin + std::clamp<std::int64_t>(s.position - s.below - before[i], 0, s.end - s.begin));
  }
  cuts.push_back(n);
  return cuts;
}

/// The element type of messages of items, and how many of it make an item.
std::pair<DType, std::int64_t> words(const Items& items) {
  if (items.bytes() % 8 == 0) return {DType::UInt64, items.bytes() / 8};
  return {items.bytes() == 4 ? DType::UInt32 : items.bytes() == 2 ? DType::UInt16 : DType::UInt8, 1};
}

/// Sends the items between the cuts; `ends` become the ends of the runs received, in rank order. Collective.
void exchange_runs(const Items& items, const at::Tensor& from, const at::Tensor& to,
                   const std::vector<std::int64_t>& cuts, std::vector<std::int64_t>& ends,
                   const Communicator& comm) {
  const std::size_t nranks = cuts.size() - 1;
  Counts send(nranks);
  Counts recv(nranks);
  for (std::size_t r = 0; r < nranks; ++r) send[r] = cuts[r + 1] - cuts[r];
  const auto n = static_cast<std::int64_t>(nranks);
  comm.alltoall({send.data(), n, DType::Int64}, {recv.data(), n, DType::Int64});
  ends.resize(nranks);
  std::partial_sum(recv.begin(), recv.end(), ends.begin());
  const auto [dtype, per_item] = words(items);
  for (std::int64_t& c : send) c *= per_item;
  for (std::int64_t& c : recv) c *= per_item;
  comm.alltoallv({from.const_data_ptr(), cuts.back() * per_item, dtype}, send,
                 {to.mutable_data_ptr(), ends.back() * per_item, dtype}, recv);
}

}  // namespace

SortedLine sort_line(const at::Tensor& local, const Counts& counts, const CommPtr& comm, bool descending,
                     bool indices) {
  const at::Tensor line = local.resolve_conj().resolve_neg().contiguous();
  const DType dtype = dtype_of(line.scalar_type());
  const std::int64_t n = line.numel();
  const std::vector<std::int64_t> offsets = offsets_of(counts);
  const Items items =
      indices ? Items::records(dtype, descending, offsets.back()) : Items::keys(dtype, descending);
  at::Tensor mine = memory(n * items.bytes());
  at::Tensor other = memory(n * items.bytes());
  items.encode(line.const_data_ptr(), mine.mutable_data_ptr(), n,
               offsets[static_cast<std::size_t>(comm->rank())]);
  if (!items.sort(mine.mutable_data_ptr(), other.mutable_data_ptr(), n)) std::swap(mine, other);
  std::vector<std::int64_t> ends;
  exchange_runs(items, mine, other, cut(items, mine.const_data_ptr(), n, counts, *comm), ends, *comm);
  if (!items.merge(other.mutable_data_ptr(), mine.mutable_data_ptr(), std::move(ends)))
    std::swap(mine, other);
  if (!indices) {
    items.decode(other.const_data_ptr(), other.mutable_data_ptr(), n);
    return {other.view(line.scalar_type()), at::Tensor()};
  }
  mine.reset();
  SortedLine out{line.new_empty({n}), line.new_empty({n}, at::kLong)};
  items.decode(other.const_data_ptr(), out.indices.mutable_data_ptr<std::int64_t>(),
               out.values.mutable_data_ptr(), n);
  return out;
}

}  // namespace eh::detail
