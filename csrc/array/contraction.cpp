// SPDX-License-Identifier: BSD-3-Clause
#include "array/contraction.hpp"

#include <algorithm>
#include <utility>

#include "array/autograd.hpp"
#include "array/contraction_plan.hpp"
#include "array/products.hpp"
#include "array/tensor_comm.hpp"

namespace eh {
namespace {

/// Elements of a result whose shares are added up in one collective.
constexpr std::int64_t kSmallResult = std::int64_t{1} << 12;

/// An operand on its way to the product.
struct Factor {
  Operand operand;
  at::Tensor local;
  LayoutPtr layout;
  int label;
};

/// A block of c and its distribution.
struct Product {
  at::Tensor local;
  LayoutPtr layout;
};

at::Tensor slice(const LoopNest& nest, Operand operand, const at::Tensor& x, int label, std::int64_t begin,
                 std::int64_t count) {
  return nest.contains(operand, label) ? x.narrow(nest.axis(operand, label), begin, count) : x;
}

/// All batch axes summed: one product over (batch, k) instead of many products and a sum.
at::Tensor folded_product(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor left = a.movedim(-2, 0).reshape({a.size(-2), -1});
  return block_product(left, b.reshape({left.size(1), b.size(-1)}));
}

/// c of the given pieces of a and b.
at::Tensor multiply(const LoopNest& nest, const at::Tensor& a, const at::Tensor& b) {
  const int nbatch = nest.nbatch();
  const auto batch = [&](const at::Tensor& x) {
    return x.sizes().slice(0, static_cast<std::size_t>(nbatch));
  };
  const bool fold = nbatch > 0 && static_cast<int>(nest.summed_axes().size()) == nbatch &&
                    batch(a).equals(batch(b)) && a.numel() > 0 && b.numel() > 0;
  Shape shape(static_cast<std::size_t>(nbatch), 1);
  if (fold) {
    shape.insert(shape.end(), {a.size(-2), b.size(-1)});
    return folded_product(a, b).reshape(shape);
  }
  // A plain matrix lets torch fold the batch of a into its rows.
  const at::IntArrayRef b_batch = batch(b);
  const bool plain = nbatch > 0 && std::all_of(b_batch.begin(), b_batch.end(), [](auto n) { return n == 1; });
  at::Tensor c = plain ? matrix_product(a, b.reshape({b.size(-2), b.size(-1)})) : block_product(a, b);
  return nest.summed_axes().empty() ? c : c.sum(nest.summed_axes(), /*keepdim=*/true, c.scalar_type());
}

void multiply_add(const LoopNest& nest, const at::Tensor& c, const at::Tensor& a, const at::Tensor& b) {
  if (nest.nbatch() == 0) {
    update_product(c, a, b);
  } else {
    c.add_(multiply(nest, a, b));
  }
}

/// Memory that MPI may read.
at::Tensor packed(const at::Tensor& x) { return x.resolve_conj().resolve_neg().contiguous(); }

LayoutPtr c_layout(const Contraction& spec, const LoopNest& nest, int label,
                   const std::vector<std::int64_t>& counts) {
  return share(Layout::with_counts(spec.c->gshape(), nest.axis(Operand::C, label), counts));
}

void move(Factor& x, const LayoutPtr& to, int label, const CommPtr& comm) {
  x.local = redistribute_local(x.local, x.layout, to, comm);
  x.layout = to;
  x.label = label;
}

/// Brings an operand to the split `label` with the extents of `other`.
void join(const LoopNest& nest, Factor& x, const Factor& other, const CommPtr& comm) {
  const int axis = nest.axis(x.operand, other.label);
  LayoutPtr to = share(Layout::with_counts(x.layout->gshape(), axis, other.layout->counts()));
  if (*to != *x.layout) move(x, to, other.label, comm);
}

/// An operand held by one rank because it is split along a broadcast axis is dealt out along m or n instead.
Factor useful(const LoopNest& nest, Operand operand, const at::Tensor& local, const LayoutPtr& layout,
              const CommPtr& comm) {
  Factor x{operand, local, layout, nest.split_label(operand, *layout)};
  if (x.label != kNoLabel || !layout->is_split()) return x;
  const int label = operand == Operand::A ? nest.m() : nest.n();
  const int axis = nest.axis(operand, label);
  move(x, share(Layout::balanced(layout->gshape(), axis, comm->size())), label, comm);
  return x;
}

/// One operand's blocks travel from rank to rank (each receives from the next one) while the other one stays.
/// The next block is on its way while the present one is multiplied.
class Circulation {
 public:
  Circulation(const Factor& x, const Communicator& comm) : x_(x), comm_(comm), block_(packed(x.local)) {}

