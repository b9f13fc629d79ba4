// SPDX-License-Identifier: BSD-3-Clause
#include "ops/lu.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_lu_factor_ex_ops.h>
#include <ATen/ops/linalg_solve_triangular_ops.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "array/products.hpp"
#include "array/tensor_comm.hpp"
#include "ops/selection.hpp"

namespace eh {
namespace {

/// The elimination under way.
class Elimination {
 public:
  Elimination(const at::Tensor& columns, const Cyclic& cyclic, const Communicator& comm, bool keep_lower)
      : columns_(columns), cyclic_(cyclic), comm_(comm), keep_lower_(keep_lower) {
    order_.resize(static_cast<std::size_t>(cyclic.extent()));
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
  }

  Eliminated run() {
    Panel current = begin(0);
    for (int block = 0; block < cyclic_.nblocks(); ++block) {
      current.request.wait();
      Panel next;
      if (block + 1 < cyclic_.nblocks()) {
        if (mine(block + 1)) {
          apply(current.data, block, cyclic_.local_begin(block + 1), cyclic_.width(block + 1));
        }
        next = begin(block + 1);
      }
      const std::int64_t done = cyclic_.count_before(block + 2, comm_.rank());
      apply(current.data, block, done, columns_.size(1) - done);
      if (keep_lower_) exchange_rows(block, 0, cyclic_.count_before(block, comm_.rank()));
      current = std::move(next);
    }
    return {columns_, diagonal(), order_, odd_};
  }

 private:
  bool mine(int block) const { return cyclic_.owner(block) == comm_.rank(); }

  /// The panel's factors on their way to all ranks: l and u packed as LAPACK does, and the pivots in one more row.
  Panel begin(int block) {
    if (block >= cyclic_.nblocks()) return {};
    const std::int64_t first = cyclic_.begin(block);
    const std::int64_t width = cyclic_.width(block);
    const std::int64_t rows = cyclic_.extent() - first;
    Panel panel{columns_.new_empty({rows + 1, width}), {}};
    if (mine(block)) {
      const at::Tensor own = columns_.narrow(0, first, rows).narrow(1, cyclic_.local_begin(block), width);
      // Contiguous: LAPACK reads it down the columns, which takes long where rows lie far apart.
      const auto [lu, pivots, info] =
          at::_ops::linalg_lu_factor_ex::call(own.contiguous(), /*pivot=*/true, /*check_errors=*/false);
      own.copy_(lu);
      panel.data.narrow(0, 0, rows).copy_(lu);
      panel.data.select(0, rows).copy_(pivots);
    }
    if (comm_.size() > 1) panel.request = comm_.ibcast(buffer(panel.data), cyclic_.owner(block));
    return panel;
  }

  /// Row exchanges, elimination and update of own columns [at, at + count) by a panel.
  void apply(const at::Tensor& packed, int block, std::int64_t at, std::int64_t count) {
    const std::int64_t rows = packed.size(0) - 1;
    const std::int64_t width = packed.size(1);
    if (pivoted_ < block + 1) exchange_of(packed, block);
    if (count == 0) return;
    exchange_rows(block, at, count);
    const at::Tensor part = columns_.narrow(1, at, count).narrow(0, cyclic_.begin(block), rows);
    const at::Tensor top = part.narrow(0, 0, width);
    top.copy_(at::_ops::linalg_solve_triangular::call(packed.narrow(0, 0, width), top, /*upper=*/false,
                                                      /*left=*/true, /*unitriangular=*/true));
    if (rows > width) {
      update_product(part.narrow(0, width, rows - width), packed.narrow(0, width, rows - width), top, true);
    }
  }

  /// In own columns [at, at + count), as the pivots of the latest panel demand.
  void exchange_rows(int block, std::int64_t at, std::int64_t count) {
    if (count == 0 || targets_.empty()) return;
    const std::int64_t first = cyclic_.begin(block);
    const at::Tensor part = columns_.narrow(1, at, count).narrow(0, first, columns_.size(0) - first);
    const at::Tensor moved = part.index_select(0, index_tensor(sources_, part));
    part.index_copy_(0, index_tensor(targets_, part), moved);
  }

