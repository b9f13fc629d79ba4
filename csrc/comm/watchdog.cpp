// SPDX-License-Identifier: BSD-3-Clause
#include "comm/watchdog.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <unistd.h>

#include "base/error.hpp"
#include "comm/impl.hpp"
#include "comm/shared_memory.hpp"

namespace eh {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
constexpr auto kPeriod = 50ms;
constexpr auto kDumpTime = 3s;  ///< what the other ranks get to print their stacks

std::int64_t now() { return Clock::now().time_since_epoch().count(); }
double seconds_since(std::int64_t begin) {
  return std::chrono::duration<double>(Clock::duration(now() - begin)).count();
}

/// The call one thread is in.
struct Slot {
  std::atomic<std::int64_t> since{0};
  Call call;
};

/// Leaked on purpose: the watchdog outlives static destruction.
struct Record {
  std::mutex mutex;
  std::vector<Slot*> slots;
  std::array<Call, 8> latest;
  std::uint64_t calls = 0;
};

Record& record() {
  static auto* const instance = new Record;
  return *instance;
}

Slot* own_slot() {
  thread_local Slot* const slot = [] {
    auto* made = new Slot;
    const std::lock_guard lock(record().mutex);
    record().slots.push_back(made);
    return made;
  }();
  return slot;
}

/// What ranks of one node tell each other.
struct Signals {
  std::atomic<int> asking;   ///< 1 + the rank that wants all to print their stacks
  std::atomic<int> printed;  ///< ranks that did
};

struct State {
  WatchdogOptions options;
  std::unique_ptr<SharedMemory> memory;
  Signals* signals = nullptr;
  int rank = 0;
  int size = 1;
  bool has_printed = false;
};

std::atomic<bool> running{false};
std::atomic<bool> stopped{false};

void print(const std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto n = write(STDERR_FILENO, text.data() + at, text.size() - at);
    if (n <= 0) return;
    at += static_cast<std::size_t>(n);
  }
}

/// The longest call any thread of this process is in: seconds and text.
std::pair<double, std::string> longest_call() {
  std::pair<double, std::string> longest{0, ""};
  const std::lock_guard lock(record().mutex);
  for (const Slot* slot : record().slots) {
    const auto since = slot->since.load(std::memory_order_acquire);
    if (since != 0 && seconds_since(since) > longest.first)
      longest = {seconds_since(since), text_of(slot->call)};
  }
  return longest;
}

void print_own(State& state) {
  if (std::exchange(state.has_printed, true)) return;
  const auto [seconds, call] = longest_call();
  std::string text =
      message("equiheat: rank ", state.rank, ": ",
              call.empty() ? "in no call of the library" : message("for ", seconds, " s in ", call),
              "\n  latest calls:");
  for (const std::string& latest : latest_calls()) text += "\n    " + latest;
  print(text + "\n  stacks:\n");
  if (state.options.dump_stacks != nullptr) state.options.dump_stacks();
  if (state.signals != nullptr) ++state.signals->printed;
}

void end_job(State& state, double seconds, const std::string& call) {
  int nobody = 0;
  if (state.signals != nullptr && !state.signals->asking.compare_exchange_strong(nobody, state.rank + 1))
    return;
  print(message("equiheat: rank ", state.rank, " has waited ", seconds, " s in ", call,
                "; EQUIHEAT_TIMEOUT allows ", state.options.seconds,
                " s. Every rank says where it is, then the job ends.\n"));
  print_own(state);
  const auto deadline = Clock::now() + kDumpTime;
  while (Clock::now() < deadline && (state.signals == nullptr || state.signals->printed < state.size))
    std::this_thread::sleep_for(kPeriod);
  std::this_thread::sleep_for(200ms);  // the launcher passes the lines on
  mpi_abort(state.options.exit_code);
}

void watch(State state) {
  while (!stopped) {
    std::this_thread::sleep_for(kPeriod);
    if (state.signals != nullptr && state.signals->asking != 0) print_own(state);
    const auto [seconds, call] = longest_call();
    if (seconds > state.options.seconds) end_job(state, seconds, call);
  }
}

}  // namespace

std::atomic<bool> calls_recorded{false};

void record_calls() { calls_recorded = true; }
bool watchdog_runs() { return running; }

void start_watchdog(const Communicator& comm, WatchdogOptions options) {
  EH_CHECK(options.seconds > 0, ValueError, "start_watchdog: seconds is ", options.seconds,
           "; it must be positive");
  EH_CHECK(mpi_thread_level() == "multiple", CommError,
           "start_watchdog: MPI was initialised with thread level ", mpi_thread_level(),
           "; a second thread can only end the job with \"multiple\"");
  if (running.exchange(true)) return;
  State state;
  state.options = options;
  state.rank = comm.rank();
  state.size = comm.size();
  state.memory = SharedMemory::make(MPI_Comm_f2c(comm.fortran_handle()), sizeof(Signals) + 64);
  // Behind the token that SharedMemory keeps at the beginning.
  if (state.memory) state.signals = reinterpret_cast<Signals*>(state.memory->data() + 64);
  record_calls();
  at_finalize([] { stopped = true; });
  std::thread(watch, std::move(state)).detach();
}

std::vector<std::string> latest_calls() {
  const std::lock_guard lock(record().mutex);
  const Record& r = record();
  std::vector<std::string> texts;
  const std::uint64_t n = std::min<std::uint64_t>(r.calls, r.latest.size());
  for (std::uint64_t i = r.calls - n; i < r.calls; ++i)
    texts.push_back(text_of(r.latest[i % r.latest.size()]));
  return texts;
}

void Running::start(const Call& call) {
  Slot* slot = own_slot();
  {
    const std::lock_guard lock(record().mutex);
    record().latest[record().calls++ % record().latest.size()] = call;
    slot->call = call;
  }
  slot->since.store(now(), std::memory_order_release);
  slot_ = slot;
}

void Running::stop() {
  if (slot_ != nullptr) static_cast<Slot*>(slot_)->since.store(0, std::memory_order_release);
  slot_ = nullptr;
}

}  // namespace eh
