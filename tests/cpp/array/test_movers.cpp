// SPDX-License-Identifier: BSD-3-Clause
// Movers and their adjoints over every pair of layouts: values against the global array, adjoints by
// <A x, y> = <x, A* y> with both inner products taken over all ranks.
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange_ops.h>
#include <doctest/doctest.h>

#include "array/autograd.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"

using namespace eh;

namespace {

const Shape kShape = {7, 5};

at::Tensor numbers(std::int64_t n, double scale = 1) {
  return at::_ops::arange::call(n, at::kDouble, std::nullopt, std::nullopt, std::nullopt).mul(scale).sub(3);
}

at::Tensor global() { return numbers(numel(kShape)).view(sizes(kShape)); }

at::Tensor block(const at::Tensor& whole, const Layout& layout, int rank) {
  if (!layout.is_split()) return whole.clone();
  return whole.narrow(layout.split(), layout.offset(rank), layout.count(rank)).clone();
}

/// Balanced, everything on one rank, everything on the first and last, replicated.
std::vector<LayoutPtr> layouts(int nranks) {
  std::vector<LayoutPtr> out = {share(Layout::replicated(kShape, nranks))};
  for (int split = 0; split < 2; ++split) {
    const std::int64_t n = kShape[static_cast<std::size_t>(split)];
    std::vector<std::int64_t> last(static_cast<std::size_t>(nranks), 0);
    last.back() = n;
    std::vector<std::int64_t> ends = last;
    ends.front() += 2;
    ends.back() -= 2;
    out.push_back(share(Layout::balanced(kShape, split, nranks)));
    out.push_back(share(Layout::with_counts(kShape, split, last)));
    out.push_back(share(Layout::with_counts(kShape, split, ends)));
  }
  return out;
}

double inner(const at::Tensor& a, const at::Tensor& b, bool replicated, const Communicator& comm) {
  const at::Tensor own = a.mul(b).sum();
  return (replicated ? own : allreduce(own, ReduceOp::Sum, comm)).item<double>();
}

at::Tensor leaf(const at::Tensor& value) { return value.clone().set_requires_grad(true); }

}  // namespace

TEST_CASE("redistribute gives every rank its block, and its adjoint goes back") {
  const CommPtr comm = Communicator::world();
  const at::Tensor whole = global();
  for (const LayoutPtr& from : layouts(comm->size())) {
    for (const LayoutPtr& to : layouts(comm->size())) {
      const at::Tensor x = leaf(block(whole, *from, comm->rank()));
      const at::Tensor y = redistribute_local(x, from, to, comm);
      CHECK(y.detach().equal(block(whole, *to, comm->rank())));
      const at::Tensor weights = block(global().mul(0.5).add(1), *to, comm->rank());
      y.backward(weights);
      const double forward = inner(y.detach(), weights, !to->is_split(), *comm);
      CHECK(forward == doctest::Approx(inner(x.detach(), x.grad(), !from->is_split(), *comm)));
    }
  }
}

TEST_CASE("halo rows come from as many ranks as needed; the adjoint adds them up") {
  const CommPtr comm = Communicator::world();
  const at::Tensor whole = global();
  for (const LayoutPtr& layout : layouts(comm->size())) {
    if (!layout->is_split()) continue;
    for (bool periodic : {false, true}) {
      const at::Tensor x = leaf(block(whole, *layout, comm->rank()));
      const Halo halo = exchange_halo({x, layout, comm}, 3, 2, periodic);
      const std::int64_t n = kShape[static_cast<std::size_t>(layout->split())];
      for (std::int64_t i = 0; i < halo.extended.size(layout->split()); ++i) {
        const std::int64_t row = ((layout->offset(comm->rank()) - halo.prev + i) % n + n) % n;
        CHECK(halo.extended.detach().select(layout->split(), i).equal(whole.select(layout->split(), row)));
      }
      const at::Tensor weights = halo.extended.detach().mul(0.25).add(1);
      halo.extended.backward(weights);
      CHECK(inner(halo.extended.detach(), weights, false, *comm) ==
            doctest::Approx(inner(x.detach(), x.grad(), false, *comm)));
    }
  }
}

TEST_CASE("partial results: the adjoint of a sum is the identity, of entering a partial region the sum") {
  const CommPtr comm = Communicator::world();
  const at::Tensor x = leaf(numbers(4, comm->rank() + 1));
  const at::Tensor total = sum_partials(x, comm);
  total.mul(numbers(4)).sum().backward();
  CHECK(x.grad().equal(numbers(4)));

  const at::Tensor shared = leaf(numbers(4));
  const at::Tensor mine = enter_partial(shared, comm).mul(comm->rank() + 1);
  sum_partials(mine, comm).sum().backward();
  CHECK(shared.grad().eq(comm->size() * (comm->size() + 1) / 2.0).all().item<bool>());
}

TEST_CASE("an extreme's gradient is shared among the ranks that attain it") {
  const CommPtr comm = Communicator::world();
  const at::Tensor x = leaf(numbers(3));
  extreme_partials(x, ReduceOp::Max, comm).sum().backward();
  CHECK(x.grad().mul(comm->size()).allclose(x.detach().mul(0).add(1)));
}

TEST_CASE("stacked partials hold every rank's entry") {
  const CommPtr comm = Communicator::world();
  const at::Tensor x = leaf(numbers(2).add(comm->rank() + 4));
  const at::Tensor all = stack_partials(x, comm);
  CHECK(all.size(0) == comm->size());
  for (int r = 0; r < comm->size(); ++r) CHECK(all.detach().select(0, r).equal(numbers(2).add(r + 4)));
  all.prod(0).sum().backward();
  const at::Tensor expected = all.detach().prod(0).div(x.detach());
  CHECK(x.grad().allclose(expected));
}

TEST_CASE("alignment brings operands of any splits to the first that is split") {
  const CommPtr comm = Communicator::world();
  const at::Tensor whole = global();
  for (const LayoutPtr& a : layouts(comm->size())) {
    for (const LayoutPtr& b : layouts(comm->size())) {
      const DNDarray x{block(whole, *a, comm->rank()), a, comm};
      const DNDarray y{block(whole, *b, comm->rank()), b, comm};
      const Aligned aligned = align({&x, &y}, "test");
      const LayoutPtr& expected = a->is_split() ? a : b;
      CHECK(*aligned.layout == *expected);
      if (comm->size() > 1) {
        CHECK(aligned.locals[0].equal(block(whole, *expected, comm->rank())));
        CHECK(aligned.locals[1].equal(block(whole, *expected, comm->rank())));
      }
    }
  }
}
