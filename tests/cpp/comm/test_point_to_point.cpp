// SPDX-License-Identifier: BSD-3-Clause
#include "base/error.hpp"
#include "support.hpp"

using namespace eh;
using namespace eh::test;

namespace {

int next() { return (world().rank() + 1) % world().size(); }
int previous() { return (world().rank() + world().size() - 1) % world().size(); }

}  // namespace

TEST_CASE_TEMPLATE("a ring of sendrecv, and of isend and irecv", T, EH_TEST_TYPES) {
  const auto& comm = world();
  for (const auto n : sizes()) {
    const auto expected = [&](std::int64_t i) { return element<T>(previous(), i); };
    const auto mine = Array<T>::of_rank(comm.rank(), n);
    Array<T> recv(n), later(n);
    comm.sendrecv(mine.buffer(), next(), recv.buffer(), previous(), 5);
    CHECK(mismatches(recv, expected) == 0);
    auto incoming = comm.irecv(later.buffer(), previous(), 6);
    auto outgoing = comm.isend(mine.buffer(), next(), 6);
    incoming.wait();
    outgoing.wait();
    CHECK(mismatches(later, expected) == 0);
  }
}

TEST_CASE_TEMPLATE("send and recv from rank 0 to the others", T, EH_TEST_TYPES) {
  const auto& comm = world();
  for (const auto n : sizes()) {
    if (comm.rank() == 0) {
      const auto data = Array<T>::of_rank(0, n);
      for (int peer = 1; peer < comm.size(); ++peer) comm.send(data.buffer(), peer);
    } else {
      Array<T> data(n);
      comm.recv(data.buffer(), 0);
      CHECK(mismatches(data, [](std::int64_t i) { return element<T>(0, i); }) == 0);
    }
  }
}

TEST_CASE("rank -1 is nobody: nothing is sent and nothing written") {
  const auto& comm = world();
  const auto data = Array<int>::of_rank(1, 7);
  Array<int> untouched(7, 42);
  const auto expected = [](std::int64_t) { return 42; };
  comm.send(data.buffer(), -1);
  comm.recv(untouched.buffer(), -1);
  comm.sendrecv(data.buffer(), -1, untouched.buffer(), -1);
  comm.isend(data.buffer(), -1).wait();
  comm.irecv(untouched.buffer(), -1).wait();
  CHECK(mismatches(untouched, expected) == 0);
  // An open chain: the ends have one neighbour.
  const int right = comm.rank() + 1 < comm.size() ? comm.rank() + 1 : -1;
  const auto mine = Array<int>::of_rank(comm.rank(), 7);
  Array<int> halo(7, 42);
  comm.sendrecv(mine.buffer(), right, halo.buffer(), comm.rank() - 1);
  const auto chain = [&](std::int64_t i) { return comm.rank() == 0 ? 42 : element<int>(comm.rank() - 1, i); };
  CHECK(mismatches(halo, chain) == 0);
}

TEST_CASE("messages of one pair of ranks are told apart by their tags") {
  const auto& comm = world();
  const Array<int> one(1, 100 + comm.rank()), two(1, 200 + comm.rank());
  Array<int> got_one(1), got_two(1);
  auto first = comm.isend(one.buffer(), next(), 1);
  auto second = comm.isend(two.buffer(), next(), 2);
  comm.recv(got_two.buffer(), previous(), 2);
  comm.recv(got_one.buffer(), previous(), 1);
  CHECK(got_one[0] == 100 + previous());
  CHECK(got_two[0] == 200 + previous());
}

TEST_CASE("a shorter message leaves the rest of the buffer, a longer one is an error with MPI's text") {
  const auto& comm = world();
  const Array<int> three(3, 1);
  Array<int> five(5, 9), two(2);
  comm.sendrecv(three.buffer(), next(), five.buffer(), previous());
  CHECK(five[2] == 1);
  CHECK(five[3] == 9);
  auto outgoing = comm.isend(three.buffer(), next());
  const auto text = error_of<CommError>([&] { comm.recv(two.buffer(), previous()); });
  CHECK(contains(text, "MPI_Recv failed"));
  CHECK(contains(text, "trunc"));
  outgoing.wait();
}