  /// The rows that a panel's pivots move, and from where.
  void exchange_of(const at::Tensor& packed, int block) {
    const at::Tensor pivots = packed.select(0, packed.size(0) - 1);
    const at::Tensor rounded =
        (pivots.is_complex() ? at::Tensor(pivots.abs()) : pivots).to(at::kCPU, at::kLong).contiguous();
    const std::int64_t* pivot = rounded.const_data_ptr<std::int64_t>();
    std::vector<std::int64_t> rows(static_cast<std::size_t>(packed.size(0) - 1));
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    for (std::int64_t i = 0; i < rounded.numel(); ++i) {
      if (pivot[i] == i + 1) continue;
      std::swap(rows[static_cast<std::size_t>(i)], rows[static_cast<std::size_t>(pivot[i] - 1)]);
      odd_ = !odd_;
    }
    const auto moved = order_.begin() + cyclic_.begin(block);
    const std::vector<std::int64_t> before(moved, order_.end());
    std::transform(rows.begin(), rows.end(), moved,
                   [&](std::int64_t row) { return before[static_cast<std::size_t>(row)]; });
    targets_.clear();
    sources_.clear();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] == static_cast<std::int64_t>(i)) continue;
      targets_.push_back(static_cast<std::int64_t>(i));
      sources_.push_back(rows[i]);
    }
    pivoted_ = block + 1;
  }

  at::Tensor diagonal() const {
    const at::Tensor all = columns_.new_empty({cyclic_.count(comm_.rank())});
    for (int block = comm_.rank(); block < cyclic_.nblocks(); block += comm_.size()) {
      const std::int64_t width = cyclic_.width(block);
      const at::Tensor own = columns_.narrow(1, cyclic_.local_begin(block), width);
      all.narrow(0, cyclic_.local_begin(block), width)
          .copy_(own.narrow(0, cyclic_.begin(block), width).diagonal());
    }
    return all;
  }

  const at::Tensor& columns_;
  const Cyclic& cyclic_;
  const Communicator& comm_;
  bool keep_lower_;
  std::vector<std::int64_t> order_;
  std::vector<std::int64_t> targets_;
  std::vector<std::int64_t> sources_;
  int pivoted_ = 0;  ///< panels whose row exchanges are known
  bool odd_ = false;
};

/// Panel `block` of a triangular matrix, on its way to all ranks.
Panel send_panel(const at::Tensor& columns, const Cyclic& cyclic, bool upper, int block,
                 const Communicator& comm) {
  const std::int64_t width = cyclic.width(block);
  const std::int64_t first = upper ? 0 : cyclic.begin(block);
  const std::int64_t rows = (upper ? cyclic.begin(block) + width : cyclic.extent()) - first;
  Panel panel;
  if (cyclic.owner(block) == comm.rank()) {
    panel.data = columns.narrow(1, cyclic.local_begin(block), width).narrow(0, first, rows).contiguous();
  } else {
    panel.data = columns.new_empty({rows, width});
  }
  if (comm.size() > 1) panel.request = comm.ibcast(buffer(panel.data), cyclic.owner(block));
  return panel;
}

void substitute_panel(const at::Tensor& panel, std::int64_t first, const Triangle& triangle,
                      const at::Tensor& rhs) {
  const std::int64_t width = panel.size(1);
  const std::int64_t rest = panel.size(0) - width;
  const at::Tensor x = rhs.narrow(0, first, width);
  x.copy_(at::_ops::linalg_solve_triangular::call(panel.narrow(0, triangle.upper ? rest : 0, width), x,
                                                  triangle.upper, /*left=*/true, triangle.unit));
  if (rest == 0) return;
  update_product(rhs.narrow(0, triangle.upper ? 0 : first + width, rest),
                 panel.narrow(0, triangle.upper ? 0 : width, rest), x, true);
}

/// Panel after panel, each of the first active(block) right-hand sides.
template <typename Active>
void substitute_active(const at::Tensor& columns, const Cyclic& cyclic, const Triangle& triangle,
                       const at::Tensor& rhs, const Active& active, const Communicator& comm) {
  const int blocks = cyclic.nblocks();
  const auto block_at = [&](int step) { return triangle.upper ? blocks - 1 - step : step; };
  Panel current;
  if (blocks > 0) current = send_panel(columns, cyclic, triangle.upper, block_at(0), comm);
  for (int step = 0; step < blocks; ++step) {
    current.request.wait();
    Panel next;
    if (step + 1 < blocks) next = send_panel(columns, cyclic, triangle.upper, block_at(step + 1), comm);
    const int block = block_at(step);
    const std::int64_t count = active(block);
    if (count > 0) substitute_panel(current.data, cyclic.begin(block), triangle, rhs.narrow(1, 0, count));
    current = std::move(next);
  }
}

}  // namespace

Cyclic elimination_panels(std::int64_t order, int ranks) {
  const std::int64_t wide = 2 * linalg_tuning().width;
  return {order, order >= 6 * ranks * wide ? wide : linalg_tuning().width, ranks};
}

Eliminated eliminate(const at::Tensor& columns, const Cyclic& cyclic, const Communicator& comm,
                     bool keep_lower) {
  return Elimination(columns, cyclic, comm, keep_lower).run();
}

void substitute(const at::Tensor& columns, const Cyclic& cyclic, const Triangle& triangle,
                const at::Tensor& rhs, const Communicator& comm) {
  substitute_active(columns, cyclic, triangle, rhs, [&](int) { return rhs.size(1); }, comm);
}

void substitute_from(const at::Tensor& columns, const Cyclic& cyclic, const at::Tensor& rhs,
                     const std::vector<std::int64_t>& starts, const Communicator& comm) {
  const auto active = [&](int block) {
    const std::int64_t end = cyclic.begin(block) + cyclic.width(block);
    return std::lower_bound(starts.begin(), starts.end(), end) - starts.begin();
  };
  substitute_active(columns, cyclic, {/*upper=*/false, /*unit=*/true}, rhs, active, comm);
}

}  // namespace eh
