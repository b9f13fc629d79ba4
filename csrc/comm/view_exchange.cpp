// SPDX-License-Identifier: BSD-3-Clause
#include "comm/view_exchange.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "comm/arguments.hpp"
#include "comm/impl.hpp"
#include "comm/rings.hpp"

namespace eh {
namespace {

/// The largest tag every MPI has: messages between two ranks that a user sends have small ones.
constexpr int kTag = 32767;
/// Bytes of one message: MPI's counts are int.
constexpr std::int64_t kMessage = 1 << 30;

template <typename Side, typename Init>
Side make_side(const Counts& bytes, int self, const Init& init) {
  Side side;
  side.buffers.resize(bytes.size());
  for (std::size_t rank = 0; rank < bytes.size(); ++rank) {
    if (static_cast<int>(rank) == self || bytes[rank] == 0) continue;
    auto& buffer = side.buffers[rank];
    buffer.resize(static_cast<std::size_t>(bytes[rank]));
    for (std::int64_t at = 0; at < bytes[rank]; at += kMessage) {
      side.requests.push_back(MPI_REQUEST_NULL);
      init(buffer.data() + at, static_cast<int>(std::min(kMessage, bytes[rank] - at)), static_cast<int>(rank),
           &side.requests.back());
    }
  }
  return side;
}

}  // namespace

struct ViewExchange::Impl {
  /// Packed memory for each rank, and the requests that send or fill it.
  struct Side {
    std::vector<std::vector<std::byte>> buffers;
    std::vector<MPI_Request> requests;
  };

  std::shared_ptr<const Communicator> comm;
  Counts send_bytes;
  Counts recv_bytes;
  Counts send_items;  ///< elements, as checked mode compares them
  Counts recv_items;
  DType dtype;
  Call call{CallKind::Alltoallv};
  bool under_way = false;
  std::optional<RingExchange> ring;  ///< while under way, where the ranks share memory
  std::vector<Stream> targets;       ///< what finish() unpacks into, where they do not
  Side out;
  Side in;

  const Communicator::Impl& ranks() const { return *comm->impl_; }

  void prepare_messages() {
    const MPI_Comm handle = ranks().comm();
    out = make_side<Side>(send_bytes, ranks().rank,
                          [&](std::byte* data, int n, int peer, MPI_Request* request) {
                            EH_MPI(MPI_Send_init(data, n, MPI_BYTE, peer, kTag, handle, request));
                          });
    in = make_side<Side>(recv_bytes, ranks().rank,
                         [&](std::byte* data, int n, int peer, MPI_Request* request) {
                           EH_MPI(MPI_Recv_init(data, n, MPI_BYTE, peer, kTag, handle, request));
                         });
  }

  static void start_all(std::vector<MPI_Request>& requests) {
    if (!requests.empty()) EH_MPI(MPI_Startall(static_cast<int>(requests.size()), requests.data()));
  }

  void start_messages(const std::vector<Stream>& sends) {
    if (in.buffers.empty()) prepare_messages();
    start_all(in.requests);
    for (std::size_t rank = 0; rank < sends.size(); ++rank) {
      std::byte* to = out.buffers[rank].data();
      if (out.buffers[rank].empty()) continue;
      for (const StridedView& view : sends[rank]) {
        view.pack(0, view.bytes(), to);
        to += view.bytes();
      }
    }
    start_all(out.requests);
  }

  void finish_messages() {
    // One by one: MPI_Waitall would only say that some status holds an error.
    for (Side* side : {&in, &out})
      for (MPI_Request& request : side->requests) EH_MPI(MPI_Wait(&request, MPI_STATUS_IGNORE));
    for (std::size_t rank = 0; rank < targets.size(); ++rank) {
      const std::byte* from = in.buffers[rank].data();
      if (in.buffers[rank].empty()) continue;
      for (const StridedView& view : targets[rank]) {
        view.unpack(0, view.bytes(), from);
        from += view.bytes();
      }
    }
    targets.clear();
  }

  void start_ring(const std::vector<Stream>& sends, const std::vector<Stream>& recvs) {
    ring.emplace(*ranks().node, Node::Started, sends, recvs);
    auto& queue = ranks().node->started();
    queue.push_back(&*ring);
    // Behind others nothing can be sent yet.
    while (queue.size() == 1 && ring->advance()) {
    }
  }

  /// Those started before come first: they share the rings.
  void finish_ring() {
    auto& queue = ranks().node->started();
    while (!queue.empty()) {
      RingExchange* const oldest = queue.front();
      oldest->complete();
      queue.pop_front();
      if (oldest == &*ring) break;
    }
    ring.reset();
  }

  void finish() {
    if (!std::exchange(under_way, false)) return;
    Running running;
    if (calls_recorded.load(std::memory_order_relaxed)) running.start(call);
    if (!ring) return finish_messages();
    if (std::find(ranks().node->started().begin(), ranks().node->started().end(), &*ring) !=
        ranks().node->started().end())
      finish_ring();
    ring.reset();
  }

  ~Impl() {
    try {
      if (mpi_finalized()) return;
      finish();
      for (Side* side : {&in, &out})
        for (MPI_Request& request : side->requests) MPI_Request_free(&request);
    } catch (...) {  // an error nobody waited for has no one left to go to
    }
  }
};

ViewExchange::ViewExchange(std::shared_ptr<const Communicator> comm, Counts send_bytes, Counts recv_bytes,
                           DType dtype)
    : impl_(std::make_unique<Impl>()) {
  const auto self = static_cast<std::size_t>(comm->rank());
  check_counts("exchange", "send_bytes", send_bytes, comm->size());
  check_counts("exchange", "recv_bytes", recv_bytes, comm->size());
  send_bytes[self] = recv_bytes[self] = 0;
  const auto items = [&](Counts counts) {
    for (std::int64_t& n : counts) n /= static_cast<std::int64_t>(size_of(dtype));
    return counts;
  };
  impl_->send_items = items(send_bytes);
  impl_->recv_items = items(recv_bytes);
  impl_->send_bytes = std::move(send_bytes);
  impl_->recv_bytes = std::move(recv_bytes);
  impl_->comm = std::move(comm);
  impl_->dtype = dtype;
  impl_->call.typed(dtype);
}

ViewExchange::~ViewExchange() = default;

void ViewExchange::start(const std::vector<Stream>& sends, const std::vector<Stream>& recvs) {
  EH_CHECK(!impl_->under_way, CommError, "exchange: started again before it was finished");
  const auto& ranks = impl_->ranks();
  Flight flight(Flight::Blocking);
  announce(flight, ranks, [&] { return impl_->call; }, {&impl_->send_items, &impl_->recv_items});
  impl_->under_way = true;
  if (ranks.node == nullptr) {
    impl_->targets = recvs;
    impl_->start_messages(sends);
  } else {
    impl_->start_ring(sends, recvs);
  }
  flight.complete();
}

void ViewExchange::finish() { impl_->finish(); }
bool ViewExchange::is_under_way() const { return impl_->under_way; }

}  // namespace eh
