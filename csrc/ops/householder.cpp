// SPDX-License-Identifier: BSD-3-Clause
#include "ops/householder.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/geqrf_ops.h>
#include <ATen/ops/linalg_qr_ops.h>
#include <ATen/ops/linalg_solve_triangular_ops.h>

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "array/products.hpp"
#include "array/tensor_comm.hpp"
#include "ops/cholesky_qr.hpp"
#include "ops/dealt.hpp"

namespace eh {
namespace {

/// Columns of a panel: wide enough for matrix products, narrow enough to spread the factorisations.
constexpr std::int64_t kPanelColumns = 64;

/// LAPACK's, which in complex64 has no number for a column that depends on others.
std::tuple<at::Tensor, at::Tensor> lapack_reflectors(const at::Tensor& a) {
  const auto found = at::_ops::geqrf::call(a);
  if (a.scalar_type() != at::kComplexFloat) return found;
  const auto& [reflectors, tau] = found;
  if (!tau.isnan().any().item<bool>() && !reflectors.isnan().any().item<bool>()) return found;
  const auto [wide, factors] = at::_ops::geqrf::call(a.to(at::kComplexDouble));
  return {wide.to(at::kComplexFloat), factors.to(at::kComplexFloat)};
}

/// A reduction to triangular form under way, on columns dealt out in turn, and what becomes of the identity. A panel is
/// factorised while the one before it is still applied to the columns behind.
class Reflections {
 public:
  Reflections(const at::Tensor& columns, const Cyclic& cyclic, const Communicator& comm)
      : columns_(columns), cyclic_(cyclic), comm_(comm) {
    while (panels_ < cyclic.nblocks() && width(panels_) > 0) ++panels_;
  }

  /// Leaves r in the columns.
  void reduce() {
    Panel current = factorise(0);
    for (int block = 0; block < panels_; ++block) {
      current.request.wait();
      const BlockReflector reflector(current.data);
      const bool last = block + 1 == panels_;
      if (!last && mine(block + 1))
        apply(reflector, block, cyclic_.local_begin(block + 1), full_width(block + 1));
      Panel next = factorise(block + 1);
      const std::int64_t done = last ? behind(block) : cyclic_.count_before(block + 2, comm_.rank());
      apply(reflector, block, done, columns_.size(1) - done);
      current = std::move(next);
    }
  }

  /// The reflections, last panel first, on columns of the identity.
  at::Tensor accumulate(const Cyclic& dealt) {
    const at::Tensor q = columns_.new_zeros({columns_.size(0), dealt.count(comm_.rank())});
    for (int block = comm_.rank(); block < dealt.nblocks(); block += comm_.size())
      q.narrow(1, dealt.local_begin(block), dealt.width(block))
          .narrow(0, dealt.begin(block), dealt.width(block))
          .diagonal()
          .fill_(1);
    Panel current = send(panels_ - 1);
    for (int block = panels_; block-- > 0;) {
      current.request.wait();
      Panel next = send(block - 1);
      // Columns of the identity before the panel are zero in the rows it changes.
      const std::int64_t before = dealt.count_before(block, comm_.rank());
      const at::Tensor part =
          q.narrow(1, before, q.size(1) - before).narrow(0, cyclic_.begin(block), height(block));
      if (part.numel() > 0) BlockReflector(current.data).apply(part, /*adjoint=*/false);
      current = std::move(next);
    }
    return q;
  }

 private:
  /// 1 - v t v^H of reflectors in the columns of v, whose factors tau are one more row.
  class BlockReflector {
   public:
    explicit BlockReflector(const at::Tensor& packed) : v_(packed.narrow(0, 0, packed.size(0) - 1)) {
      const at::Tensor tau = packed.select(0, packed.size(0) - 1);
      // The inverse of t has 1 / tau on the diagonal and the products of the vectors above it.
      inverse_ = matrix_product(v_.mH(), v_).triu(1);
      inverse_.diagonal().copy_(tau.where(tau.ne(0), tau.new_ones({})).reciprocal());
    }
    void apply(const at::Tensor& part, bool adjoint) const {
      const at::Tensor inner = at::_ops::linalg_solve_triangular::call(adjoint ? inverse_.mH() : inverse_,
                                                                       matrix_product(v_.mH(), part),
                                                                       /*upper=*/!adjoint, /*left=*/true,
                                                                       /*unitriangular=*/false);
      update_product(part, v_, inner, true);
    }

