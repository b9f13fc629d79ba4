// SPDX-License-Identifier: BSD-3-Clause
#include "support.hpp"

using namespace eh;
using namespace eh::test;

namespace {

/// What a gather of the parts of `counts` gives: element i of the rank that owns position `at`.
template <typename T>
T gathered(const Counts& counts, std::int64_t at) {
  int rank = 0;
  for (; at >= counts[static_cast<std::size_t>(rank)]; ++rank) at -= counts[static_cast<std::size_t>(rank)];
  return element<T>(rank, at);
}

std::int64_t own(const Counts& counts) { return counts[static_cast<std::size_t>(world().rank())]; }

std::int64_t own_offset(const Counts& counts) {
  return total(Counts(counts.begin(), counts.begin() + world().rank()));
}

/// f(counts) for equal parts of several sizes and for uneven ones with empty parts.
template <typename F>
void for_counts(F f) {
  for (const auto n : sizes()) {
    CAPTURE(n);
    f(Counts(static_cast<std::size_t>(world().size()), n));
    f(uneven_counts(world().size(), n));
  }
}

/// The value rank `from` sends to rank `to` at position i.
template <typename T>
T letter(int from, int to, std::int64_t i) {
  return element<T>(from + 2 * to, i);
}

std::int64_t letter_size(int from, int to, std::int64_t n) { return n * ((from + 2 * to) % 3); }

}  // namespace

TEST_CASE("barrier") {
  world().barrier();
  world().ibarrier().wait();
}

TEST_CASE_TEMPLATE("bcast from every root", T, EH_TEST_TYPES) {
  const auto& comm = world();
  for (const auto n : sizes()) {
    for (int root = 0; root < comm.size(); ++root) {
      const auto expected = [&](std::int64_t i) { return element<T>(root, i); };
      auto data = Array<T>::of_rank(comm.rank(), n);
      auto later = Array<T>::of_rank(comm.rank(), n);
      comm.bcast(data.buffer(), root);
      CHECK(mismatches(data, expected) == 0);
      comm.ibcast(later.buffer(), root).wait();
      CHECK(mismatches(later, expected) == 0);
    }
  }
}

TEST_CASE_TEMPLATE("allgather, gather and scatter of equal parts", T, EH_TEST_TYPES) {
  const auto& comm = world();
  for (const auto n : sizes()) {
    CAPTURE(n);
    const int root = static_cast<int>(n) % comm.size();
    const bool is_root = comm.rank() == root;
    const Counts counts(static_cast<std::size_t>(comm.size()), n);
    const auto whole = [&](std::int64_t i) { return gathered<T>(counts, i); };
    const auto mine = [&](std::int64_t i) { return element<T>(comm.rank(), i); };
    const auto part = Array<T>::of_rank(comm.rank(), n);
    Array<T> all(n * comm.size()), at_root(is_root ? n * comm.size() : 0), back(n);

    comm.allgather(part.buffer(), all.buffer());
    CHECK(mismatches(all, whole) == 0);
    comm.gather(part.buffer(), at_root.buffer(), root);
    CHECK(mismatches(at_root, whole) == 0);
    comm.scatter(at_root.buffer(), back.buffer(), root);
    CHECK(mismatches(back, mine) == 0);

    Array<T> all_later(n * comm.size()), root_later(is_root ? n * comm.size() : 0), back_later(n);
    auto first = comm.iallgather(part.buffer(), all_later.buffer());
    auto second = comm.igather(part.buffer(), root_later.buffer(), root);
    auto third = comm.iscatter(at_root.buffer(), back_later.buffer(), root);
    third.wait();
    second.wait();
    first.wait();
    CHECK(mismatches(all_later, whole) == 0);
    CHECK(mismatches(root_later, whole) == 0);
    CHECK(mismatches(back_later, mine) == 0);
  }
}

TEST_CASE_TEMPLATE("allgatherv, gatherv and scatterv", T, EH_TEST_TYPES) {
  const auto& comm = world();
  for_counts([&](const Counts& counts) {
    const int root = comm.size() - 1;
    const bool is_root = comm.rank() == root;
    const auto whole = [&](std::int64_t i) { return gathered<T>(counts, i); };
    const auto mine = [&](std::int64_t i) { return element<T>(comm.rank(), i); };
    const auto part = Array<T>::of_rank(comm.rank(), own(counts));
    Array<T> all(total(counts)), at_root(is_root ? total(counts) : 0), back(own(counts));

    comm.allgatherv(part.buffer(), all.buffer(), counts);
    CHECK(mismatches(all, whole) == 0);
    comm.gatherv(part.buffer(), at_root.buffer(), counts, root);
    CHECK(mismatches(at_root, whole) == 0);
    comm.scatterv(at_root.buffer(), back.buffer(), counts, root);
    CHECK(mismatches(back, mine) == 0);

    Array<T> all_later(total(counts)), root_later(at_root.count), back_later(own(counts));
    auto first = comm.iallgatherv(part.buffer(), all_later.buffer(), counts);
    auto second = comm.igatherv(part.buffer(), root_later.buffer(), counts, root);
    auto third = comm.iscatterv(at_root.buffer(), back_later.buffer(), counts, root);
    first.wait();
    second.wait();
    third.wait();
    CHECK(mismatches(all_later, whole) == 0);
    CHECK(mismatches(root_later, whole) == 0);
    CHECK(mismatches(back_later, mine) == 0);
  });
}

