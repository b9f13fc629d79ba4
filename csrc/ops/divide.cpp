// SPDX-License-Identifier: BSD-3-Clause
// Divide and conquer on rows of eigenvectors, and bisection.
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_eigh_ops.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "array/tensor_comm.hpp"
#include "kernels/secular.hpp"
#include "ops/selection.hpp"
#include "ops/tridiagonal.hpp"

namespace eh {
namespace {

bool finite(double x) { return std::isfinite(x); }

/// Merges of more roots than this are shared out over ranks.
constexpr std::int64_t kSharedRoots = 64;
/// Eigenvectors of the secular equation that are held at a time.
constexpr std::int64_t kChunk = 256;

/// A part [low, high) of the matrix; its halves meet at `middle`.
struct Node {
  std::int64_t low;
  std::int64_t middle;
  std::int64_t high;
};

/// Leaves, and inner nodes by level from the root down.
struct Tree {
  std::vector<Node> leaves;
  std::vector<std::vector<Node>> levels;

  void divide(std::int64_t low, std::int64_t high, std::size_t level, std::int64_t leaf) {
    if (high - low <= leaf) {
      leaves.push_back({low, high, high});
      return;
    }
    const std::int64_t middle = low + (high - low) / 2;
    if (levels.size() <= level) levels.resize(level + 1);
    levels[level].push_back({low, middle, high});
    divide(low, middle, level + 1, leaf);
    divide(middle, high, level + 1, leaf);
  }
};

class Conqueror {
 public:
  Conqueror(Tridiagonal& t, const Chunk& own, const at::Tensor& like, const Communicator& comm)
      : t_(t), own_(own), comm_(comm), n_(static_cast<std::int64_t>(t.d.size())) {
    rows_ = like.new_zeros({n_, own.count});
    options_ = like.new_empty({0}, at::kDouble);
  }

  at::Tensor run() {
    Tree tree;
    tree.divide(0, n_, 0, linalg_tuning().leaf);
    for (const auto& level : tree.levels) {
      for (const Node& node : level) {  // a rank-one matrix of these two entries is taken out
        const double rho = std::abs(t_.e[at(node.middle - 1)]);
        t_.d[at(node.middle - 1)] -= rho;
        t_.d[at(node.middle)] -= rho;
      }
    }
    EH_CHECK(std::ranges::all_of(t_.d, finite) && std::ranges::all_of(t_.e, finite), LinAlgError,
             "eigh: the reduction overflowed");  // on all ranks: t is the same there
    solve_leaves(tree.leaves);
    for (std::size_t level = tree.levels.size(); level-- > 0;) merge_level(tree.levels[level]);
    return rows_;
  }

 private:
  /// Own rows within [low, high), as columns of rows_.
  Chunk own_within(std::int64_t low, std::int64_t high) const {
    const std::int64_t begin = std::clamp(low, own_.offset, own_.offset + own_.count);
    const std::int64_t end = std::clamp(high, own_.offset, own_.offset + own_.count);
    return {begin - own_.offset, end - begin};
  }

  /// Rank 0's eigenvectors count: signs may differ between kinds of processors.
  void solve_leaves(const std::vector<Node>& leaves) {
    std::int64_t widest = 0;
    for (const Node& leaf : leaves) widest = std::max(widest, leaf.high - leaf.low);
    const at::Tensor vectors = options_.new_zeros({n_, widest + 1});
    if (comm_.rank() == 0) {
      for (const Node& leaf : leaves) solve_leaf(leaf, vectors);
    }
    bcast(vectors, 0, comm_);
    for (const Node& leaf : leaves) {
      const std::int64_t size = leaf.high - leaf.low;
      const at::Tensor values = vectors.narrow(0, leaf.low, size).select(1, widest).contiguous();
      std::copy_n(values.const_data_ptr<double>(), size, t_.d.begin() + leaf.low);
      const Chunk mine = own_within(leaf.low, leaf.high);
      if (mine.count == 0) continue;
      const std::int64_t first = own_.offset + mine.offset;
      rows_.narrow(0, leaf.low, size)
          .narrow(1, mine.offset, mine.count)
          .copy_(vectors.narrow(0, first, mine.count).narrow(1, 0, size).t());
    }
  }

