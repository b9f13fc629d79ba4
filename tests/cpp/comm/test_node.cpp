// SPDX-License-Identifier: BSD-3-Clause
// The window of a node: messages of many chunks and slices, of odd lengths, between unequal ranks.
#include <cstring>

#include "base/error.hpp"
#include "kernels/pack.hpp"
#include "support.hpp"

using namespace eh;
using namespace eh::test;

namespace {

/// Around the sizes of slices and chunks, and several of them.
const std::vector<std::int64_t> kLengths = {1, 31, 65536, 65537, 200003};

}  // namespace

TEST_CASE_TEMPLATE("large allreduce is exact and in place", T, EH_TEST_TYPES) {
  const auto& comm = world();
  for (const auto n : kLengths) {
    for (const auto op : ops_of<T>()) {
      CAPTURE(n);
      CAPTURE(name_of(op));
      const auto expected = [&](std::int64_t i) { return reduced<T>(op, 0, comm.size(), i); };
      auto data = Array<T>::of_rank(comm.rank(), n);
      Array<T> out(n);
      comm.allreduce(data.buffer(), out.buffer(), op);
      CHECK(mismatches(out, expected) == 0);
      comm.allreduce(data.buffer(), data.buffer(), op);
      CHECK(mismatches(data, expected) == 0);
    }
  }
}

TEST_CASE("sums are the same bits on every rank") {
  const auto& comm = world();
  Array<float> x(300007), first(300007);
  for (std::int64_t i = 0; i < x.count; ++i)
    x[i] = static_cast<float>((i * 7919 + comm.rank() * 104729) % 10007) / 977.f;
  comm.allreduce(x.buffer(), x.buffer(), ReduceOp::Sum);
  std::memcpy(first.memory.get(), x.memory.get(), sizeof(float) * 300007);
  comm.bcast(first.buffer(), comm.size() - 1);
  CHECK(mismatches(x, [&](std::int64_t i) { return first[i]; }) == 0);
}

TEST_CASE_TEMPLATE("large bcast and allgather", T, std::uint8_t, float, std::complex<double>) {
  const auto& comm = world();
  for (const auto n : kLengths) {
    for (int root = 0; root < comm.size(); ++root) {
      auto data = Array<T>::of_rank(comm.rank(), n);
      comm.bcast(data.buffer(), root);
      CHECK(mismatches(data, [&](std::int64_t i) { return element<T>(root, i); }) == 0);
    }
    const auto part = Array<T>::of_rank(comm.rank(), n);
    Array<T> whole(n * comm.size()), slots(n * comm.size());
    const auto expected = [&](std::int64_t i) { return element<T>(static_cast<int>(i / n), i % n); };
    comm.allgather(part.buffer(), whole.buffer());
    CHECK(mismatches(whole, expected) == 0);
    for (std::int64_t i = 0; i < n; ++i) slots[comm.rank() * n + i] = part[i];
    comm.allgather(slots.slice(comm.rank() * n, n), slots.buffer());
    CHECK(mismatches(slots, expected) == 0);
  }
}

TEST_CASE("large allgatherv with empty parts") {
  const auto& comm = world();
  const Counts counts = uneven_counts(comm.size(), 100003);
  const auto n = counts[static_cast<std::size_t>(comm.rank())];
  const auto part = Array<double>::of_rank(comm.rank(), n);
  Array<double> whole(total(counts));
  comm.allgatherv(part.buffer(), whole.buffer(), counts);
  std::int64_t at = 0, wrong = 0;
  for (int rank = 0; rank < comm.size(); ++rank)
    for (std::int64_t i = 0; i < counts[static_cast<std::size_t>(rank)]; ++i)
      wrong += whole[at++] == element<double>(rank, i) ? 0 : 1;
  CHECK(wrong == 0);
}

