// SPDX-License-Identifier: BSD-3-Clause
#include "array/halo.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <mutex>

#include "array/tensor_comm.hpp"
#include "base/error.hpp"

namespace eh {
namespace {

using Streams = std::vector<std::vector<StridedView>>;

/// Rows [begin, begin + length) of a block, as memory.
StridedView view_of(const at::Tensor& block, int axis, std::int64_t begin, std::int64_t length) {
  const auto item = static_cast<std::int64_t>(block.element_size());
  std::vector<std::int64_t> shape = block.sizes().vec();
  std::vector<std::int64_t> strides = block.strides().vec();
  for (std::int64_t& stride : strides) stride *= item;
  shape[static_cast<std::size_t>(axis)] = length;
  auto* const data = static_cast<std::byte*>(const_cast<void*>(block.const_data_ptr()));
  return {data + begin * strides[static_cast<std::size_t>(axis)], static_cast<std::size_t>(item),
          std::move(shape), std::move(strides)};
}

Streams streams_of(const at::Tensor& block, int axis, const std::vector<Transfer>& transfers, int size,
                   int self) {
  Streams streams(static_cast<std::size_t>(size));
  if (block.numel() == 0) return streams;
  for (const Transfer& t : transfers)
    if (t.peer != self)
      streams[static_cast<std::size_t>(t.peer)].push_back(view_of(block, axis, t.begin, t.length));
  return streams;
}

std::vector<Part> parts_of(const at::Tensor& block, int axis, const std::vector<Transfer>& transfers) {
  std::vector<Part> parts;
  for (const Transfer& t : transfers) parts.push_back({t.peer, block.narrow(axis, t.begin, t.length)});
  return parts;
}

Counts bytes_of(const std::vector<Transfer>& transfers, std::int64_t row_bytes, int size) {
  Counts bytes(static_cast<std::size_t>(size), 0);
  for (const Transfer& t : transfers) bytes[static_cast<std::size_t>(t.peer)] += t.length * row_bytes;
  return bytes;
}

/// The rows of [0, rows) that no transfer fills.
std::vector<Window> gaps_between(std::vector<Transfer> transfers, std::int64_t rows) {
  std::sort(transfers.begin(), transfers.end(),
            [](const Transfer& a, const Transfer& b) { return a.begin < b.begin; });
  std::vector<Window> gaps;
  std::int64_t at = 0;
  for (const Transfer& t : transfers) {
    if (t.begin > at) gaps.push_back({at, t.begin});
    at = t.begin + t.length;
  }
  if (at < rows) gaps.push_back({at, rows});
  return gaps;
}

/// Exchanges at rest, the latest used last. Never destroyed: MPI may be gone by then.
struct Shelf {
  static constexpr std::size_t kMost = 8;
  std::mutex mutex;
  std::deque<std::shared_ptr<HaloExchange>> kept;
};

Shelf& shelf() {
  static Shelf& one = *new Shelf;
  return one;
}

}  // namespace

HaloExchange::HaloExchange(LayoutPtr layout, std::int64_t before, std::int64_t after, Beyond beyond,
                           CommPtr comm, DType dtype)
    : layout_(std::move(layout)),
      before_(before),
      after_(after),
      beyond_(beyond),
      comm_(std::move(comm)),
      dtype_(dtype) {
  const RowPlan rows = plan_halo_rows(layout_->counts(), before, after, beyond.boundary);
  plan_ = plan_moves(rows.from, rows.to, rows.moves, comm_->rank());
  others_ = gaps_between(plan_.recvs, before + after);
  const auto extent = layout_->gshape()[static_cast<std::size_t>(layout_->split())];
  const std::int64_t row_bytes =
      extent == 0 ? 0 : layout_->size() / extent * static_cast<std::int64_t>(size_of(dtype));
  views_.emplace(comm_, bytes_of(plan_.sends, row_bytes, comm_->size()),
                 bytes_of(plan_.recvs, row_bytes, comm_->size()), dtype);
}

/// What lies beyond the ends of the axis, which no rank sends.
void HaloExchange::fill_other_rows() {
  const double fill = beyond_.boundary == Boundary::Fill ? beyond_.fill : 0;
  for (const Window& rows : others_) {
    if (fill == 0 && rows_.is_cpu() && layout_->split() == 0 && rows_.numel() > 0) {
      const std::size_t row = rows_.nbytes() / static_cast<std::size_t>(before_ + after_);
      std::memset(
          static_cast<std::byte*>(rows_.mutable_data_ptr()) + static_cast<std::size_t>(rows.begin) * row, 0,
          static_cast<std::size_t>(rows.end - rows.begin) * row);
    } else {
      rows_.narrow(layout_->split(), rows.begin, rows.end - rows.begin).fill_(fill);
    }
  }
}

void HaloExchange::start(const at::Tensor& local) {
  EH_CHECK(!is_under_way(), CommError, "halo: started again before it was finished");
  const int axis = layout_->split();
  Shape shape = shape_of(local);
  shape[static_cast<std::size_t>(axis)] = before_ + after_;
  local_ = local.detach().resolve_conj().resolve_neg();
  rows_ = std::exchange(spare_, at::Tensor());
  const bool reusable = rows_.defined() && rows_.use_count() == 1 && rows_.storage().use_count() == 1 &&
                        rows_.scalar_type() == local_.scalar_type() && rows_.device() == local_.device();
  if (!reusable) rows_ = local_.new_empty(sizes(shape));
  fill_other_rows();
  if (local_.is_cpu())
    views_->start(streams_of(local_, axis, plan_.sends, comm_->size(), comm_->rank()),
                  streams_of(rows_, axis, plan_.recvs, comm_->size(), comm_->rank()));
}

void HaloExchange::copy_own_rows() {
  const int self = comm_->rank();
  std::size_t s = 0;
  for (const Transfer& t : plan_.recvs) {
    if (t.peer != self) continue;
    while (plan_.sends[s].peer != self) ++s;
    rows_.narrow(layout_->split(), t.begin, t.length)
        .copy_(local_.narrow(layout_->split(), plan_.sends[s].begin, t.length));
    ++s;
  }
}

std::pair<at::Tensor, at::Tensor> HaloExchange::finish() {
  EH_CHECK(is_under_way(), CommError, "halo: finished without having been started");
  const int axis = layout_->split();
  if (local_.is_cpu()) {
    views_->finish();
    copy_own_rows();
  } else {
    exchange(parts_of(local_, axis, plan_.sends), parts_of(rows_, axis, plan_.recvs), false, local_, *comm_);
  }
  spare_ = std::exchange(rows_, at::Tensor());
  local_ = at::Tensor();
  return {spare_.narrow(axis, 0, before_), spare_.narrow(axis, before_, after_)};
}

bool HaloExchange::serves(const Layout& layout, std::int64_t before, std::int64_t after, const Beyond& beyond,
                          const Communicator& comm, DType dtype) const {
  const bool same_fill = beyond.boundary != Boundary::Fill || beyond.fill == beyond_.fill;
  return before == before_ && after == after_ && beyond.boundary == beyond_.boundary && same_fill &&
         &comm == comm_.get() && dtype == dtype_ && (&layout == layout_.get() || layout == *layout_);
}

std::shared_ptr<HaloExchange> halo_exchange_for(const DNDarray& x, std::int64_t before, std::int64_t after,
                                                const Beyond& beyond) {
  const DType dtype = dtype_of(x.local().scalar_type());
  const std::lock_guard lock(shelf().mutex);
  auto& kept = shelf().kept;
  for (std::size_t i = kept.size(); i-- > 0;) {
    if (kept[i]->is_under_way() || !kept[i]->serves(x.layout(), before, after, beyond, x.comm(), dtype))
      continue;
    auto found = kept[i];
    kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(i));
    kept.push_back(found);
    return found;
  }
  auto made = std::make_shared<HaloExchange>(x.layout_ptr(), before, after, beyond, x.comm_ptr(), dtype);
  kept.push_back(made);
  if (kept.size() > Shelf::kMost) kept.pop_front();
  return made;
}

}  // namespace eh
