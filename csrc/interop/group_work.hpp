// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <torch/csrc/distributed/c10d/Work.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "comm/communicator.hpp"
#include "interop/worker.hpp"

namespace eh {

using Tensors = std::vector<at::Tensor>;

/// What torch knows about an operation of a group.
struct Title {
  c10d::OpType type;
  const char* name;  ///< for torch's profiler and in errors
  std::uint64_t number = 0;
  int rank = 0;
  std::chrono::milliseconds timeout{0};  ///< 0: wait without end
};

/// A collective: finished by whoever runs its body.
class CollectiveWork : public c10d::Work {
 public:
  CollectiveWork(const Title& title, const Tensors& inputs, Tensors outputs);
  /// Runs `body`, then tells everybody who waits. Never throws.
  void run(const std::function<void()>& body);

  bool wait(std::chrono::milliseconds timeout) override;
  void synchronize() override { wait(kNoTimeout); }
  Tensors result() override { return outputs_; }
  c10::intrusive_ptr<c10::ivalue::Future> getFuture() override { return future_; }
  std::uint64_t getSequencenumber() const override { return title_.number; }

 private:
  Title title_;
  Tensors outputs_;
  c10::intrusive_ptr<c10::ivalue::Future> future_;
};

/// A message between two ranks: MPI makes it progress while somebody waits or looks. The group keeps it until it is
/// complete, so that dropping the work never waits.
class Message {
 public:
  /// `finish` runs in the thread that sees the message complete.
  Message(const Title& about, Tensors kept, Request request, std::function<void()> finish,
          std::shared_ptr<int> source)
      : title(about),
        tensors(std::move(kept)),
        request_(std::move(request)),
        finish_(std::move(finish)),
        source_(std::move(source)) {}
  /// True once complete, with or without an error. Never blocks.
  bool look();
  /// @throws CommError after `limit`, if that is not 0, and what the message ended with
  void wait(std::chrono::milliseconds limit);
  std::exception_ptr error();
  /// Of a message from any rank, once it is complete; else -1.
  int source() const { return done_ ? *source_ : -1; }

  const Title title;
  const Tensors tensors;

 private:
  std::mutex mutex_;
  Request request_;
  std::function<void()> finish_;
  std::exception_ptr error_;
  std::shared_ptr<int> source_;
  std::atomic<bool> done_{false};
};

/// A thread of the group that completes futures of messages, one after another.
struct MessageWatch {
  explicit MessageWatch(bool has_thread) : worker(has_thread) {}
  /// Leaves the futures that are not complete.
  void stop() {
    is_leaving = true;
    worker.stop();
  }
  std::atomic<bool> is_leaving{false};
  Worker worker;
};

class MessageWork : public c10d::Work {
 public:
  MessageWork(std::shared_ptr<Message> message, std::shared_ptr<MessageWatch> watch);

  bool isCompleted() override { return message_->look(); }
  bool isSuccess() const override { return message_->look() && !message_->error(); }
  std::exception_ptr exception() const override { return message_->error(); }
  bool wait(std::chrono::milliseconds timeout) override;
  void synchronize() override { wait(kNoTimeout); }
  Tensors result() override { return message_->tensors; }
  int sourceRank() const override { return message_->source(); }
  c10::intrusive_ptr<c10::ivalue::Future> getFuture() override;
  std::uint64_t getSequencenumber() const override { return message_->title.number; }

 private:
  std::shared_ptr<Message> message_;
  std::shared_ptr<MessageWatch> watch_;
  c10::intrusive_ptr<c10::ivalue::Future> future_;
};

}  // namespace eh