TEST_CASE("results larger than the caches") {
  const auto& comm = world();
  const int ranks = comm.size();
  const std::int64_t n = (std::int64_t{17} << 20) / 8 / ranks + 5;
  auto part = Array<double>::of_rank(comm.rank(), n * ranks);
  Array<double> whole(n * ranks);
  comm.allgather(part.slice(0, n), whole.buffer());
  CHECK(mismatches(whole, [&](std::int64_t i) { return element<double>(static_cast<int>(i / n), i % n); }) ==
        0);
  comm.alltoall(part.buffer(), whole.buffer());
  CHECK(mismatches(whole, [&](std::int64_t i) {
          return element<double>(static_cast<int>(i / n), comm.rank() * n + i % n);
        }) == 0);
  comm.allreduce(part.buffer(), whole.buffer(), ReduceOp::Max);
  CHECK(mismatches(whole, [&](std::int64_t i) { return reduced<double>(ReduceOp::Max, 0, ranks, i); }) == 0);
}

TEST_CASE("large all-to-all, also when only some ranks have much to say") {
  const auto& comm = world();
  const int me = comm.rank();
  const auto length = [](int from, int to) { return std::int64_t{(from * 5 + to * 3) % 4} * 70001; };
  Counts sends, recvs;
  for (int peer = 0; peer < comm.size(); ++peer) {
    sends.push_back(length(me, peer));
    recvs.push_back(length(peer, me));
  }
  Array<std::int16_t> out(total(sends)), in(total(recvs));
  std::int64_t at = 0;
  for (int peer = 0; peer < comm.size(); ++peer)
    for (std::int64_t i = 0; i < length(me, peer); ++i) out[at++] = element<std::int16_t>(me + 2 * peer, i);
  for (int repetition = 0; repetition < 3; ++repetition)
    comm.alltoallv(out.buffer(), sends, in.buffer(), recvs);
  at = 0;
  std::int64_t wrong = 0;
  for (int peer = 0; peer < comm.size(); ++peer)
    for (std::int64_t i = 0; i < length(peer, me); ++i)
      wrong += in[at++] == element<std::int16_t>(peer + 2 * me, i) ? 0 : 1;
  CHECK(wrong == 0);
}

TEST_CASE("views are exchanged without packing") {
  const auto& comm = world();
  // Rows of a (rows, 3 n) matrix: columns [3 r, 3 r + 3) go to rank r, which lays them transposed.
  const int n = comm.size();
  const std::int64_t rows = 50021, columns = 3 * n;
  Array<float> matrix(rows * columns), turned(n * rows * 3);
  for (std::int64_t i = 0; i < matrix.count; ++i) matrix[i] = static_cast<float>(i % 4093 + comm.rank());
  std::vector<std::vector<StridedView>> sends(static_cast<std::size_t>(n)),
      recvs(static_cast<std::size_t>(n));
  for (int peer = 0; peer < n; ++peer) {
    auto* from = reinterpret_cast<std::byte*>(matrix.memory.get() + 3 * peer);
    auto* to = reinterpret_cast<std::byte*>(turned.memory.get() + peer * rows * 3);
    const auto p = static_cast<std::size_t>(peer);
    sends[p].emplace_back(from, 4, std::vector<std::int64_t>{rows, 3},
                          std::vector<std::int64_t>{columns * 4, 4});
    recvs[p].emplace_back(to, 4, std::vector<std::int64_t>{rows, 3}, std::vector<std::int64_t>{4, rows * 4});
  }
  comm.alltoallv_views(sends, recvs, DType::Float32);
  std::int64_t wrong = 0;
  for (int peer = 0; peer < n; ++peer) {
    if (peer == comm.rank()) continue;
    for (std::int64_t row = 0; row < rows; ++row)
      for (int column = 0; column < 3; ++column) {
        const auto source = (row * columns + 3 * comm.rank() + column) % 4093 + peer;
        wrong += turned[peer * rows * 3 + column * rows + row] == static_cast<float>(source) ? 0 : 1;
      }
  }
  CHECK(wrong == 0);
}