  void solve_leaf(const Node& leaf, const at::Tensor& vectors) const {
    const std::int64_t size = leaf.high - leaf.low;
    const at::Tensor dense = options_.new_zeros({size, size});
    double* entry = dense.mutable_data_ptr<double>();
    for (std::int64_t i = 0; i < size; ++i) {
      entry[i * size + i] = t_.d[at(leaf.low + i)];
      if (i + 1 < size) entry[(i + 1) * size + i] = t_.e[at(leaf.low + i)];
    }
    const auto [values, basis] = at::_ops::linalg_eigh::call(dense, "L");
    const at::Tensor target = vectors.narrow(0, leaf.low, size);
    target.narrow(1, 0, size).copy_(basis);
    target.select(1, target.size(1) - 1).copy_(values);
  }

  /// The last row of the first and the first row of the second half's eigenvectors, of all nodes of a level.
  std::vector<double> coupling(const std::vector<Node>& nodes) const {
    std::vector<double> z(at(n_), 0.0);
    const auto take = [&](std::int64_t row, std::int64_t low, std::int64_t high, double sign) {
      const Chunk mine = own_within(row, row + 1);
      if (mine.count == 0) return;
      const at::Tensor values =
          rows_.select(1, mine.offset).narrow(0, low, high - low).to(at::kDouble).mul(sign).contiguous();
      std::copy_n(values.const_data_ptr<double>(), high - low, z.begin() + low);
    };
    for (const Node& node : nodes) {
      take(node.middle - 1, node.low, node.middle, 1);
      take(node.middle, node.middle, node.high, t_.e[at(node.middle - 1)] < 0 ? -1 : 1);
    }
    if (comm_.size() > 1) {
      std::vector<double> sum(z.size());
      comm_.allreduce({z.data(), n_, DType::Float64}, {sum.data(), n_, DType::Float64}, ReduceOp::Sum);
      return sum;
    }
    return z;
  }

  void merge_level(const std::vector<Node>& nodes) {
    const std::vector<double> z = coupling(nodes);
    for (const Node& node : nodes) {
      const Merge merge = deflate({t_.d.begin() + node.low, t_.d.begin() + node.high},
                                  {z.begin() + node.low, z.begin() + node.high}, node.middle - node.low,
                                  std::abs(t_.e[at(node.middle - 1)]));
      conquer(node, merge);
    }
  }

  /// The roots of a merge and the weights that fit them, each rank working on its share.
  Roots solve_secular(const Merge& merge, std::vector<double>& z) const {
    const auto k = static_cast<std::int64_t>(merge.d.size());
    const bool shared = comm_.size() > 1 && k > kSharedRoots;
    const Chunk mine = shared ? chunk(k, comm_.size(), comm_.rank()) : Chunk{0, k};
    Roots roots = secular_roots(merge, mine.offset, mine.offset + mine.count);
    z.assign(at(k), 1.0);
    if (shared) {
      const Counts counts = chunk_counts(k, comm_.size());
      Roots all{std::vector<std::int64_t>(at(k)), std::vector<double>(at(k))};
      comm_.allgatherv({roots.origin.data(), mine.count, DType::Int64}, {all.origin.data(), k, DType::Int64},
                       counts);
      comm_.allgatherv({roots.offset.data(), mine.count, DType::Float64},
                       {all.offset.data(), k, DType::Float64}, counts);
      roots = std::move(all);
    }
    multiply_weights(merge, roots, mine.offset, mine.offset + mine.count, z);
    if (shared) {
      std::vector<double> product(at(k));
      comm_.allreduce({z.data(), k, DType::Float64}, {product.data(), k, DType::Float64}, ReduceOp::Prod);
      z = std::move(product);
    }
    for (std::int64_t i = 0; i < k; ++i)
      z[at(i)] = std::copysign(std::sqrt(std::abs(z[at(i)])), merge.z[at(i)]);
    return roots;
  }

  void conquer(const Node& node, const Merge& merge) {
    for (const PlaneRotation& r : merge.rotations) rotate(node, r);
    std::vector<double> z;
    const Roots roots = solve_secular(merge, z);
    std::vector<double> values;
    for (std::size_t j = 0; j < roots.origin.size(); ++j) {
      values.push_back(merge.d[at(roots.origin[j])] + roots.offset[j]);
    }
    values.insert(values.end(), merge.values.begin(), merge.values.end());
    std::vector<std::int64_t> order(values.size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](auto i, auto j) { return values[at(i)] < values[at(j)]; });
    for (std::size_t i = 0; i < order.size(); ++i) t_.d[at(node.low) + i] = values[at(order[i])];
    multiply(node, merge, roots, z, order);
  }

  void rotate(const Node& node, const PlaneRotation& r) {
    const Chunk mine = own_within(node.low, node.high);
    if (mine.count == 0) return;
    const at::Tensor x = rows_.select(0, node.low + r.x).narrow(0, mine.offset, mine.count);
    const at::Tensor y = rows_.select(0, node.low + r.y).narrow(0, mine.offset, mine.count);
    const at::Tensor turned = x.mul(r.c).add(y, r.s);
    y.mul_(r.c).sub_(x, r.s);
    x.copy_(turned);
  }

