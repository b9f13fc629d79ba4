// SPDX-License-Identifier: BSD-3-Clause
#include "interop/group_work.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/error.hpp"

namespace eh {
namespace {

using Clock = std::chrono::steady_clock;
using Future = c10::ivalue::Future;
constexpr auto kPause = std::chrono::microseconds(50);

c10::intrusive_ptr<Future> future_of(const Tensors& tensors) {
  std::vector<c10::Device> devices;
  for (const at::Tensor& tensor : tensors) {
    if (tensor.is_cuda() && std::find(devices.begin(), devices.end(), tensor.device()) == devices.end())
      devices.push_back(tensor.device());
  }
  return c10::make_intrusive<Future>(c10::ListType::create(c10::TensorType::get()), std::move(devices));
}

[[noreturn]] void throw_timeout(const Title& title, std::chrono::milliseconds timeout) {
  throw CommError(message(title.name, ": collective or message number ", title.number,
                          " of the group is not complete on rank ", title.rank, " after ", timeout.count(),
                          " ms; another rank has not made the same call, or has failed"));
}

}  // namespace

CollectiveWork::CollectiveWork(const Title& title, const Tensors& inputs, Tensors outputs)
    : Work(title.rank, title.type, title.name, inputs),
      title_(title),
      outputs_(std::move(outputs)),
      future_(future_of(outputs_)) {}

void CollectiveWork::run(const std::function<void()>& body) {
  std::exception_ptr error;
  try {
    body();
  } catch (...) {
    error = std::current_exception();
  }
  finish(error);
  if (error)
    future_->setError(error);
  else
    future_->markCompleted(c10::IValue(outputs_));
}

bool CollectiveWork::wait(std::chrono::milliseconds timeout) {
  const auto limit = timeout == kNoTimeout ? title_.timeout : timeout;
  std::unique_lock lock(mutex_);
  const auto is_done = [this] { return completed_; };
  if (limit == kNoTimeout)
    cv_.wait(lock, is_done);
  else if (!cv_.wait_for(lock, limit, is_done))
    throw_timeout(title_, limit);
  if (exception_) std::rethrow_exception(exception_);
  return true;
}

bool Message::look() {
  if (done_) return true;
  const std::lock_guard lock(mutex_);
  if (done_) return true;
  try {
    if (!request_.test()) return false;
    finish_();
  } catch (...) {
    error_ = std::current_exception();
  }
  return done_ = true;
}

void Message::wait(std::chrono::milliseconds limit) {
  constexpr int kYields = 20000;
  const auto start = Clock::now();
  for (int turns = 0; !look(); ++turns) {
    if (limit != kNoTimeout && Clock::now() - start > limit) throw_timeout(title, limit);
    if (turns < kYields)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(kPause);
  }
  if (error_) std::rethrow_exception(error_);
}

std::exception_ptr Message::error() { return done_ ? error_ : nullptr; }

MessageWork::MessageWork(std::shared_ptr<Message> message, std::shared_ptr<MessageWatch> watch)
    : Work(message->title.rank, message->title.type, message->title.name, message->tensors),
      message_(std::move(message)),
      watch_(std::move(watch)) {}

bool MessageWork::wait(std::chrono::milliseconds timeout) {
  message_->wait(timeout == kNoTimeout ? message_->title.timeout : timeout);
  std::unique_lock lock(mutex_);
  if (completed_) return true;
  lock.unlock();
  finish();
  return true;
}

c10::intrusive_ptr<Future> MessageWork::getFuture() {
  const std::lock_guard lock(mutex_);
  if (future_) return future_;
  future_ = future_of(message_->tensors);
  // The thread belongs to the watch: `this` may be gone by then.
  watch_->worker.submit([future = future_, message = message_, watch = watch_.get()] {
    while (!message->look() && !watch->is_leaving) std::this_thread::sleep_for(kPause);
    if (const auto error = message->error())
      future->setError(error);
    else if (message->look())
      future->markCompleted(c10::IValue(message->tensors));
  });
  return future_;
}

}  // namespace eh
