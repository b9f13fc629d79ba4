// SPDX-License-Identifier: BSD-3-Clause
// Plans of layout/ (balance, roll, flip, halos of any width, changes of split) carried out as array/ does: one alltoallv
// of packed rows; and as messages between two ranks, which must not wait for each other in a circle.
#include <algorithm>
#include <random>

#include "layout/layout.hpp"
#include "layout/moves.hpp"
#include "support.hpp"

namespace eh::simulated {
namespace {

using Rows = std::vector<std::int64_t>;

Rows block_of(const Counts& counts, int rank) {
  Rows rows(static_cast<std::size_t>(counts[static_cast<std::size_t>(rank)]));
  std::int64_t first = 0;
  for (int before = 0; before < rank; ++before) first += counts[static_cast<std::size_t>(before)];
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = first + static_cast<std::int64_t>(i);
  return rows;
}

/// Elements per peer and the rows of the transfers, one behind another.
struct Packed {
  Counts counts;
  Rows rows;
  Packed(int size, const std::vector<Transfer>& transfers) : counts(static_cast<std::size_t>(size), 0) {
    std::int64_t total = 0;
    for (const Transfer& t : transfers) {
      counts[static_cast<std::size_t>(t.peer)] += t.length;
      total += t.length;
    }
    rows.resize(static_cast<std::size_t>(total));
  }
};

Rows by_alltoallv(const Communicator& comm, const MovePlan& plan, const Rows& block, std::int64_t rows) {
  Packed out(comm.size(), plan.sends), in(comm.size(), plan.recvs);
  auto to = out.rows.begin();
  for (const Transfer& t : plan.sends) to = std::copy_n(block.begin() + t.begin, t.length, to);
  comm.alltoallv(input(out.rows), out.counts, output(in.rows), in.counts);
  Rows result(static_cast<std::size_t>(rows), -1);
  auto from = in.rows.begin();
  for (const Transfer& t : plan.recvs) {
    std::copy_n(from, t.length, result.begin() + t.begin);
    from += t.length;
  }
  return result;
}

Rows by_messages(const Communicator& comm, const MovePlan& plan, Rows block, std::int64_t rows) {
  Rows result(static_cast<std::size_t>(rows), -1);
  std::vector<Request> requests;
  for (const Transfer& t : plan.recvs)
    requests.push_back(comm.irecv({result.data() + t.begin, t.length, DType::Int64}, t.peer, 5));
  for (const Transfer& t : plan.sends)
    requests.push_back(comm.isend({block.data() + t.begin, t.length, DType::Int64}, t.peer, 5));
  for (Request& request : requests) request.wait();
  return result;
}

/// Row i of the target is the source's row `rows[i]`; -1 where nothing arrives.
Rows expected_of(const std::vector<Move>& moves, const Counts& to, int rank) {
  Rows result = block_of(to, rank);
  const std::int64_t first = result.empty() ? 0 : result.front();
  const auto last = first + static_cast<std::int64_t>(result.size());
  std::fill(result.begin(), result.end(), -1);
  for (const Move& move : moves)
    for (auto row = std::max(first, move.target); row < std::min(last, move.target + move.length); ++row)
      result[static_cast<std::size_t>(row - first)] = move.source + row - move.target;
  return result;
}

void check_moves(const Communicator& comm, Tally& tally, const Counts& from, const Counts& to,
                 const std::vector<Move>& moves, const char* what) {
  const int me = comm.rank();
  const MovePlan plan = plan_moves(from, to, moves, me);
  const Rows block = block_of(from, me);
  const Rows expected = expected_of(moves, to, me);
  const auto rows = static_cast<std::int64_t>(expected.size());
  tally.expect(by_alltoallv(comm, plan, block, rows) == expected, what, me);
  tally.expect(by_messages(comm, plan, block, rows) == expected, what, me);
}

Counts drawn_counts(std::int64_t n, int size, std::mt19937& random) {
  Counts counts(static_cast<std::size_t>(size), 0);
  while (n > 0) {
    const auto part = std::uniform_int_distribution<std::int64_t>(1, n)(random);
    counts[std::uniform_int_distribution<std::size_t>(0, counts.size() - 1)(random)] += part;
    n -= part;
  }
  return counts;
}

/// Columns of a row block become a column block: each rank meets each, with parts of different sizes.
void check_resplit(const Communicator& comm, Tally& tally, std::int64_t rows, std::int64_t columns) {
  const int me = comm.rank();
  const Chunk mine = chunk(rows, comm.size(), me), wanted = chunk(columns, comm.size(), me);
  Counts sends, recvs;
  Rows out, in(static_cast<std::size_t>(rows * wanted.count)), expected;
  for (int peer = 0; peer < comm.size(); ++peer) {
    const Chunk theirs = chunk(columns, comm.size(), peer);
    sends.push_back(mine.count * theirs.count);
    recvs.push_back(chunk(rows, comm.size(), peer).count * wanted.count);
    for (std::int64_t row = 0; row < mine.count; ++row)
      for (std::int64_t column = 0; column < theirs.count; ++column)
        out.push_back((mine.offset + row) * columns + theirs.offset + column);
  }
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < wanted.count; ++column)
      expected.push_back(row * columns + wanted.offset + column);
  comm.alltoallv(input(out), sends, output(in), recvs);
  tally.expect(in == expected, "resplit", me);
}

}  // namespace

void check_plans(const Communicator& comm, Tally& tally) {
  const int size = comm.size();
  std::mt19937 random(7);  // the same on all ranks
  std::vector<std::int64_t> extents = {size / 2 + 1};
  if (size <= kManyRanks) extents = {1, size / 2 + 1, 5 * size + 3};
  for (const std::int64_t n : extents) {
    const Counts balanced = chunk_counts(n, size), drawn = drawn_counts(n, size, random);
    check_moves(comm, tally, drawn, balanced, identity_moves(n), "balance");
    check_moves(comm, tally, balanced, drawn, roll_moves(n, n / 3 + 1), "roll");
    check_moves(comm, tally, drawn, Counts(drawn.rbegin(), drawn.rend()), reverse_blocks_moves(drawn),
                "flip");
    for (const bool periodic : {false, true}) {
      for (const std::int64_t width : {1, 3, 11}) {  // also wider than the neighbour's block
        const HaloPlan halo = plan_halo(drawn, width, 2 * width, periodic);
        check_moves(comm, tally, drawn, halo.counts, halo.moves, "halo");
      }
    }
    check_resplit(comm, tally, n, 2 * n + 1);
  }
}

void check_messages(const Communicator& comm, Tally& tally) {
  const int me = comm.rank(), size = comm.size();
  const int next = (me + 1) % size, previous = (me + size - 1) % size;
  for (const std::int64_t n : {1, 100000}) {  // eager and rendezvous
    auto mine = values<float>(me, n);
    std::vector<float> got(mine.size());
    comm.sendrecv(input(mine), next, output(got), previous);
    tally.compare(got, [&](std::int64_t i) { return value<float>(previous, i); }, "sendrecv", me);
    // A line: the ends have no neighbour.
    got.assign(mine.size(), -1.f);
    comm.sendrecv(input(mine), me + 1 < size ? next : -1, output(got), me - 1, 3);
    tally.compare(got, [&](std::int64_t i) { return me > 0 ? value<float>(me - 1, i) : -1.f; }, "shift", me);
  }
}

}  // namespace eh::simulated
