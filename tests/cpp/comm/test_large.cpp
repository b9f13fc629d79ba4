// SPDX-License-Identifier: BSD-3-Clause
#include "support.hpp"

using namespace eh;
using namespace eh::test;

// More than 2^31 elements for real: up to 6 GiB a rank, 8 for our own operation. Run with --no-skip.

namespace {

constexpr std::int64_t kLarge = (std::int64_t{1} << 31) + 5;

std::int64_t count_wrong(const Array<std::uint8_t>& data, std::uint8_t expected) {
  return mismatches(data, [&](std::int64_t) { return expected; });
}

}  // namespace

TEST_CASE("bcast and allreduce of more than 2^31 elements" * doctest::skip()) {
  const auto& comm = world();
  Array<std::uint8_t> data(kLarge, static_cast<std::uint8_t>(comm.rank() + 1));
  comm.bcast(data.buffer(), comm.size() - 1);
  CHECK(count_wrong(data, static_cast<std::uint8_t>(comm.size())) == 0);
  comm.allreduce(data.buffer(), data.buffer(), ReduceOp::Sum);
  CHECK(count_wrong(data, static_cast<std::uint8_t>(comm.size() * comm.size())) == 0);
}

TEST_CASE("our own operation on more than 2^31 elements" * doctest::skip()) {
  const auto& comm = world();
  Array<Float16> data(kLarge, Float16(static_cast<float>(comm.rank() + 1)));
  comm.allreduce(data.buffer(), data.buffer(), ReduceOp::Max);
  CHECK(mismatches(data, [&](std::int64_t) { return Float16(static_cast<float>(comm.size())); }) == 0);
}

TEST_CASE("alltoallv and allgatherv whose displacements pass 2^31" * doctest::skip()) {
  const auto& comm = world();
  // Rank 0 has a large part of its own in front of the small ones.
  Counts counts(static_cast<std::size_t>(comm.size()), 5);
  if (comm.rank() == 0) counts[0] = kLarge;
  Array<std::uint8_t> send(total(counts), static_cast<std::uint8_t>(comm.rank() + 1)), recv(total(counts));
  comm.alltoallv(send.buffer(), counts, recv.buffer(), counts);
  const auto from = [&](std::int64_t i) {
    return static_cast<std::uint8_t>(i < counts[0] ? 1 : 2 + (i - counts[0]) / 5);
  };
  CHECK(mismatches(recv, from) == 0);
  counts[0] = kLarge;
  Array<std::uint8_t> all(total(counts));
  comm.allgatherv(send.slice(0, comm.rank() == 0 ? kLarge : 5), all.buffer(), counts);
  CHECK(mismatches(all, from) == 0);
}
