// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "interop/memory.hpp"
#include "interop/process_group.hpp"
#include "interop/reduction.hpp"

namespace eh {
namespace {

using c10d::OpType;
/// Tensors that are reduced together travel in one message up to this many bytes each; longer ones gain nothing.
constexpr std::int64_t kFused = 256 << 10;

void allreduce_in_place(const at::Tensor& x, const Reduction& reduction, const Communicator& comm) {
  const Filled whole(x);
  reduction.prepare(whole.tensor());
  comm.allreduce(whole.buffer(), whole.buffer(), reduction.op);
  reduction.complete(whole.tensor(), comm.size());
  whole.finish();
}

/// Runs of tensors that make one message.
std::vector<Tensors> fused(const Tensors& tensors) {
  std::vector<Tensors> runs;
  std::map<std::pair<at::ScalarType, std::string>, std::size_t> open;
  for (const at::Tensor& x : tensors) {
    const bool is_small = x.numel() * static_cast<std::int64_t>(x.element_size()) <= kFused;
    const auto [place, is_new] = open.try_emplace({x.scalar_type(), x.device().str()}, runs.size());
    if (is_small && !is_new) {
      runs[place->second].push_back(x);
      continue;
    }
    runs.push_back({x});
    if (!is_small && is_new) open.erase(place);
  }
  return runs;
}

/// The part of `input` that rank `rank` keeps, in `out`.
void reduce_scatter_into(const at::Tensor& out, const at::Tensor& input, const Counts& counts,
                         const Reduction& reduction, const Communicator& comm) {
  const Filled part(out.is_alias_of(input) ? at::Tensor(out.clone()) : out);
  const Sent sent(reduction.changes_input() ? input.clone() : input);
  reduction.prepare(sent.tensor());
  comm.reduce_scatter(sent.buffer(), part.buffer(), counts, reduction.op);
  reduction.complete(part.tensor(), comm.size());
  part.finish();
  if (out.is_alias_of(input)) out.copy_(part.tensor());
}

void check_part(const char* fn, const at::Tensor& output, const at::Tensor& input, int ranks) {
  EH_CHECK(input.numel() == output.numel() * ranks, ValueError, fn, ": input has ", input.numel(),
           " elements; it must have ", ranks, " (the number of ranks) times the ", output.numel(),
           " of output");
  EH_CHECK(input.scalar_type() == output.scalar_type(), TypeError, fn,
           ": input and output must have the same dtype");
}

}  // namespace

ProcessGroupBackend::WorkPtr ProcessGroupBackend::allreduce(Tensors& tensors,
                                                            const c10d::AllreduceOptions& opts) {
  EH_CHECK(tensors.size() == 1, ValueError, "allreduce: ", tensors.size(),
           " tensors were given; a rank has one, as it has one device");
  const at::Tensor x = tensors.front();
  const Reduction reduction(opts.reduceOp, x.scalar_type(), "allreduce");
  return start({OpType::ALLREDUCE, "equiheat:all_reduce", opts.asyncOp, opts.timeout, tensors, tensors},
               [x, reduction](const Communicator& comm) { allreduce_in_place(x, reduction, comm); });
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::allreduce_coalesced(
    Tensors& tensors, const c10d::AllreduceCoalescedOptions& opts) {
  for (const at::Tensor& x : tensors) Reduction(opts.reduceOp, x.scalar_type(), "allreduce_coalesced");
  return start({OpType::ALLREDUCE_COALESCED, "equiheat:all_reduce_coalesced", opts.asyncOp, opts.timeout,
                tensors, tensors},
               [runs = fused(tensors), asked = opts.reduceOp](const Communicator& comm) {
                 for (const Tensors& run : runs) {
                   const Reduction reduction(asked, run.front().scalar_type(), "allreduce_coalesced");
                   const at::Tensor flat = run.size() == 1 ? run.front() : packed(run, run.front());
                   allreduce_in_place(flat, reduction, comm);
                   if (run.size() > 1) unpack(flat, run);
                 }
               });
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::reduce(Tensors& tensors, const c10d::ReduceOptions& opts) {
  EH_CHECK(tensors.size() == 1, ValueError, "reduce: ", tensors.size(), " tensors were given instead of one");
  const at::Tensor x = tensors.front();
  const Reduction reduction(opts.reduceOp, x.scalar_type(), "reduce");
  const int root = static_cast<int>(opts.rootRank);
  return start({OpType::REDUCE, "equiheat:reduce", opts.asyncOp, opts.timeout, tensors, tensors},
               [x, reduction, root](const Communicator& comm) {
                 const bool is_root = comm.rank() == root;
                 const Filled whole(is_root || !reduction.changes_input() ? x : x.clone());
                 reduction.prepare(whole.tensor());
                 comm.reduce(whole.buffer(), whole.buffer(), reduction.op, root);
                 if (!is_root) return;
                 reduction.complete(whole.tensor(), comm.size());
                 whole.finish();
               });
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::reduce_scatter(Tensors& outputs, Lists& inputs,
                                                                 const c10d::ReduceScatterOptions& opts) {
  EH_CHECK(outputs.size() == 1 && inputs.size() == 1 && inputs[0].size() == static_cast<std::size_t>(size_),
           ValueError, "reduce_scatter: one output and a list of ", size_, " inputs are needed");
  const at::Tensor out = outputs.front();
  const Tensors parts = inputs.front();
  const Reduction reduction(opts.reduceOp, out.scalar_type(), "reduce_scatter");
  EH_CHECK(parts[static_cast<std::size_t>(rank_)].numel() == out.numel(), ValueError,
           "reduce_scatter: output has ", out.numel(), " elements, but this rank's input has ",
           parts[static_cast<std::size_t>(rank_)].numel());
  return start(
      {OpType::REDUCE_SCATTER, "equiheat:reduce_scatter", opts.asyncOp, opts.timeout, parts, outputs},
      [out, parts, reduction](const Communicator& comm) {
        reduce_scatter_into(out, packed(parts, out), counts_of(parts), reduction, comm);
      });
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::_reduce_scatter_base(
    at::Tensor& output, at::Tensor& input, const c10d::ReduceScatterOptions& opts) {
  Tensors outputs = {output};
  Tensors inputs = {input};
  return reduce_scatter_tensor_coalesced(outputs, inputs, opts);
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::reduce_scatter_tensor_coalesced(
    Tensors& outputs, Tensors& inputs, const c10d::ReduceScatterOptions& opts) {
  EH_CHECK(outputs.size() == inputs.size(), ValueError, "reduce_scatter_tensor: ", outputs.size(),
           " outputs for ", inputs.size(), " inputs");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check_part("reduce_scatter_tensor", outputs[i], inputs[i], size_);
    Reduction(opts.reduceOp, inputs[i].scalar_type(), "reduce_scatter_tensor");
  }
  return start({OpType::_REDUCE_SCATTER_BASE, "equiheat:reduce_scatter_tensor", opts.asyncOp, opts.timeout,
                inputs, outputs},
               [outputs, inputs, asked = opts.reduceOp](const Communicator& comm) {
                 for (std::size_t i = 0; i < inputs.size(); ++i) {
                   const Reduction reduction(asked, inputs[i].scalar_type(), "reduce_scatter_tensor");
                   const Counts counts(static_cast<std::size_t>(comm.size()), outputs[i].numel());
                   reduce_scatter_into(outputs[i], inputs[i], counts, reduction, comm);
                 }
               });
}

}  // namespace eh
