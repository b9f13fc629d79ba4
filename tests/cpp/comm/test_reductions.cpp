// SPDX-License-Identifier: BSD-3-Clause
#include "support.hpp"

using namespace eh;
using namespace eh::test;

namespace {

/// f(op, n) for every operation of T and every size; with `one_size` for one size that changes from op to op and type
/// to type, since the number of messages is what these tests spend their time on.
template <typename T, typename F>
void for_ops_and_sizes(F f, bool one_size = true) {
  auto turn = static_cast<std::size_t>(dtype_of<T>());
  for (const ReduceOp op : ops_of<T>()) {
    CAPTURE(name_of(op));
    const auto only = sizes()[turn++ % sizes().size()];
    for (const auto n : sizes()) {
      CAPTURE(n);
      if (!one_size || n == only) f(op, n);
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("allreduce", T, EH_TEST_TYPES) {
  const auto& comm = world();
  for_ops_and_sizes<T>(
      [&](ReduceOp op, std::int64_t n) {
        const auto send = Array<T>::of_rank(comm.rank(), n);
        const auto expected = [&](std::int64_t i) { return reduced<T>(op, 0, comm.size(), i); };
        Array<T> recv(n), later(n);
        comm.allreduce(send.buffer(), recv.buffer(), op);
        CHECK(mismatches(recv, expected) == 0);
        comm.iallreduce(send.buffer(), later.buffer(), op).wait();
        CHECK(mismatches(later, expected) == 0);
        auto in_place = Array<T>::of_rank(comm.rank(), n);
        comm.allreduce(in_place.buffer(), in_place.buffer(), op);
        CHECK(mismatches(in_place, expected) == 0);
      },
      false);
}

TEST_CASE_TEMPLATE("reduce to every root", T, EH_TEST_TYPES) {
  const auto& comm = world();
  for_ops_and_sizes<T>([&](ReduceOp op, std::int64_t n) {
    const int root = static_cast<int>(n) % comm.size();
    const bool is_root = comm.rank() == root;
    const auto expected = [&](std::int64_t i) { return reduced<T>(op, 0, comm.size(), i); };
    const auto send = Array<T>::of_rank(comm.rank(), n);
    Array<T> recv(is_root ? n : 0), later(is_root ? n : 0);
    comm.reduce(send.buffer(), recv.buffer(), op, root);
    CHECK(mismatches(recv, expected) == 0);
    comm.ireduce(send.buffer(), later.buffer(), op, root).wait();
    CHECK(mismatches(later, expected) == 0);
    auto in_place = Array<T>::of_rank(comm.rank(), n);
    comm.reduce(in_place.buffer(), in_place.buffer(), op, root);
    if (is_root)
      CHECK(mismatches(in_place, expected) == 0);
    else
      CHECK(mismatches(in_place, [&](std::int64_t i) { return element<T>(comm.rank(), i); }) == 0);
  });
}

TEST_CASE_TEMPLATE("scan and exscan", T, EH_TEST_TYPES) {
  const auto& comm = world();
  for_ops_and_sizes<T>([&](ReduceOp op, std::int64_t n) {
    Array<T> identity(1);
    fill_identity(identity.buffer(), op);
    const auto inclusive = [&](std::int64_t i) { return reduced<T>(op, 0, comm.rank() + 1, i); };
    const auto exclusive = [&](std::int64_t i) {
      return comm.rank() == 0 ? identity[0] : reduced<T>(op, 0, comm.rank(), i);
    };
    const auto send = Array<T>::of_rank(comm.rank(), n);
    Array<T> recv(n);
    comm.scan(send.buffer(), recv.buffer(), op);
    CHECK(mismatches(recv, inclusive) == 0);
    comm.exscan(send.buffer(), recv.buffer(), op);
    CHECK(mismatches(recv, exclusive) == 0);
    auto scanned = Array<T>::of_rank(comm.rank(), n);
    auto exscanned = Array<T>::of_rank(comm.rank(), n);
    auto first = comm.iscan(scanned.buffer(), scanned.buffer(), op);
    auto second = comm.iexscan(exscanned.buffer(), exscanned.buffer(), op);
    first.wait();
    second.wait();
    CHECK(mismatches(scanned, inclusive) == 0);
    CHECK(mismatches(exscanned, exclusive) == 0);
  });
}

TEST_CASE_TEMPLATE("reduce_scatter with a count per rank", T, EH_TEST_TYPES) {
  const auto& comm = world();
  for_ops_and_sizes<T>([&](ReduceOp op, std::int64_t n) {
    const Counts counts = uneven_counts(comm.size(), n);
    std::int64_t first = 0;
    for (int rank = 0; rank < comm.rank(); ++rank) first += counts[static_cast<std::size_t>(rank)];
    const auto own = counts[static_cast<std::size_t>(comm.rank())];
    const auto expected = [&](std::int64_t i) { return reduced<T>(op, 0, comm.size(), first + i); };
    const auto send = Array<T>::of_rank(comm.rank(), total(counts));
    Array<T> recv(own), later(own);
    comm.reduce_scatter(send.buffer(), recv.buffer(), counts, op);
    CHECK(mismatches(recv, expected) == 0);
    comm.ireduce_scatter(send.buffer(), later.buffer(), counts, op).wait();
    CHECK(mismatches(later, expected) == 0);
    auto in_place = Array<T>::of_rank(comm.rank(), total(counts));
    comm.reduce_scatter(in_place.buffer(), in_place.slice(0, own), counts, op);
    in_place.count = own;
    CHECK(mismatches(in_place, expected) == 0);
  });
}