TEST_CASE("views of long rows, into views of long and of short ones") {
  const auto& comm = world();
  const int n = comm.size();
  // Columns [width r, width (r + 1)) of every rank's matrix go to rank r, once as rows and once transposed.
  const std::int64_t rows = 301, width = 257, columns = width * n;
  Array<float> matrix(rows * columns), kept(n * rows * (width + 3)), turned(n * rows * width);
  const auto number = [&](int rank, std::int64_t i) { return static_cast<float>(i % 65521 + 70001 * rank); };
  const auto views_of = [&](float* data, std::int64_t step, std::vector<std::int64_t> strides) {
    std::vector<std::vector<StridedView>> views(static_cast<std::size_t>(n));
    for (int peer = 0; peer < n; ++peer)
      views[static_cast<std::size_t>(peer)].emplace_back(reinterpret_cast<std::byte*>(data + peer * step), 4,
                                                         std::vector<std::int64_t>{rows, width}, strides);
    return views;
  };
  for (std::int64_t i = 0; i < matrix.count; ++i) matrix[i] = number(comm.rank(), i);
  const auto sends = views_of(matrix.memory.get(), width, {columns * 4, 4});
  const auto rows_of = views_of(kept.memory.get(), rows * (width + 3), {(width + 3) * 4, 4});
  const auto columns_of = views_of(turned.memory.get(), rows * width, {4, rows * 4});
  for (int repetition = 0; repetition < 5; ++repetition) {
    comm.alltoallv_views(sends, rows_of, DType::Float32);
    comm.alltoallv_views(sends, columns_of, DType::Float32);
  }
  std::int64_t wrong = 0;
  for (int peer = 0; peer < n; ++peer)
    for (std::int64_t row = 0; row < rows && peer != comm.rank(); ++row)
      for (std::int64_t column = 0; column < width; ++column) {
        const float wanted = number(peer, row * columns + width * comm.rank() + column);
        wrong += kept[(peer * rows + row) * (width + 3) + column] == wanted ? 0 : 1;
        wrong += turned[peer * rows * width + column * rows + row] == wanted ? 0 : 1;
      }
  CHECK(wrong == 0);
}

TEST_CASE("operands may be written again as soon as a call has returned") {
  const auto& comm = world();
  const std::int64_t n = 100003;
  Array<double> part(n), whole(n * comm.size()), sum(n);
  std::int64_t wrong = 0;
  for (int round = 0; round < 40; ++round) {
    const auto of = [&](int rank) { return static_cast<double>(1000 * round + rank); };
    const auto everywhere = [&](Array<double>& x, double value) {
      for (std::int64_t i = 0; i < x.count; ++i) x[i] = value;
    };
    everywhere(part, of(comm.rank()));
    comm.allreduce(part.buffer(), sum.buffer(), ReduceOp::Max);
    everywhere(part, of(comm.rank()) + 0.5);
    comm.allgather(part.buffer(), whole.buffer());
    everywhere(part, -1);
    for (std::int64_t i = 0; i < n; i += 997) wrong += sum[i] == of(comm.size() - 1) ? 0 : 1;
    for (int rank = 0; rank < comm.size(); ++rank)
      for (std::int64_t i = 0; i < n; i += 997) wrong += whole[rank * n + i] == of(rank) + 0.5 ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("operations of every kind follow each other without waiting") {
  const auto& comm = world();
  std::int64_t wrong = 0;
  for (int turn = 0; turn < 200; ++turn) {
    const std::int64_t n = 10000 + turn * 601 % 9000;
    const int root = turn % comm.size();
    auto data = Array<int>::of_rank(comm.rank() + turn, n);
    if (turn % 3 != 1) comm.bcast(data.buffer(), root);
    wrong +=
        turn % 3 == 1 ? 0 : mismatches(data, [&](std::int64_t i) { return element<int>(root + turn, i); });
    auto sum = Array<int>::of_rank(comm.rank(), n);
    if (turn % 2 == 0) comm.allreduce(sum.buffer(), sum.buffer(), ReduceOp::Sum);
    wrong += turn % 2 == 1 ? 0 : mismatches(sum, [&](std::int64_t i) {
      return reduced<int>(ReduceOp::Sum, 0, comm.size(), i);
    });
    const auto part = Array<int>::of_rank(comm.rank() + turn, n);
    Array<int> whole(n * comm.size());
    comm.allgather(part.buffer(), whole.buffer());
    wrong += mismatches(whole,
                        [&](std::int64_t i) { return element<int>(static_cast<int>(i / n) + turn, i % n); });
  }
  CHECK(wrong == 0);
}