  const at::Tensor& block() const { return block_; }
  int owner() const { return (comm_.rank() + step_) % comm_.size(); }
  bool last() const { return step_ + 1 == comm_.size(); }

  void start() {
    const int size = comm_.size();
    const Shape shape = x_.layout->lshape((owner() + 1) % size);
    next_ = at::Tensor(block_.new_empty(sizes(shape)));
    receive_ = comm_.irecv(buffer(next_), (comm_.rank() + 1) % size);
    send_ = comm_.isend(const_buffer(block_), (comm_.rank() + size - 1) % size);
  }
  void finish() {
    receive_.wait();
    send_.wait();
    block_ = std::move(next_);
    ++step_;
  }

 private:
  const Factor& x_;
  const Communicator& comm_;
  int step_ = 0;
  at::Tensor block_;
  at::Tensor next_;
  Request receive_;
  Request send_;
};

/// `moving` circulates; c comes out split as `staying`.
Product circulate(const LoopNest& nest, const Contraction& spec, const Factor& staying, const Factor& moving,
                  const CommPtr& comm) {
  const LayoutPtr layout = c_layout(spec, nest, staying.label, staying.layout->counts());
  const at::Tensor c = staying.local.new_zeros(sizes(layout->lshape(comm->rank())));
  const bool accumulate = !nest.contains(Operand::C, moving.label);
  Circulation ring(moving, *comm);
  for (;; ring.finish()) {
    if (!ring.last()) ring.start();
    const std::int64_t begin = moving.layout->offset(ring.owner());
    const std::int64_t count = moving.layout->count(ring.owner());
    const at::Tensor own = slice(nest, staying.operand, staying.local, moving.label, begin, count);
    const bool swapped = staying.operand == Operand::B;
    const at::Tensor& a = swapped ? ring.block() : own;
    const at::Tensor& b = swapped ? own : ring.block();
    if (accumulate) {
      multiply_add(nest, c, a, b);
    } else {
      slice(nest, Operand::C, c, moving.label, begin, count).copy_(multiply(nest, a, b));
    }
    if (ring.last()) return {c, layout};
  }
}

/// Every rank has a share of every block of c: the blocks travel to their owners and every rank adds its share.
at::Tensor reduce_to_owners(const LoopNest& nest, const Factor& a, const Factor& b, int label,
                            const Layout& target, const Communicator& comm) {
  const int size = comm.size();
  const int rank = comm.rank();
  at::Tensor outgoing;
  Request send;
  for (int step = 0;; ++step) {
    const int owner = (rank + size - 1 - step) % size;
    at::Tensor incoming;
    Request receive;
    if (step > 0) {
      incoming = a.local.new_empty(sizes(target.lshape(owner)));
      receive = comm.irecv(buffer(incoming), (rank + size - 1) % size);
    }
    at::Tensor share =
        multiply(nest, slice(nest, a.operand, a.local, label, target.offset(owner), target.count(owner)),
                 slice(nest, b.operand, b.local, label, target.offset(owner), target.count(owner)));
    receive.wait();
    if (step > 0) share = incoming.add_(share);
    send.wait();
    if (owner == rank) return share;
    outgoing = packed(share);
    send = comm.isend(const_buffer(outgoing), (rank + 1) % size);
  }
}

/// The same in one collective: a small c cannot hide the ring's p - 1 messages behind products.
at::Tensor reduce_small(const LoopNest& nest, const Factor& a, const Factor& b, int label,
                        const Layout& target, const Communicator& comm) {
  const at::Tensor whole = multiply(nest, a.local, b.local);
  const at::Tensor shares = whole.new_empty({whole.numel()});
  Counts counts;
  std::int64_t begin = 0;
  for (int owner = 0; owner < comm.size(); ++owner) {
    const at::Tensor block = slice(nest, Operand::C, whole, label, target.offset(owner), target.count(owner));
    counts.push_back(block.numel());
    shares.narrow(0, begin, counts.back()).copy_(block.reshape({-1}));
    begin += counts.back();
  }
  at::Tensor own = whole.new_empty(sizes(target.lshape(comm.rank())));
  comm.reduce_scatter(const_buffer(shares), buffer(own), counts, ReduceOp::Sum);
  return own;
}

/// Products of the blocks at hand are shares of c: they are added up, under spec.c where it is split.
Product add_shares(const LoopNest& nest, const Contraction& spec, const Factor& a, const Factor& b,
                   const CommPtr& comm) {
  const int label = nest.split_label(Operand::C, *spec.c);
  const bool small = spec.c->size() <= kSmallResult;
  if (label != kNoLabel && small) return {reduce_small(nest, a, b, label, *spec.c, *comm), spec.c};
  if (label != kNoLabel) return {reduce_to_owners(nest, a, b, label, *spec.c, *comm), spec.c};
  const LayoutPtr whole = share(Layout::replicated(spec.c->gshape(), comm->size()));
  return {allreduce(multiply(nest, a.local, b.local), ReduceOp::Sum, *comm), whole};
}

/// Both operands replicated: every rank computes what it owns of c.
Product multiply_replicated(const LoopNest& nest, const Contraction& spec, const Factor& a, const Factor& b,
                            const CommPtr& comm) {
  const int label = nest.split_label(Operand::C, *spec.c);
  if (label == kNoLabel) {
    return {multiply(nest, a.local, b.local), share(Layout::replicated(spec.c->gshape(), comm->size()))};
  }
  const std::int64_t begin = spec.c->offset(comm->rank());
  const std::int64_t count = spec.c->count(comm->rank());
  return {multiply(nest, slice(nest, a.operand, a.local, label, begin, count),
                   slice(nest, b.operand, b.local, label, begin, count)),
          spec.c};
}

/// The operands share a split, or one is whole on every rank.
Product multiply_met(const LoopNest& nest, const Contraction& spec, const Factor& a, const Factor& b,
                     const CommPtr& comm) {
  const Factor& lead = a.label != kNoLabel ? a : b;
  if (!nest.contains(Operand::C, lead.label)) return add_shares(nest, spec, a, b, comm);
  return {multiply(nest, a.local, b.local), c_layout(spec, nest, lead.label, lead.layout->counts())};
}

Product multiply_split(const LoopNest& nest, const Contraction& spec, Factor& a, Factor& b,
                       const CommPtr& comm) {
  if (a.label != b.label && a.label != kNoLabel && b.label != kNoLabel) {
    const int target = nest.split_label(Operand::C, *spec.c);
    switch (choose_meeting(nest, a.label, b.label, target, comm->size())) {
      case Meeting::CirculateA:
        return circulate(nest, spec, b, a, comm);
      case Meeting::CirculateB:
        return circulate(nest, spec, a, b, comm);
      case Meeting::MoveA:
        join(nest, a, b, comm);
        break;
      case Meeting::MoveB:
        join(nest, b, a, comm);
        break;
    }
  } else if (b.label == kNoLabel || (a.label == b.label && b.layout->size() < a.layout->size())) {
    if (nest.contains(Operand::B, a.label)) join(nest, b, a, comm);
  } else if (nest.contains(Operand::A, b.label)) {
    join(nest, a, b, comm);
  }
  return multiply_met(nest, spec, a, b, comm);
}

}  // namespace

at::Tensor block_product(const at::Tensor& a, const at::Tensor& b) {
  const bool inner = a.dim() == 2 && b.dim() == 2 && a.size(0) == 1 && b.size(1) == 1;
  return inner ? a.reshape({-1}).dot(b.reshape({-1})).reshape({1, 1}) : matrix_product(a, b);
}

at::Tensor contract_blocks(const at::Tensor& a, const at::Tensor& b, const Contraction& spec,
                           const CommPtr& comm) {
  const LoopNest nest(spec);
  if (comm->size() == 1) return multiply(nest, a, b);
  Factor x = useful(nest, Operand::A, a, spec.a, comm);
  Factor y = useful(nest, Operand::B, b, spec.b, comm);
  const bool split = x.label != kNoLabel || y.label != kNoLabel;
  const Product c =
      split ? multiply_split(nest, spec, x, y, comm) : multiply_replicated(nest, spec, x, y, comm);
  return *c.layout == *spec.c ? c.local : redistribute_local(c.local, c.layout, spec.c, comm);
}

}  // namespace eh
