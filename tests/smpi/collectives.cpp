// SPDX-License-Identifier: BSD-3-Clause
// Every collective, blocking and started, in place and not, with roots at both ends and with empty parts.
#include <functional>
#include <numeric>

#include "support.hpp"

namespace eh::simulated {
namespace {

/// Sum over the ranks [0, last) of element i.
template <typename T>
T sum(int last, std::int64_t i) {
  int total = 0;
  for (int rank = 0; rank < last; ++rank) total += static_cast<int>((rank + i) % 3);
  return T(static_cast<float>(total));
}

template <typename T>
struct Case {
  const Communicator& comm;
  Tally& tally;
  std::int64_t n;
  int me = comm.rank();
  int size = comm.size();

  void check(const std::vector<T>& got, const std::function<T(std::int64_t)>& expected,
             const char* what) const {
    tally.compare(got, expected, what, me);
  }

  void reductions() const {
    const auto send = values<T>(me, n);
    const auto total = [this](std::int64_t i) { return sum<T>(size, i); };
    std::vector<T> got(send.size());
    comm.allreduce(input(send), output(got), ReduceOp::Sum);
    check(got, total, "allreduce");
    auto in_place = send;
    comm.iallreduce(input(in_place), output(in_place), ReduceOp::Sum).wait();
    check(in_place, total, "iallreduce in place");
    comm.scan(input(send), output(got), ReduceOp::Sum);
    check(got, [this](std::int64_t i) { return sum<T>(me + 1, i); }, "scan");
    comm.iexscan(input(send), output(got), ReduceOp::Sum).wait();
    check(got, [this](std::int64_t i) { return sum<T>(me, i); }, "iexscan");
    for (const int root : {0, size - 1}) {
      got.assign(send.size(), T());
      comm.reduce(input(send), output(got), ReduceOp::Sum, root);
      if (me == root) check(got, total, "reduce");
    }
  }

  void reduce_scatter() const {
    const Counts counts = uneven(size, n);
    std::int64_t before = 0;
    for (int rank = 0; rank < me; ++rank) before += counts[static_cast<std::size_t>(rank)];
    const auto send = values<T>(me, std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
    std::vector<T> got(static_cast<std::size_t>(counts[static_cast<std::size_t>(me)]));
    comm.reduce_scatter(input(send), output(got), counts, ReduceOp::Sum);
    check(got, [&](std::int64_t i) { return sum<T>(size, before + i); }, "reduce_scatter");
  }

  void broadcasts() const {
    for (const int root : {0, size - 1}) {
      auto data = values<T>(me, n);
      comm.bcast(output(data), root);
      check(data, [root](std::int64_t i) { return value<T>(root, i); }, "bcast");
      data = values<T>(me + 1, n);
      comm.ibcast(output(data), root).wait();
      check(data, [root](std::int64_t i) { return value<T>(root + 1, i); }, "ibcast");
    }
  }

  /// All ranks' parts of n elements one behind another.
  std::vector<T> whole() const {
    std::vector<T> all;
    for (int rank = 0; rank < size; ++rank)
      for (std::int64_t i = 0; i < n; ++i) all.push_back(value<T>(rank, i));
    return all;
  }

  void gathers() const {
    const auto all = whole();
    const auto expected = [&](std::int64_t i) { return all[static_cast<std::size_t>(i)]; };
    const auto part = values<T>(me, n);
    std::vector<T> got(all.size());
    comm.allgather(input(part), output(got));
    check(got, expected, "allgather");
    got.assign(all.size(), T());
    comm.igather(input(part), output(got), size - 1).wait();
    if (me == size - 1) check(got, expected, "igather");
    std::vector<T> mine(part.size());
    comm.scatter(input(all), output(mine), 0);
    check(mine, [this](std::int64_t i) { return value<T>(me, i); }, "scatter");
  }

  void uneven_gathers() const {
    const Counts counts = uneven(size, n);
    const auto own = counts[static_cast<std::size_t>(me)];
    std::vector<T> all;
    for (int rank = 0; rank < size; ++rank)
      for (std::int64_t i = 0; i < counts[static_cast<std::size_t>(rank)]; ++i)
        all.push_back(value<T>(rank, i));
    const auto expected = [&](std::int64_t i) { return all[static_cast<std::size_t>(i)]; };
    const auto part = values<T>(me, own);
    std::vector<T> got(all.size()), mine(part.size());
    comm.iallgatherv(input(part), output(got), counts).wait();
    check(got, expected, "iallgatherv");
    got.assign(all.size(), T());
    comm.gatherv(input(part), output(got), counts, 0);
    if (me == 0) check(got, expected, "gatherv");
    comm.iscatterv(input(all), output(mine), counts, size - 1).wait();
    check(mine, [this](std::int64_t i) { return value<T>(me, i); }, "iscatterv");
  }

  void exchanges() const {
    std::vector<T> send, got(static_cast<std::size_t>(n * size));
    for (int peer = 0; peer < size; ++peer)
      for (std::int64_t i = 0; i < n; ++i) send.push_back(value<T>(me + peer, i));
    comm.alltoall(input(send), output(got));
    check(got, [this](std::int64_t i) { return value<T>(static_cast<int>(i / n) + me, i % n); }, "alltoall");
    // Rank a sends (a + b) mod 3 times n elements to rank b.
    Counts counts;
    send.clear();
    for (int peer = 0; peer < size; ++peer) {
      counts.push_back((me + peer) % 3 * n);
      for (std::int64_t i = 0; i < counts.back(); ++i) send.push_back(value<T>(me + 2 * peer, i));
    }
    std::vector<T> expected, back(send.size());
    for (int peer = 0; peer < size; ++peer)
      for (std::int64_t i = 0; i < (me + peer) % 3 * n; ++i) expected.push_back(value<T>(peer + 2 * me, i));
    const auto at = [&](std::int64_t i) { return expected[static_cast<std::size_t>(i)]; };
    comm.alltoallv(input(send), counts, output(back), counts);
    check(back, at, "alltoallv");
    back.assign(send.size(), T());
    comm.ialltoallv(input(send), counts, output(back), counts).wait();
    check(back, at, "ialltoallv");
  }

  void all() const {
    reductions();
    reduce_scatter();
    broadcasts();
    gathers();
    uneven_gathers();
    exchanges();
  }
};

template <typename T>
void check_type(const Communicator& comm, Tally& tally) {
  for (const std::int64_t n : {1, 77}) Case<T>{comm, tally, n}.all();
}

/// Thousands of messages for each exchange: one type whose sums are MPI's, one whose sums are ours.
void check_many_ranks(const Communicator& comm, Tally& tally) {
  Case<std::int64_t>{comm, tally, 5}.all();
  Case<BFloat16>{comm, tally, 3}.reductions();
}

}  // namespace

void check_collectives(const Communicator& comm, Tally& tally) {
  if (comm.size() > kManyRanks) return check_many_ranks(comm, tally);
  check_type<std::uint8_t>(comm, tally);
  check_type<std::int64_t>(comm, tally);
  check_type<float>(comm, tally);
  check_type<BFloat16>(comm, tally);
  check_type<std::complex<double>>(comm, tally);
  comm.barrier();
  comm.ibarrier().wait();
  const auto part = comm.split(comm.rank() % 2, -comm.rank());
  Case<double>{*part, tally, 5}.all();
  Case<double>{*part->dup(), tally, 0}.reductions();
}

}  // namespace eh::simulated
