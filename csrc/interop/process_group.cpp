// SPDX-License-Identifier: BSD-3-Clause
#include "interop/process_group.hpp"

#include <ATen/core/LegacyTypeDispatch.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "comm/call.hpp"
#include "comm/groups.hpp"
#include "comm/settings.hpp"
#include "interop/memory.hpp"

namespace eh {
namespace {

using c10d::OpType;
constexpr auto kLeavingTime = std::chrono::seconds(10);

/// Waits for what was queued on the stream of this thread for the tensor's GPU.
void wait_for_stream(const at::Tensor& tensor) {
  if (!tensor.is_cuda()) return;
  const c10::impl::VirtualGuardImpl guard(c10::DeviceType::CUDA);
  guard.synchronizeStream(guard.getStream(tensor.device()));
}

void wait_for_streams(const Tensors& tensors) {
  for (const at::Tensor& tensor : tensors) wait_for_stream(tensor);
}

void check_strided(const char* name, const Tensors& tensors) {
  for (const at::Tensor& tensor : tensors)
    EH_CHECK(tensor.layout() == at::kStrided, TypeError, name, ": a tensor is ",
             tensor.is_sparse() ? "sparse" : "compressed or of another library",
             "; collectives take strided tensors, use to_dense() (or sparse=False of an embedding)");
}

/// A job knows the tensors' memory only: what it writes is nothing autograd should record.
using RawTensors = at::AutoDispatchBelowADInplaceOrView;

c10::intrusive_ptr<c10d::Backend::Options> options_of(const ProcessGroupBackend::Settings& settings) {
  auto options = c10::make_intrusive<c10d::Backend::Options>("equiheat", settings.timeout);
  options->group_name = settings.name;
  return options;
}

/// What somebody started and let go of: its buffers are MPI's, and are never freed.
void leak(std::vector<std::shared_ptr<Message>> messages) {
  new std::vector<std::shared_ptr<Message>>(std::move(messages));
}

}  // namespace

ProcessGroupBackend::ProcessGroupBackend(std::shared_ptr<Communicator> comm,
                                         const c10::intrusive_ptr<c10d::Store>& store,
                                         const Settings& settings)
    : Backend(comm->rank(), comm->size()),
      comm_(std::move(comm)),
      store_(store),
      options_(options_of(settings)),
      watch_(std::make_shared<MessageWatch>(mpi_thread_level() == "multiple")),
      worker_(mpi_thread_level() == "multiple") {}

ProcessGroupBackend::~ProcessGroupBackend() { shutdown(); }

void ProcessGroupBackend::shutdown() {
  is_open_ = false;
  worker_.stop();
  const std::lock_guard lock(messages_lock_);
  const auto deadline = std::chrono::steady_clock::now() + kLeavingTime;
  const auto pending = [&] {
    std::erase_if(messages_, [](const auto& message) { return message->look(); });
    return !messages_.empty();
  };
  while (pending() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  if (!messages_.empty()) leak(std::exchange(messages_, {}));
  watch_->stop();
}

void ProcessGroupBackend::check_open(const char* name) const {
  EH_CHECK(is_open_, CommError, name, ": the process group has been destroyed");
}

Title ProcessGroupBackend::title(OpType type, const char* name, std::chrono::milliseconds timeout) {
  const auto limit = timeout == c10d::kUnsetTimeout ? options_->timeout : timeout;
  return {type, name, ++number_, rank_, limit};
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::start(const Plan& plan, Body body) {
  check_open(plan.name);
  check_strided(plan.name, plan.inputs);
  check_strided(plan.name, plan.outputs);
  wait_for_streams(plan.inputs);
  wait_for_streams(plan.outputs);
  auto work = c10::make_intrusive<CollectiveWork>(title(plan.type, plan.name, plan.timeout), plan.inputs,
                                                  plan.outputs);
  const std::string line = settings().check ? location() : "";
  const auto job = [work, comm = comm_, run = std::move(body), line, outputs = plan.outputs] {
    std::optional<LocationNote> note;
    if (!line.empty()) note.emplace(line);
    work->run([&] {
      const RawTensors raw;
      run(*comm);
      wait_for_streams(outputs);
    });
  };
  plan.is_async ? worker_.submit(job) : worker_.run(job);
  return work;
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::start_message(OpType type, const char* name,
                                                                const at::Tensor& tensor, int peer, int tag) {
  check_open(name);
  wait_for_stream(tensor);
  const RawTensors raw;
  Request request;
  std::function<void()> finish = [] {};
  Tensors kept = {tensor};
  const auto source = std::make_shared<int>(-1);
  if (type == OpType::SEND) {
    const Sent sent(tensor);
    kept = {sent.tensor()};
    request = comm_->isend(sent.buffer(), peer, tag);
  } else {
    const Filled filled(tensor);
    request = type == OpType::RECV ? comm_->irecv(filled.buffer(), peer, tag)
                                   : irecv_from_any(*comm_, filled.buffer(), tag, source);
    finish = [filled] {
      const RawTensors inner;
      filled.finish();
      wait_for_stream(filled.tensor());
    };
  }
  auto message = std::make_shared<Message>(title(type, name, c10d::kUnsetTimeout), std::move(kept),
                                           std::move(request), std::move(finish), source);
  const std::lock_guard lock(messages_lock_);
  std::erase_if(messages_, [](const auto& other) { return other->look(); });
  messages_.push_back(message);
  return c10::make_intrusive<MessageWork>(std::move(message), watch_);
}

namespace {

const at::Tensor& only(const Tensors& tensors, const char* fn) {
  EH_CHECK(tensors.size() == 1, ValueError, fn, ": ", tensors.size(),
           " tensors were given; a rank has one, as it has one device");
  return tensors.front();
}

}  // namespace

ProcessGroupBackend::WorkPtr ProcessGroupBackend::send(Tensors& tensors, int destination, int tag) {
  return start_message(OpType::SEND, "equiheat:send", only(tensors, "send"), destination, tag);
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::recv(Tensors& tensors, int source, int tag) {
  return start_message(OpType::RECV, "equiheat:recv", only(tensors, "recv"), source, tag);
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::recvAnysource(Tensors& tensors, int tag) {
  return start_message(OpType::RECVANYSOURCE, "equiheat:recv_any_source", only(tensors, "recv"), -1, tag);
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::barrier(const c10d::BarrierOptions& opts) {
  return start({OpType::BARRIER, "equiheat:barrier", opts.asyncOp, opts.timeout, {}, {}},
               [](const Communicator& comm) { comm.barrier(); });
}

ProcessGroupBackend::WorkPtr ProcessGroupBackend::broadcast(Tensors& tensors,
                                                            const c10d::BroadcastOptions& opts) {
  const at::Tensor x = only(tensors, "broadcast");
  dtype_of(x.scalar_type());
  const int root = static_cast<int>(opts.rootRank);
  return start({OpType::BROADCAST, "equiheat:broadcast", opts.asyncOp, opts.timeout, tensors, tensors},
               [x, root](const Communicator& comm) {
                 const Filled whole(x);
                 comm.bcast(whole.buffer(), root);
                 whole.finish();
               });
}

void await_members(c10d::Store& store, int rank, int size, std::chrono::milliseconds timeout) {
  std::vector<std::string> keys;
  for (int member = 0; member < size; ++member) keys.push_back("equiheat/member/" + std::to_string(member));
  store.set(keys[static_cast<std::size_t>(rank)], std::vector<std::uint8_t>{1});
  try {
    store.wait(keys, timeout);
  } catch (const std::exception&) {
    std::string missing;
    for (int member = 0; member < size; ++member)
      if (!store.check({keys[static_cast<std::size_t>(member)]})) missing += " " + std::to_string(member);
    throw CommError(message("process group: after ", timeout.count(), " ms ranks", missing,
                            " of the group of ", size,
                            " have not made it; every member must, in the same order"));
  }
}

}  // namespace eh
