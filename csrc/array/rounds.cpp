// SPDX-License-Identifier: BSD-3-Clause
#include "array/rounds.hpp"

#include <ATen/core/Tensor.h>
#include <c10/core/CPUAllocator.h>

#include "array/autograd.hpp"
#include "array/movers.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/pages.hpp"
#include "layout/redistribution.hpp"

namespace eh {
namespace {

/// Source and target together are at most 1 + 1 / kRounds times the larger one, and what is under way.
constexpr int kRounds = 16;
/// Bytes of a rank's share below which memory does not matter.
constexpr std::int64_t kSmall = 4 << 20;

/// What a round sends and fills, and the ranges of the source that are then no longer needed.
struct Step {
  std::vector<Part> sends;
  std::vector<Part> recvs;
  int axis;
  std::vector<Window> done;
};

/// Between two axes: entries of the one in front take turns.
Step step_between(const at::Tensor& local, const at::Tensor& out, const Layout& from, const Layout& to,
                  int me, int round) {
  const Round part = round_of(from, to, round, kRounds);
  Step step{{}, {}, part.axis, {}};
  const bool source_has_front = part.axis == from.split();
  const Layout& front = source_has_front ? from : to;
  const Layout& other = source_has_front ? to : from;
  const auto of = [&](int rank) { return part.of[static_cast<std::size_t>(rank)]; };
  // The tensor that is cut along the other axis has the front axis whole, and the other way round.
  const at::Tensor& whole_front = source_has_front ? out : local;
  const at::Tensor& own_front = source_has_front ? local : out;
  const Window own = {of(me).begin - front.offset(me), of(me).end - front.offset(me)};
  for (int peer = 0; peer < front.nranks(); ++peer) {
    const at::Tensor theirs = whole_front.narrow(part.axis, of(peer).begin, of(peer).end - of(peer).begin);
    const at::Tensor ours = own_front.narrow(part.axis, own.begin, own.end - own.begin)
                                .narrow(other.split(), other.offset(peer), other.count(peer));
    step.sends.push_back({peer, source_has_front ? ours : theirs});
    step.recvs.push_back({peer, source_has_front ? theirs : ours});
    if (!source_has_front) step.done.push_back(of(peer));
  }
  if (source_has_front) step.done.push_back(own);
  return step;
}

/// Along one axis: a piece of every transfer.
Step step_along(const at::Tensor& local, const at::Tensor& out, const Redistribution& plan, int round) {
  Step step{{}, {}, plan.send_axis, {}};
  const auto piece = [&](const Transfer& t) {
    return Window{t.begin + t.length * round / kRounds, t.begin + t.length * (round + 1) / kRounds};
  };
  for (const Transfer& t : plan.sends) {
    const Window rows = piece(t);
    step.sends.push_back({t.peer, local.narrow(plan.send_axis, rows.begin, rows.end - rows.begin)});
    step.done.push_back(rows);
  }
  for (const Transfer& t : plan.recvs) {
    const Window rows = piece(t);
    step.recvs.push_back({t.peer, out.narrow(plan.recv_axis, rows.begin, rows.end - rows.begin)});
  }
  return step;
}

/// Pages of a range of an axis, for each index of the axes before it.
void release(const at::Tensor& local, int axis, const Window& range) {
  std::int64_t leading = 1;
  for (int k = 0; k < axis; ++k) leading *= local.size(k);
  const std::int64_t row = local.stride(axis) * static_cast<std::int64_t>(local.element_size());
  auto* data = static_cast<std::byte*>(local.mutable_data_ptr());
  for (std::int64_t i = 0; i < leading; ++i)
    kernels::release_pages(data + (i * local.size(axis) + range.begin) * row,
                           static_cast<std::size_t>((range.end - range.begin) * row));
}

/// Memory of torch's own that no other tensor looks at.
bool is_sole_owner(const at::Tensor& local) {
  if (!local.is_cpu() || !local.is_contiguous() || local.requires_grad()) return false;
  const c10::Storage& storage = local.storage();
  return storage.use_count() == 1 &&
         storage.data_ptr().get_deleter() == c10::GetCPUAllocator()->raw_deleter();
}

}  // namespace

DNDarray redistribute_consuming(const DNDarray& x, const LayoutPtr& to, bool last_reader) {
  const LayoutPtr& from = x.layout_ptr();
  const auto plan = redistribution_of(from, to, x.comm().rank());
  const std::int64_t share =
      x.layout().size() / x.comm().size() * static_cast<std::int64_t>(x.local().element_size());
  const bool tracked = x.local().requires_grad() || needs_grad(x.local());
  if (plan->kind == Redistribution::Kind::Slice && !tracked) {
    const DNDarray view = redistribute(x, to);  // the whole should go
    return view.with_local(view.local().clone());
  }
  if (plan->kind != Redistribution::Kind::Exchange || share < kSmall || tracked) return redistribute(x, to);
  const bool gives_back = last_reader && is_sole_owner(x.local());
  const at::Tensor local = x.local();
  const int me = x.comm().rank();
  const at::Tensor out = movers::empty(to->lshape(me), local);
  for (int round = 0; round < kRounds; ++round) {
    const Step step = from->split() == to->split() ? step_along(local, out, *plan, round)
                                                   : step_between(local, out, *from, *to, me, round);
    exchange(step.sends, step.recvs, false, local, x.comm());
    if (gives_back)
      for (const Window& range : step.done) release(local, step.axis, range);
  }
  return {out, to, x.comm_ptr()};
}

}  // namespace eh
