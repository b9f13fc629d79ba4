// SPDX-License-Identifier: BSD-3-Clause
// Halo exchange in two halves, through shared memory and by messages.
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange_ops.h>
#include <doctest/doctest.h>

#include "array/halo.hpp"
#include "array/tensor_comm.hpp"

using namespace eh;

namespace {

at::Tensor numbers(const Shape& shape) {
  return at::_ops::arange::call(numel(shape), at::kDouble, std::nullopt, std::nullopt, std::nullopt)
      .add(1)
      .view(sizes(shape));
}

LayoutPtr uneven(const Shape& shape, int split, int nranks) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(nranks), 1);
  counts.front() = 0;
  counts.back() += shape[static_cast<std::size_t>(split)] - nranks + 1;
  return share(Layout::with_counts(shape, split, counts));
}

void check_halos(const DNDarray& x, const at::Tensor& whole, const std::pair<at::Tensor, at::Tensor>& halos,
                 Boundary boundary) {
  const int split = x.split();
  const std::int64_t n = whole.size(split);
  const std::int64_t begin = x.layout().offset(x.comm().rank());
  const std::int64_t end = begin + x.layout().count(x.comm().rank());
  const auto check = [&](const at::Tensor& rows, std::int64_t first) {
    for (std::int64_t i = 0; i < rows.size(split); ++i) {
      const std::int64_t row = row_at(first + i, n, boundary);
      const at::Tensor got = rows.select(split, i);
      CHECK((row < 0 ? got.eq(-1).all().item<bool>() : got.equal(whole.select(split, row))));
    }
  };
  check(halos.first, begin - halos.first.size(split));
  check(halos.second, end);
}

/// Two exchanges under way at a time, finished in either order, again and again.
void check_exchanges(const CommPtr& comm, const Shape& shape, int split, std::int64_t width) {
  const at::Tensor whole = numbers(shape);
  const LayoutPtr layout = uneven(shape, split, comm->size());
  const at::Tensor block = whole.narrow(split, layout->offset(comm->rank()), layout->count(comm->rank()));
  const DNDarray x{block, layout, comm};
  for (const Boundary boundary :
       {Boundary::Fill, Boundary::Wrap, Boundary::Symm, Boundary::Reflect, Boundary::Edge}) {
    HaloExchange first(layout, width, 1, {boundary, -1}, comm, DType::Float64);
    HaloExchange second(layout, 0, width, {boundary, -1}, comm, DType::Float64);
    for (int round = 0; round < 3; ++round) {
      first.start(block);
      second.start(block);
      const bool ordered = round != 1;
      if (ordered) check_halos(x, whole, first.finish(), boundary);
      check_halos(x, whole, second.finish(), boundary);
      if (!ordered) check_halos(x, whole, first.finish(), boundary);
    }
  }
}

}  // namespace

TEST_CASE("halos of any width, both splits, ranks without rows") {
  const CommPtr comm = Communicator::world();
  for (const std::int64_t width : {0, 1, 2, 9}) {
    check_exchanges(comm, {7, 5}, 0, width);
    check_exchanges(comm, {3, 6}, 1, width);
  }
}

TEST_CASE("halos larger than the rings of shared memory") {
  check_exchanges(Communicator::world(), {9, 150'000}, 0, 3);
}

TEST_CASE("an exchange that nobody finishes does not keep others from theirs") {
  const CommPtr comm = Communicator::world();
  const LayoutPtr layout = share(Layout::balanced({8, 3}, 0, comm->size()));
  const at::Tensor whole = numbers({8, 3});
  const at::Tensor block = whole.narrow(0, layout->offset(comm->rank()), layout->count(comm->rank()));
  {
    HaloExchange(layout, 1, 1, {Boundary::Wrap, 0}, comm, DType::Float64).start(block);
  }
  HaloExchange next(layout, 1, 1, {Boundary::Wrap, 0}, comm, DType::Float64);
  next.start(block);
  CHECK_THROWS(next.start(block));
  check_halos({block, layout, comm}, whole, next.finish(), Boundary::Wrap);
  CHECK_THROWS(next.finish());
}

TEST_CASE("exchanges at rest are used again, those under way are not") {
  const CommPtr comm = Communicator::world();
  const LayoutPtr layout = share(Layout::balanced({8, 3}, 0, comm->size()));
  const at::Tensor block = numbers({layout->count(comm->rank()), 3});
  const DNDarray x{block, layout, comm};
  const auto one = halo_exchange_for(x, 1, 1, {});
  CHECK(halo_exchange_for(x, 1, 1, {}) == one);
  CHECK(halo_exchange_for(x, 1, 2, {}) != one);
  one->start(block);
  CHECK(halo_exchange_for(x, 1, 1, {}) != one);
  one->finish();
}
