// SPDX-License-Identifier: BSD-3-Clause
#include <sstream>

#include "array/creation.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"

namespace eh {
namespace {

constexpr std::size_t kMaxAxes = 32;
constexpr std::int64_t kNoBlock = -1;

/// What one rank brings. Plain numbers: goes through an allgather.
struct Record {
  std::int64_t ndim;  ///< kNoBlock if the rank could not make its block
  std::int64_t dtype;
  std::int64_t grad;
  std::int64_t split;  ///< as the caller gave it
  std::int64_t extent[kMaxAxes];
};
constexpr std::int64_t kFields = sizeof(Record) / sizeof(std::int64_t);

Record record_of(const std::optional<at::Tensor>& block, int split) {
  Record r{kNoBlock, 0, 0, split, {}};
  if (!block || block->dim() > static_cast<std::int64_t>(kMaxAxes)) return r;
  r.ndim = block->dim();
  r.dtype = static_cast<std::int64_t>(dtype_of(block->scalar_type()));
  r.grad = block->requires_grad();
  std::copy(block->sizes().begin(), block->sizes().end(), r.extent);
  return r;
}

std::vector<Record> gather(const Record& mine, const Communicator& comm) {
  std::vector<Record> all(static_cast<std::size_t>(comm.size()));
  comm.allgather({&mine, kFields, DType::Int64}, {all.data(), kFields * comm.size(), DType::Int64});
  return all;
}

Shape shape_of_record(const Record& r) { return {r.extent, r.extent + r.ndim}; }

std::string shapes_of(const std::vector<Record>& records) {
  std::ostringstream out;
  for (std::size_t rank = 0; rank < records.size(); ++rank)
    out << (rank ? ", " : "") << to_string(shape_of_record(records[rank])) << " on rank " << rank;
  return out.str();
}

bool fits(const Record& a, const Record& b, int split) {
  if (a.ndim != b.ndim || a.grad != b.grad) return false;
  for (int axis = 0; axis < a.ndim; ++axis)
    if (axis != split && a.extent[axis] != b.extent[axis]) return false;
  return true;
}

/// Throws unless the blocks form one array; the axis in [0, ndim). Same outcome on every rank.
int check(const std::vector<Record>& records, int split) {
  for (std::size_t rank = 0; rank < records.size(); ++rank)
    EH_CHECK(records[rank].ndim != kNoBlock, ValueError, "array: rank ", rank,
             " could not make its block for is_split");
  const Record& first = records.front();
  for (std::size_t rank = 0; rank < records.size(); ++rank)
    EH_CHECK(records[rank].split == first.split, ValueError,
             "array: is_split must be the same on all ranks, is ", first.split, " on rank 0, ",
             records[rank].split, " on rank ", rank);
  const bool in_range = -first.ndim <= split && split < first.ndim;
  const int axis = split < 0 ? split + static_cast<int>(first.ndim) : split;
  EH_CHECK(in_range, ValueError, "array: is_split ", split, " is out of bounds for ", first.ndim,
           "-dimensional blocks");
  for (const Record& r : records)
    EH_CHECK(fits(first, r, axis), ValueError, "array: blocks for is_split=", split,
             " must agree in number of axes, in every other extent and in requires_grad; got ",
             shapes_of(records));
  return axis;
}

/// Empty blocks have no say: an empty list is float32 whatever the others hold. Unless all are empty.
DType common_dtype(const std::vector<Record>& records) {
  std::optional<DType> dtype;
  for (const bool take_empty : {false, true}) {
    for (const Record& r : records) {
      if (!take_empty && numel(shape_of_record(r)) == 0) continue;
      const auto own = static_cast<DType>(r.dtype);
      dtype = dtype ? promote(*dtype, own) : own;
    }
    if (dtype) break;
  }
  return *dtype;
}

}  // namespace

DNDarray from_blocks(const std::optional<at::Tensor>& block, int split, const CommPtr& comm) {
  const std::vector<Record> records = gather(record_of(block, split), *comm);
  const int axis = check(records, split);
  Counts counts;
  for (const Record& r : records) counts.push_back(r.extent[axis]);
  Shape shape = shape_of(*block);
  shape[static_cast<std::size_t>(axis)] = offsets_of(counts).back();
  const LayoutPtr layout = share(Layout::with_counts(std::move(shape), axis, std::move(counts)));
  return {block->to(scalar_type_of(common_dtype(records))), layout, comm};
}

}  // namespace eh
