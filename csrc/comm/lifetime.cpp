// SPDX-License-Identifier: BSD-3-Clause
#include "comm/lifetime.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

#include "base/error.hpp"

namespace eh {
namespace {

/// Leaked on purpose: Python may drop a communicator after static destruction.
struct Registry {
  std::mutex mutex;
  std::vector<void (*)()> hooks;
  std::vector<CommHandle*> handles;  // in order of creation, so that all ranks free in the same order
};

Registry& registry() {
  static auto* const instance = new Registry;
  return *instance;
}

int run_hooks(MPI_Comm, int, void*, void*) {
  std::vector<void (*)()> hooks;
  {
    const std::lock_guard lock(registry().mutex);
    hooks.swap(registry().hooks);
  }
  std::for_each(hooks.rbegin(), hooks.rend(), [](auto hook) { hook(); });
  return MPI_SUCCESS;
}

/// MPI_Finalize deletes the attributes of MPI_COMM_SELF before anything else.
void attach_to_self() {
  int key = MPI_KEYVAL_INVALID;
  EH_MPI(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, run_hooks, &key, nullptr));
  EH_MPI(MPI_Comm_set_attr(MPI_COMM_SELF, key, nullptr));
  EH_MPI(MPI_Comm_free_keyval(&key));
}

}  // namespace

void at_finalize(void (*hook)()) {
  static std::once_flag attached;
  std::call_once(attached, attach_to_self);
  const std::lock_guard lock(registry().mutex);
  registry().hooks.push_back(hook);
}

void run_finalize_hooks() { run_hooks(MPI_COMM_NULL, MPI_KEYVAL_INVALID, nullptr, nullptr); }

CommHandle::CommHandle(MPI_Comm owned) : comm_(owned) {
  static std::once_flag hooked;
  std::call_once(hooked, [] { at_finalize(free_all); });
  EH_MPI(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN));
  const std::lock_guard lock(registry().mutex);
  registry().handles.push_back(this);
}

CommHandle::~CommHandle() {
  const std::lock_guard lock(registry().mutex);
  std::erase(registry().handles, this);
  free();
}

MPI_Comm CommHandle::get() const {
  EH_CHECK(comm_ != MPI_COMM_NULL, CommError, "communicator: used after MPI_Finalize");
  return comm_;
}

void CommHandle::free_all() {
  const std::lock_guard lock(registry().mutex);
  auto& handles = registry().handles;
  std::for_each(handles.rbegin(), handles.rend(), [](CommHandle* handle) { handle->free(); });
  handles.clear();
}

void CommHandle::free() {
  int finalized = 0;
  if (comm_ != MPI_COMM_NULL && MPI_Finalized(&finalized) == MPI_SUCCESS && !finalized) MPI_Comm_free(&comm_);
  comm_ = MPI_COMM_NULL;
}

}  // namespace eh
