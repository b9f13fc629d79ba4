// SPDX-License-Identifier: BSD-3-Clause
#include "ops/householder.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/eye_ops.h>
#include <ATen/ops/geqrf_ops.h>
#include <ATen/ops/linalg_qr_ops.h>
#include <ATen/ops/ormqr_ops.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "array/products.hpp"
#include "array/tensor_comm.hpp"
#include "ops/cholesky_qr.hpp"

namespace eh {
namespace {

/// Columns of a panel: wide enough for matrix products, narrow enough to spread the factorisations.
constexpr std::int64_t kPanelColumns = 64;

/// Neighbouring columns that one rank factorises.
struct ReflectorPanel {
  int owner;
  std::int64_t begin;  ///< first column, which is also the first row it changes
  std::int64_t width;
};

std::vector<ReflectorPanel> panels_of(const Layout& layout, std::int64_t columns) {
  std::vector<ReflectorPanel> panels;
  for (int rank = 0; rank < layout.nranks(); ++rank) {
    const std::int64_t end = std::min(columns, layout.offset(rank) + layout.count(rank));
    for (std::int64_t at = layout.offset(rank); at < end; at += kPanelColumns) {
      panels.push_back({rank, at, std::min(kPanelColumns, end - at)});
    }
  }
  return panels;
}

/// Applies a panel's reflections, or their adjoint, to the local columns from global column `from` on.
/// `packed` holds the reflectors as LAPACK stores them and their factors tau in one more row.
void reflect(const at::Tensor& block, const Layout& layout, int rank, const ReflectorPanel& panel,
             std::int64_t from, const at::Tensor& packed, bool adjoint) {
  const std::int64_t skip = std::clamp<std::int64_t>(from - layout.offset(rank), 0, layout.count(rank));
  const std::int64_t rows = packed.size(0) - 1;
  const at::Tensor part = block.narrow(1, skip, block.size(1) - skip).narrow(0, panel.begin, rows);
  if (part.numel() == 0) return;
  part.copy_(
      at::_ops::ormqr::call(packed.narrow(0, 0, rows), packed.select(0, rows), part, /*left=*/true, adjoint));
}

at::Tensor factorise(const at::Tensor& columns) {
  const auto [reflectors, tau] = at::_ops::geqrf::call(columns);
  const at::Tensor packed = columns.new_empty({columns.size(0) + 1, columns.size(1)});
  packed.narrow(0, 0, columns.size(0)).copy_(reflectors);
  packed.select(0, columns.size(0)).copy_(tau);
  return packed;
}

at::Tensor columns_of(const at::Tensor& block, const Layout& layout, int rank, const ReflectorPanel& panel) {
  return block.narrow(1, panel.begin - layout.offset(rank), panel.width)
      .narrow(0, panel.begin, block.size(0) - panel.begin);
}

/// Leaves r in `block` and returns the panels' reflectors where this rank owns them.
std::vector<at::Tensor> reduce_to_triangle(const at::Tensor& block, const Layout& layout,
                                           const std::vector<ReflectorPanel>& panels,
                                           const Communicator& comm) {
  std::vector<at::Tensor> reflectors;
  for (const ReflectorPanel& panel : panels) {
    const bool mine = panel.owner == comm.rank();
    at::Tensor packed = block.new_empty({block.size(0) - panel.begin + 1, panel.width});
    if (mine) packed = factorise(columns_of(block, layout, comm.rank(), panel));
    bcast(packed, panel.owner, comm);
    reflect(block, layout, comm.rank(), panel, panel.begin + panel.width, packed, /*adjoint=*/true);
    if (mine) {
      const at::Tensor own = columns_of(block, layout, comm.rank(), panel);
      own.copy_(packed.narrow(0, 0, own.size(0)).triu());
    }
    reflectors.push_back(mine ? packed : at::Tensor());
  }
  return reflectors;
}

/// The local columns of the identity.
at::Tensor identity_columns(const at::Tensor& like, std::int64_t rows, const Layout& layout, int rank) {
  at::Tensor block = like.new_zeros({rows, layout.count(rank)});
  block.diagonal(static_cast<int>(-layout.offset(rank)), 0, 1).fill_(1);
  return block;
}

/// The reflections, last panel first, on columns of the identity.
void accumulate(const at::Tensor& q, const Layout& layout, const std::vector<ReflectorPanel>& panels,
                const std::vector<at::Tensor>& reflectors, const Communicator& comm) {
  for (std::size_t i = panels.size(); i-- > 0;) {
    const ReflectorPanel& panel = panels[i];
    const bool mine = panel.owner == comm.rank();
    const at::Tensor packed = mine ? reflectors[i] : q.new_empty({q.size(0) - panel.begin + 1, panel.width});
    bcast(packed, panel.owner, comm);
    // Columns of the identity before the panel are zero in the rows it changes.
    reflect(q, layout, comm.rank(), panel, panel.begin, packed, /*adjoint=*/false);
  }
}

}  // namespace

std::tuple<at::Tensor, at::Tensor> lapack_qr(const at::Tensor& a, const char* mode) {
  const auto factors = at::_ops::linalg_qr::call(a, mode);
  if (a.scalar_type() != at::kComplexFloat || !std::get<1>(factors).isnan().any().item<bool>())
    return factors;
  const auto [q, r] = at::_ops::linalg_qr::call(a.to(at::kComplexDouble), mode);
  return {q.to(at::kComplexFloat), r.to(at::kComplexFloat)};
}

Factors tall_skinny_qr(const DNDarray& a, bool want_q) {
  if (prefers_cholesky_qr(a)) {
    if (const std::optional<Factors> found = cholesky_qr(a, want_q)) return *found;
  }
  const Layout& layout = a.layout();
  const std::int64_t n = a.shape()[1];
  const char* mode = want_q ? "reduced" : "r";
  auto [q, r] = lapack_qr(a.local(), mode);
  if (a.comm().size() > 1) {
    Counts heights;
    for (const std::int64_t rows : layout.counts()) heights.push_back(std::min(rows, n));
    auto [q2, r2] = lapack_qr(allgather(r, 0, heights, a.comm()), mode);
    const auto rank = static_cast<std::size_t>(a.comm().rank());
    if (want_q) q = matrix_product(q, q2.narrow(0, offsets_of(heights)[rank], heights[rank]));
    r = r2;
  }
  if (!want_q) q = a.local().narrow(1, 0, 0);
  return {{q, share(layout.with_shape({a.shape()[0], q.size(1)}, 0)), a.comm_ptr()},
          {r, share(Layout::replicated({n, n}, layout.nranks())), a.comm_ptr()}};
}

Factors householder_qr(const DNDarray& a, std::int64_t q_columns, std::int64_t r_rows) {
  const Layout& layout = a.layout();
  const Communicator& comm = a.comm();
  const std::int64_t m = a.shape()[0];
  const std::int64_t n = a.shape()[1];
  const at::Tensor block = a.local().clone();
  const std::vector<ReflectorPanel> panels = panels_of(layout, std::min(m, n));
  const std::vector<at::Tensor> reflectors = reduce_to_triangle(block, layout, panels, comm);
  const LayoutPtr q_layout =
      share(q_columns == n ? layout.with_shape({m, n}, 1) : Layout::balanced({m, q_columns}, 1, comm.size()));
  const at::Tensor q = identity_columns(block, m, *q_layout, comm.rank());
  if (q_columns > 0) accumulate(q, *q_layout, panels, reflectors, comm);
  return {{q, q_layout, a.comm_ptr()},
          {block.narrow(0, 0, r_rows), share(layout.with_shape({r_rows, n}, 1)), a.comm_ptr()}};
}

}  // namespace eh