   private:
    at::Tensor v_, inverse_;
  };

  bool mine(int block) const { return cyclic_.owner(block) == comm_.rank(); }
  std::int64_t full_width(int block) const { return cyclic_.width(block); }
  /// Columns of a block that are reduced; their number is that of the rows at most.
  std::int64_t width(int block) const {
    return std::min(full_width(block), columns_.size(0) - cyclic_.begin(block));
  }
  std::int64_t height(int block) const { return columns_.size(0) - cyclic_.begin(block); }
  /// Own columns up to a panel's last.
  std::int64_t behind(int block) const {
    return mine(block) ? cyclic_.local_begin(block) + width(block)
                       : cyclic_.count_before(block, comm_.rank());
  }

  void apply(const BlockReflector& reflector, int block, std::int64_t begin, std::int64_t count) const {
    if (count > 0)
      reflector.apply(columns_.narrow(1, begin, count).narrow(0, cyclic_.begin(block), height(block)),
                      /*adjoint=*/true);
  }

  Panel factorise(int block) {
    if (block >= panels_) return {};
    at::Tensor packed;
    if (mine(block)) {
      const at::Tensor own = columns_.narrow(1, cyclic_.local_begin(block), width(block))
                                 .narrow(0, cyclic_.begin(block), height(block));
      // Contiguous: LAPACK reads it down the columns, which takes long where rows lie far apart.
      const auto [reflectors, tau] = lapack_reflectors(own.contiguous());
      packed = own.new_empty({own.size(0) + 1, own.size(1)});
      const at::Tensor v = packed.narrow(0, 0, own.size(0));
      v.copy_(reflectors.tril(-1));
      v.diagonal().copy_(tau.ne(0));  // no reflection: no vector
      packed.select(0, own.size(0)).copy_(tau);
      own.zero_();
      own.narrow(0, 0, own.size(1)).copy_(reflectors.narrow(0, 0, own.size(1)).triu());
    }
    own_panels_.push_back(packed);
    return send(block);
  }

  /// A panel on its way to all ranks.
  Panel send(int block) {
    if (block < 0 || block >= panels_) return {};
    Panel panel{own_panels_[static_cast<std::size_t>(block)], {}};
    if (!mine(block)) panel.data = columns_.new_empty({height(block) + 1, width(block)});
    if (comm_.size() > 1) panel.request = comm_.ibcast(buffer(panel.data), cyclic_.owner(block));
    return panel;
  }

  const at::Tensor& columns_;
  const Cyclic& cyclic_;
  const Communicator& comm_;
  int panels_ = 0;
  std::vector<at::Tensor> own_panels_;  ///< undefined where others own them
};

/// Along columns as a is where there are as many of them, else balanced.
LayoutPtr along_columns(const DNDarray& a, const Shape& shape) {
  const bool same = a.split() == 1 && shape[1] == a.shape()[1];
  return share(same ? a.layout().with_shape(shape, 1) : Layout::balanced(shape, 1, a.comm().size()));
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
  const std::int64_t m = a.shape()[0], n = a.shape()[1];
  const Cyclic cyclic(n, kPanelColumns, a.comm().size());
  const at::Tensor columns = deal_columns(a, cyclic);
  Reflections reflections(columns, cyclic, a.comm());
  reflections.reduce();
  const DNDarray r = collect_columns(columns.narrow(0, 0, r_rows).contiguous(), cyclic,
                                     along_columns(a, {r_rows, n}), a.comm_ptr());
  const LayoutPtr q_layout = along_columns(a, {m, q_columns});
  if (q_columns == 0) return {{columns.new_empty({m, 0}), q_layout, a.comm_ptr()}, r};
  const Cyclic dealt(q_columns, kPanelColumns, a.comm().size());
  return {collect_columns(reflections.accumulate(dealt), dealt, q_layout, a.comm_ptr()), r};
}

}  // namespace eh