  /// Own rows of the node's eigenvectors: those of the halves times the ones of the secular equation.
  void multiply(const Node& node, const Merge& merge, const Roots& roots, const std::vector<double>& z,
                const std::vector<std::int64_t>& order) {
    const Chunk mine = own_within(node.low, node.high);
    if (mine.count == 0) return;
    const auto k = static_cast<std::int64_t>(merge.d.size());
    const at::Tensor block =
        rows_.narrow(0, node.low, node.high - node.low).narrow(1, mine.offset, mine.count);
    const at::Tensor fresh = block.new_empty({node.high - node.low, mine.count});
    const Chunk first = own_within(node.low, node.middle);
    const std::vector<std::int64_t> top = columns_in(merge, Half::Second);
    const std::vector<std::int64_t> bottom = columns_in(merge, Half::First);
    const at::Tensor upper = pick(block, merge, top).narrow(1, 0, first.count);
    const at::Tensor lower = pick(block, merge, bottom).narrow(1, first.count, mine.count - first.count);
    for (std::int64_t begin = 0; begin < k; begin += kChunk) {
      const std::int64_t count = std::min(kChunk, k - begin);
      const at::Tensor wide = options_.new_empty({count, k});
      secular_vectors(merge, roots, z, begin, begin + count, wide.mutable_data_ptr<double>());
      const at::Tensor vectors = wide.to(rows_.scalar_type());
      const at::Tensor target = fresh.narrow(0, begin, count);
      const auto product = [&](const std::vector<std::int64_t>& used, const at::Tensor& half,
                               std::int64_t begin_row) {
        target.narrow(1, begin_row, half.size(1))
            .copy_(vectors.index_select(1, index_tensor(used, vectors)).matmul(half));
      };
      if (upper.size(1) > 0) product(top, upper, 0);
      if (lower.size(1) > 0) product(bottom, lower, first.count);
    }
    if (!merge.deflated.empty()) {
      fresh.narrow(0, k, fresh.size(0) - k).copy_(block.index_select(0, index_tensor(merge.deflated, block)));
    }
    block.copy_(fresh.index_select(0, index_tensor(order, fresh)));
  }

  /// Which of the kept columns are not zero outside the half `absent`.
  static std::vector<std::int64_t> columns_in(const Merge& merge, Half absent) {
    std::vector<std::int64_t> columns;
    for (std::size_t i = 0; i < merge.halves.size(); ++i) {
      if (merge.halves[i] != absent) columns.push_back(static_cast<std::int64_t>(i));
    }
    return columns;
  }

  static at::Tensor pick(const at::Tensor& block, const Merge& merge, const std::vector<std::int64_t>& kept) {
    std::vector<std::int64_t> columns;
    for (const std::int64_t i : kept) columns.push_back(merge.kept[at(i)]);
    return block.index_select(0, index_tensor(columns, block));
  }

  Tridiagonal& t_;
  Chunk own_;
  const Communicator& comm_;
  std::int64_t n_;
  at::Tensor rows_;
  at::Tensor options_;  ///< on the device, in double precision
};

/// Scales the matrix to 1 and returns what it was divided by.
double normalise(Tridiagonal& t) {
  double most = 0;
  for (const double v : t.d) most = std::max(most, std::abs(v));
  for (const double v : t.e) most = std::max(most, std::abs(v));
  if (most == 0) return 1;
  for (double& v : t.d) v /= most;
  for (double& v : t.e) v /= most;
  return most;
}

}  // namespace

TridiagonalEigen divide_and_conquer(Tridiagonal t, const Chunk& own, const at::Tensor& like,
                                    const Communicator& comm) {
  const double scale = normalise(t);
  const at::Tensor rows = Conqueror(t, own, like, comm).run();
  for (double& v : t.d) v *= scale;
  return {t.d, rows};
}

std::vector<double> tridiagonal_eigenvalues(const Tridiagonal& t, const Communicator& comm) {
  const auto n = static_cast<std::int64_t>(t.d.size());
  const Chunk mine = chunk(n, comm.size(), comm.rank());
  const std::vector<double> own = bisect_eigenvalues(t.d, t.e, mine.offset, mine.offset + mine.count);
  std::vector<double> all(t.d.size());
  comm.allgatherv({own.data(), mine.count, DType::Float64}, {all.data(), n, DType::Float64},
                  chunk_counts(n, comm.size()));
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace eh
