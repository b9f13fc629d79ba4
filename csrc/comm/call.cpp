// SPDX-License-Identifier: BSD-3-Clause
#include "comm/call.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <type_traits>

#include "base/error.hpp"

namespace eh {
namespace {

static_assert(std::is_trivially_copyable_v<Call> && sizeof(Call) == 80);

struct Noted {
  const std::int64_t* shape = nullptr;
  std::size_t axes = 0;
};
thread_local Noted noted;

std::atomic<std::string (*)()> hook_of_location{nullptr};
thread_local const std::string* noted_location = nullptr;

bool is_message(CallKind kind) { return kind >= CallKind::Send; }

std::string shape_text(const Call& call) {
  std::string text;
  for (int axis = 0; axis < call.axes; ++axis)
    text += (axis == 0 ? "" : ", ") + std::to_string(call.shape[axis]);
  return ", shape (" + text + (call.axes == 1 ? ",)" : ")");
}

}  // namespace

const char* name_of(CallKind kind) {
  constexpr const char* names[] = {
      "barrier", "allreduce", "reduce",   "bcast",    "allgather", "allgatherv",     "gather",
      "gatherv", "scatter",   "scatterv", "alltoall", "alltoallv", "reduce_scatter", "scan",
      "exscan",  "dup",       "split",    "exchange", "send",      "recv",           "sendrecv"};
  return names[static_cast<std::size_t>(kind)];
}

Call& Call::of(ConstBuffer buffer) {
  dtype = static_cast<std::int16_t>(buffer.dtype);
  count = buffer.count;
  if (noted.shape != nullptr && noted.axes <= kMostAxes) {
    axes = static_cast<std::int16_t>(noted.axes);
    std::copy_n(noted.shape, noted.axes, shape);
  }
  return *this;
}

Call& Call::typed(DType type) {
  dtype = static_cast<std::int16_t>(type);
  return *this;
}

Call& Call::with(ReduceOp reduce_op) {
  op = static_cast<std::int16_t>(reduce_op);
  return *this;
}

Call& Call::at(int rank) {
  root = rank;
  return *this;
}

Call& Call::with(const Counts& per_rank) {
  counts = 1469598103934665603ull;  // FNV-1a over whole numbers
  for (const auto n : per_rank) counts = (counts ^ static_cast<std::uint64_t>(n)) * 1099511628211ull;
  // Parts, and with them the shape of a rank's own one, may differ from rank to rank.
  count = axes = kNone;
  std::fill_n(shape, kMostAxes, 0);
  return *this;
}

bool Call::operator==(const Call& other) const { return std::memcmp(this, &other, sizeof(Call)) == 0; }

std::string text_of(const Call& call) {
  std::string arguments;
  if (call.dtype >= 0) arguments += std::string(", ") + std::string(name_of(static_cast<DType>(call.dtype)));
  if (call.count >= 0)
    arguments += ", " + std::to_string(call.count) + (call.count == 1 ? " element" : " elements");
  if (call.axes >= 0) arguments += shape_text(call);
  if (call.op >= 0) arguments += std::string(", ") + name_of(static_cast<ReduceOp>(call.op));
  if (call.root != Call::kNone)
    arguments += (is_message(call.kind) ? ", peer " : ", root ") + std::to_string(call.root);
  if (!arguments.empty()) arguments.erase(0, 2);
  return (call.nonblocking ? "i" : "") + std::string(name_of(call.kind)) + "(" + arguments + ")";
}

ShapeNote::ShapeNote(const std::int64_t* shape, std::size_t axes) { noted = {shape, axes}; }
ShapeNote::~ShapeNote() { noted = {}; }

void set_location_hook(std::string (*hook)()) { hook_of_location = hook; }

LocationNote::LocationNote(const std::string& line) { noted_location = &line; }
LocationNote::~LocationNote() { noted_location = nullptr; }

std::string location() {
  if (noted_location != nullptr) return *noted_location;
  const auto hook = hook_of_location.load();
  return hook == nullptr ? "" : hook();
}

}  // namespace eh