TEST_CASE_TEMPLATE("gathers and scatters whose own part is a slot of the whole", T, bool, std::int32_t,
                   BFloat16, std::complex<double>) {
  const auto& comm = world();
  for_counts([&](const Counts& counts) {
    const auto whole = [&](std::int64_t i) { return gathered<T>(counts, i); };
    const auto mine = [&](std::int64_t i) { return element<T>(comm.rank(), i); };
    const auto with_own_slot = [&] {
      Array<T> all(total(counts));
      for (std::int64_t i = 0; i < own(counts); ++i) all[own_offset(counts) + i] = mine(i);
      return all;
    };
    auto all = with_own_slot();
    comm.allgatherv(all.slice(own_offset(counts), own(counts)), all.buffer(), counts);
    CHECK(mismatches(all, whole) == 0);
    auto later = with_own_slot();
    comm.iallgatherv(later.slice(own_offset(counts), own(counts)), later.buffer(), counts).wait();
    CHECK(mismatches(later, whole) == 0);
    auto at_root = with_own_slot();
    comm.gatherv(at_root.slice(own_offset(counts), own(counts)), at_root.buffer(), counts, 0);
    if (comm.rank() == 0) CHECK(mismatches(at_root, whole) == 0);
    comm.scatterv(at_root.buffer(), at_root.slice(own_offset(counts), own(counts)), counts, 0);
    if (comm.rank() == 0) CHECK(mismatches(at_root, whole) == 0);
    if (counts != Counts(counts.size(), counts[0])) return;
    auto equal = with_own_slot();
    comm.allgather(equal.slice(own_offset(counts), own(counts)), equal.buffer());
    CHECK(mismatches(equal, whole) == 0);
    auto equal_root = with_own_slot();
    comm.gather(equal_root.slice(own_offset(counts), own(counts)), equal_root.buffer(), 0);
    if (comm.rank() == 0) CHECK(mismatches(equal_root, whole) == 0);
    comm.scatter(equal_root.buffer(), equal_root.slice(own_offset(counts), own(counts)), 0);
    if (comm.rank() == 0) CHECK(mismatches(equal_root, whole) == 0);
  });
}

TEST_CASE_TEMPLATE("alltoall", T, EH_TEST_TYPES) {
  const auto& comm = world();
  for (const auto n : sizes()) {
    Array<T> send(n * comm.size()), recv(n * comm.size()), later(n * comm.size());
    for (std::int64_t i = 0; i < send.count; ++i)
      send[i] = letter<T>(comm.rank(), static_cast<int>(i / n), i % n);
    const auto expected = [&](std::int64_t i) {
      return letter<T>(static_cast<int>(i / n), comm.rank(), i % n);
    };
    comm.alltoall(send.buffer(), recv.buffer());
    CHECK(mismatches(recv, expected) == 0);
    comm.ialltoall(send.buffer(), later.buffer()).wait();
    CHECK(mismatches(later, expected) == 0);
  }
}

TEST_CASE_TEMPLATE("alltoallv with uneven and empty parts", T, EH_TEST_TYPES) {
  const auto& comm = world();
  for (const auto n : sizes()) {
    Counts sent, received;
    for (int peer = 0; peer < comm.size(); ++peer) {
      sent.push_back(letter_size(comm.rank(), peer, n));
      received.push_back(letter_size(peer, comm.rank(), n));
    }
    Array<T> send(total(sent)), expected(total(received));
    std::int64_t out = 0, in = 0;
    for (int peer = 0; peer < comm.size(); ++peer) {
      for (std::int64_t i = 0; i < letter_size(comm.rank(), peer, n); ++i)
        send[out++] = letter<T>(comm.rank(), peer, i);
      for (std::int64_t i = 0; i < letter_size(peer, comm.rank(), n); ++i) {
        expected[in++] = letter<T>(peer, comm.rank(), i);
      }
    }
    Array<T> recv(total(received)), later(total(received));
    comm.alltoallv(send.buffer(), sent, recv.buffer(), received);
    CHECK(mismatches(recv, [&](std::int64_t i) { return expected[i]; }) == 0);
    comm.ialltoallv(send.buffer(), sent, later.buffer(), received).wait();
    CHECK(mismatches(later, [&](std::int64_t i) { return expected[i]; }) == 0);
  }
}
