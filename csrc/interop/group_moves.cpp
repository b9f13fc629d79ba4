// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <numeric>

#include "base/error.hpp"
#include "interop/memory.hpp"
#include "interop/process_group.hpp"

namespace eh {

at::Tensor packed(const std::vector<at::Tensor>& tensors, const at::Tensor& like) {
  const Counts counts = counts_of(tensors);
  const at::Tensor flat = like.new_empty({std::accumulate(counts.begin(), counts.end(), std::int64_t{0})});
  std::int64_t begin = 0;
  for (const at::Tensor& t : tensors) {
    flat.narrow(0, begin, t.numel()).view(t.sizes()).copy_(t);
    begin += t.numel();
  }
  return flat;
}

void unpack(const at::Tensor& flat, const std::vector<at::Tensor>& tensors) {
  std::int64_t begin = 0;
  for (const at::Tensor& t : tensors) {
    t.copy_(flat.narrow(0, begin, t.numel()).view(t.sizes()));
    begin += t.numel();
  }
}

namespace {

using c10d::OpType;

void check_list(const char* fn, const char* arg, std::size_t found, int ranks) {
  EH_CHECK(found == static_cast<std::size_t>(ranks), ValueError, fn, ": ", arg, " has ", found,
           " tensors; it must have one for each of the ", ranks, " ranks");
}

void check_types(const char* fn, const Tensors& tensors, const at::Tensor& like) {
  dtype_of(like.scalar_type());
  for (const at::Tensor& t : tensors)
    EH_CHECK(t.scalar_type() == like.scalar_type(), TypeError, fn, ": all tensors must have the dtype ",
             name_of(dtype_of(like.scalar_type())), " of the first");
}

bool are_even(const Counts& counts) {
  return std::all_of(counts.begin(), counts.end(), [&](auto n) { return n == counts.front(); });
}

/// The ranks' inputs, one behind another, in `whole`, of which the input may be this rank's own part.
void allgather_whole(const at::Tensor& whole, const at::Tensor& input, const Counts& counts,
                     const Communicator& comm) {
  const Sent sent(input);
  if (are_even(counts))
    comm.allgather(sent.buffer(), buffer(whole));
  else
    comm.allgatherv(sent.buffer(), buffer(whole), counts);
}

void allgather_lists(const Tensors& outputs, const at::Tensor& input, const Communicator& comm) {
  const Counts counts = counts_of(outputs);
  const at::Tensor whole = input.new_empty({std::accumulate(counts.begin(), counts.end(), std::int64_t{0})});
  allgather_whole(whole, input, counts, comm);
  unpack(whole, outputs);
}

void allgather_tensor(const at::Tensor& output, const at::Tensor& input, const Communicator& comm) {
  const Counts counts(static_cast<std::size_t>(comm.size()), input.numel());
  const auto* const slot = static_cast<const std::byte*>(output.const_data_ptr()) +
                           input.numel() * comm.rank() * static_cast<std::int64_t>(input.element_size());
  const bool is_in_place = is_plain(output) && is_plain(input) && input.const_data_ptr() == slot;
  if (is_in_place || !output.is_alias_of(input)) {
    const Filled whole(output);
    allgather_whole(whole.tensor(), input, counts, comm);
    return whole.finish();
  }
  const at::Tensor whole = input.new_empty(output.sizes());
  allgather_whole(whole, input, counts, comm);
  output.copy_(whole);
}

void check_allgather(const at::Tensor& output, const at::Tensor& input, int ranks) {
  check_types("all_gather_into_tensor", {output}, input);
  EH_CHECK(output.numel() == input.numel() * ranks, ValueError, "all_gather_into_tensor: output has ",
           output.numel(), " elements; it must have ", ranks, " (the number of ranks) times the ",
           input.numel(), " of input");
}

/// Elements for each rank out of rows, or an even share of the rows.
Counts elements_of(const char* arg, const at::Tensor& t, const std::vector<std::int64_t>& rows, int ranks) {
  const std::int64_t all = t.dim() == 0 ? 1 : t.size(0);
  const std::int64_t row = all == 0 ? 0 : t.numel() / all;
  if (rows.empty()) {
    EH_CHECK(all % ranks == 0, ValueError, "all_to_all_single: ", arg, " has ", all,
             " rows; without sizes they must be a multiple of the ", ranks, " ranks");
    return Counts(static_cast<std::size_t>(ranks), all / ranks * row);
  }
  check_list("all_to_all_single", arg, rows.size(), ranks);
  EH_CHECK(std::accumulate(rows.begin(), rows.end(), std::int64_t{0}) == all, ValueError,
           "all_to_all_single: the sizes of ", arg, " must add up to its ", all, " rows");
  Counts elements;
  for (const std::int64_t n : rows) elements.push_back(n * row);
  return elements;
}

std::vector<Part> parts_of(const Tensors& tensors) {
  std::vector<Part> parts;
  for (std::size_t peer = 0; peer < tensors.size(); ++peer)
    parts.push_back({static_cast<int>(peer), tensors[peer]});
  return parts;
}

}  // namespace

ProcessGroupBackend::WorkPtr ProcessGroupBackend::allgather_coalesced(Lists& outputs, Tensors& inputs,
                                                                      const c10d::AllgatherOptions& opts) {
  // Its lists are one for each rank, allgather's one for each input.
  check_list("all_gather_coalesced", "output_tensor_lists", outputs.size(), size_);
  Lists by_input(inputs.size());
  for (const Tensors& of_rank : outputs) {
    EH_CHECK(of_rank.size() == inputs.size(), ValueError, "all_gather_coalesced: an output list has ",
             of_rank.size(), " tensors for ", inputs.size(), " inputs");
    for (std::size_t i = 0; i < inputs.size(); ++i) by_input[i].push_back(of_rank[i]);
  }
  return allgather(by_input, inputs, opts);
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::allgather(Lists& lists, Tensors& inputs,
                                                            const c10d::AllgatherOptions& opts) {
  EH_CHECK(lists.size() == inputs.size(), ValueError, "all_gather: ", lists.size(), " output lists for ",
           inputs.size(), " inputs");
  Tensors all;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    check_list("all_gather", "output", lists[i].size(), size_);
    check_types("all_gather", lists[i], inputs[i]);
    EH_CHECK(lists[i][static_cast<std::size_t>(rank_)].numel() == inputs[i].numel(), ValueError,
             "all_gather: this rank's output has ", lists[i][static_cast<std::size_t>(rank_)].numel(),
             " elements, its input ", inputs[i].numel());
    all.insert(all.end(), lists[i].begin(), lists[i].end());
  }
  return start({OpType::ALLGATHER, "equiheat:all_gather", opts.asyncOp, opts.timeout, inputs, all},
               [lists, inputs](const Communicator& comm) {
                 for (std::size_t i = 0; i < inputs.size(); ++i) allgather_lists(lists[i], inputs[i], comm);
               });
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::_allgather_base(at::Tensor& output, at::Tensor& input,
                                                                  const c10d::AllgatherOptions& opts) {
  check_allgather(output, input, size_);
  return start({OpType::_ALLGATHER_BASE,
                "equiheat:all_gather_into_tensor",
                opts.asyncOp,
                opts.timeout,
                {input},
                {output}},
               [output, input](const Communicator& comm) { allgather_tensor(output, input, comm); });
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::allgather_into_tensor_coalesced(
    Tensors& outputs, Tensors& inputs, const c10d::AllgatherOptions& opts) {
  EH_CHECK(outputs.size() == inputs.size(), ValueError, "all_gather_into_tensor: ", outputs.size(),
           " outputs for ", inputs.size(), " inputs");
  for (std::size_t i = 0; i < inputs.size(); ++i) check_allgather(outputs[i], inputs[i], size_);
  return start(
      {OpType::COALESCED, "equiheat:all_gather_into_tensor", opts.asyncOp, opts.timeout, inputs, outputs},
      [outputs, inputs](const Communicator& comm) {
        for (std::size_t i = 0; i < inputs.size(); ++i) allgather_tensor(outputs[i], inputs[i], comm);
      });
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::gather(Lists& outputs, Tensors& inputs,
                                                         const c10d::GatherOptions& opts) {
  const int root = static_cast<int>(opts.rootRank);
  EH_CHECK(inputs.size() == 1, ValueError, "gather: ", inputs.size(), " inputs were given instead of one");
  const at::Tensor input = inputs.front();
  const Tensors parts = rank_ == root && !outputs.empty() ? outputs.front() : Tensors{};
  check_types("gather", parts, input);
  if (rank_ == root) check_list("gather", "gather_list", parts.size(), size_);
  for (const at::Tensor& part : parts)
    EH_CHECK(part.numel() == input.numel(), ValueError, "gather: an output has ", part.numel(),
             " elements, the input ", input.numel(), "; all must be of one size");
  return start({OpType::GATHER, "equiheat:gather", opts.asyncOp, opts.timeout, inputs, parts},
               [parts, input, root](const Communicator& comm) {
                 const at::Tensor whole =
                     input.new_empty({input.numel() * static_cast<std::int64_t>(parts.size())});
                 const Sent sent(input);
                 comm.gather(sent.buffer(), buffer(whole), root);
                 unpack(whole, parts);
               });
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::scatter(Tensors& outputs, Lists& inputs,
                                                          const c10d::ScatterOptions& opts) {
  const int root = static_cast<int>(opts.rootRank);
  EH_CHECK(outputs.size() == 1, ValueError, "scatter: ", outputs.size(),
           " outputs were given instead of one");
  const at::Tensor out = outputs.front();
  const Tensors parts = rank_ == root && !inputs.empty() ? inputs.front() : Tensors{};
  check_types("scatter", parts, out);
  if (rank_ == root) check_list("scatter", "scatter_list", parts.size(), size_);
  for (const at::Tensor& part : parts)
    EH_CHECK(part.numel() == out.numel(), ValueError, "scatter: an input has ", part.numel(),
             " elements, the output ", out.numel(), "; all must be of one size");
  return start({OpType::SCATTER, "equiheat:scatter", opts.asyncOp, opts.timeout, parts, outputs},
               [parts, out, root](const Communicator& comm) {
                 const at::Tensor whole = packed(parts, out);
                 const Filled part(out);
                 comm.scatter(const_buffer(whole), part.buffer(), root);
                 part.finish();
               });
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::alltoall_base(at::Tensor& output, at::Tensor& input,
                                                                std::vector<std::int64_t>& output_splits,
                                                                std::vector<std::int64_t>& input_splits,
                                                                const c10d::AllToAllOptions& opts) {
  check_types("all_to_all_single", {output}, input);
  const Counts sends = elements_of("input", input, input_splits, size_);
  const Counts recvs = elements_of("output", output, output_splits, size_);
  return start(
      {OpType::ALLTOALL_BASE, "equiheat:all_to_all_single", opts.asyncOp, opts.timeout, {input}, {output}},
      [output, input, sends, recvs](const Communicator& comm) {
        const Sent sent(input);
        const Filled whole(output);
        comm.alltoallv(sent.buffer(), sends, whole.buffer(), recvs);
        whole.finish();
      });
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::alltoall(Tensors& outputs, Tensors& inputs,
                                                           const c10d::AllToAllOptions& opts) {
  check_list("all_to_all", "input_tensor_list", inputs.size(), size_);
  check_list("all_to_all", "output_tensor_list", outputs.size(), size_);
  check_types("all_to_all", inputs, inputs.front());
  check_types("all_to_all", outputs, inputs.front());
  const auto own = static_cast<std::size_t>(rank_);
  EH_CHECK(inputs[own].numel() == outputs[own].numel(), ValueError,
           "all_to_all: this rank's part to itself has ", inputs[own].numel(), " elements, but ",
           outputs[own].numel(), " to receive it");
  return start({OpType::ALLTOALL, "equiheat:all_to_all", opts.asyncOp, opts.timeout, inputs, outputs},
               [outputs, inputs](const Communicator& comm) {
                 exchange(parts_of(inputs), parts_of(outputs), false, inputs.front(), comm);
               });
}

}  // namespace eh
