// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/csrc/distributed/c10d/Backend.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "interop/group_work.hpp"
#include "interop/worker.hpp"

namespace eh {

/// A process group of torch.distributed over a communicator: the backend "equiheat".
///
/// Collectives of a group run one after another. One that the caller waits for (async_op=False) runs in his thread; an
/// asynchronous one in the group's own thread, so that it goes on while the program computes. That needs
/// MPI_THREAD_MULTIPLE; with less every collective has run when the call returns. Messages between two ranks are MPI's
/// own non-blocking ones. Tensors may be strided, of any dtype of the library, on the CPU or a GPU (whose stream is waited
/// for first).
class ProcessGroupBackend : public c10d::Backend {
 public:
  struct Settings {
    std::chrono::milliseconds timeout;  ///< of Work::wait
    std::string name;
  };
  /// @pre `comm` is a polite one (comm/groups.hpp) that nobody else uses
  ProcessGroupBackend(std::shared_ptr<Communicator> comm, const c10::intrusive_ptr<c10d::Store>& store,
                      const Settings& settings);
  ~ProcessGroupBackend() override;

  using WorkPtr = c10::intrusive_ptr<c10d::Work>;
  using Lists = std::vector<Tensors>;

  const std::string getBackendName() const override { return kName; }
  c10::intrusive_ptr<Options> getBackendOptions() override { return options_; }
  void setTimeout(std::chrono::milliseconds timeout) override { options_->timeout = timeout; }
  /// Numbers start at 0 in every group of any backend of ours: nothing to agree on.
  void setSequenceNumberForGroup() override {}
  std::uint64_t getSequenceNumberForGroup() override { return number_; }
  c10d::ErrorType getError() override { return c10d::ErrorType::SUCCESS; }
  /// Waits for what was started; afterwards every call is an error.
  void shutdown() override;

  WorkPtr broadcast(Tensors& tensors, const c10d::BroadcastOptions& opts) override;
  WorkPtr allreduce(Tensors& tensors, const c10d::AllreduceOptions& opts) override;
  WorkPtr allreduce_coalesced(Tensors& tensors, const c10d::AllreduceCoalescedOptions& opts) override;
  WorkPtr reduce(Tensors& tensors, const c10d::ReduceOptions& opts) override;
  WorkPtr allgather(Lists& outputs, Tensors& inputs, const c10d::AllgatherOptions& opts) override;
  WorkPtr _allgather_base(at::Tensor& output, at::Tensor& input, const c10d::AllgatherOptions& opts) override;
  WorkPtr allgather_coalesced(Lists& outputs, Tensors& inputs, const c10d::AllgatherOptions& opts) override;
  WorkPtr allgather_into_tensor_coalesced(Tensors& outputs, Tensors& inputs,
                                          const c10d::AllgatherOptions& opts) override;
  WorkPtr gather(Lists& outputs, Tensors& inputs, const c10d::GatherOptions& opts) override;
  WorkPtr scatter(Tensors& outputs, Lists& inputs, const c10d::ScatterOptions& opts) override;
  WorkPtr reduce_scatter(Tensors& outputs, Lists& inputs, const c10d::ReduceScatterOptions& opts) override;
  WorkPtr _reduce_scatter_base(at::Tensor& output, at::Tensor& input,
                               const c10d::ReduceScatterOptions& opts) override;
  WorkPtr reduce_scatter_tensor_coalesced(Tensors& outputs, Tensors& inputs,
                                          const c10d::ReduceScatterOptions& opts) override;
  WorkPtr alltoall_base(at::Tensor& output, at::Tensor& input, std::vector<std::int64_t>& output_splits,
                        std::vector<std::int64_t>& input_splits, const c10d::AllToAllOptions& opts) override;
  WorkPtr alltoall(Tensors& outputs, Tensors& inputs, const c10d::AllToAllOptions& opts) override;
  WorkPtr barrier(const c10d::BarrierOptions& opts) override;
  WorkPtr send(Tensors& tensors, int destination, int tag) override;
  WorkPtr recv(Tensors& tensors, int source, int tag) override;
  WorkPtr recvAnysource(Tensors& tensors, int tag) override;

 private:
  static constexpr const char* kName = "equiheat";
  using Body = std::function<void(const Communicator&)>;

  /// What every operation of the group has in common.
  struct Plan {
    c10d::OpType type;
    const char* name;
    bool is_async;
    std::chrono::milliseconds timeout;
    Tensors inputs;
    Tensors outputs;
  };
  WorkPtr start(const Plan& plan, Body body);
  WorkPtr start_message(c10d::OpType type, const char* name, const at::Tensor& tensor, int peer, int tag);
  Title title(c10d::OpType type, const char* name, std::chrono::milliseconds timeout);
  void check_open(const char* name) const;

  std::shared_ptr<Communicator> comm_;
  c10::intrusive_ptr<c10d::Store> store_;
  c10::intrusive_ptr<Options> options_;
  std::atomic<std::uint64_t> number_{0};
  std::atomic<bool> is_open_{true};
  std::mutex messages_lock_;
  std::vector<std::shared_ptr<Message>> messages_;  ///< in flight
  std::shared_ptr<MessageWatch> watch_;
  Worker worker_;
};

/// Waits until all members of a group have come as far as its making, which MPI would wait for without end. Collective.
/// @throws CommError that names the missing ones
void await_members(c10d::Store& store, int rank, int size, std::chrono::milliseconds timeout);

}  // namespace eh
