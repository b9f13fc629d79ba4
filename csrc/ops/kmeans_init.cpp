// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/IListRef.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat_ops.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/philox.hpp"
#include "ops/kmeans.hpp"
#include "ops/lloyd.hpp"
#include "ops/pairwise.hpp"

/// Centres to start from.
namespace eh {
namespace {

/// Samples with the distance of each row to the centres drawn so far.
class Covered {
 public:
  Covered(const DNDarray& x, const at::Tensor& weights, kernels::Metric metric)
      : x_(x),
        weights_(weights),
        metric_(metric),
        closest_(x.local().new_full({x.local().size(0)}, std::numeric_limits<double>::infinity())) {}

  /// What the sum over this rank's rows would be with each of the rows of y among the centres: (m,).
  at::Tensor potentials(const at::Tensor& y) { return sweep(y, false); }
  /// Adds all rows of y to the centres; the sum over this rank's rows is (1,).
  at::Tensor add(const at::Tensor& y) {
    sweep(y, true);
    return mass().sum().reshape({1});
  }
  /// Weighted distance per row, float64.
  at::Tensor mass() const {
    const at::Tensor m = closest_.to(at::kDouble);
    return weights_.defined() ? m.mul(weights_) : m;
  }

 private:
  at::Tensor sweep(const at::Tensor& y, bool update) {
    const at::Tensor sums = x_.local().new_zeros({y.size(0)}, at::kDouble);
    by_type(x_.local(), [&]<typename T>() {
      const kernels::Panels<T> panels(rows_of<T>(y), metric_);
      const auto rows = rows_of<T>(x_.local());
      const T* const w = weights_.defined() ? weights_.const_data_ptr<T>() : nullptr;
      T* const closest = closest_.mutable_data_ptr<T>();
      const std::int64_t parts = parts_of(rows.rows, y.size(0) * (y.size(1) + 2));
      const at::Tensor partial = sums.new_zeros({parts, y.size(0)});
      double* const to = partial.mutable_data_ptr<double>();
      parallel_parts(rows.rows, parts, [&](std::int64_t part, std::int64_t begin, std::int64_t end) {
        kernels::cover(part_of(rows, begin, end), panels, w, update, closest,
                       update ? nullptr : to + part * y.size(0));
      });
      if (!update) sums.copy_(partial.sum(0));
    });
    return sums;
  }

  const DNDarray& x_;
  const at::Tensor& weights_;
  kernels::Metric metric_;
  at::Tensor closest_;
};

/// (ranks, m) of one vector per rank.
at::Tensor per_rank(const at::Tensor& own, const DNDarray& x) {
  if (!x.is_distributed()) return own.unsqueeze(0);
  return allgather(own.unsqueeze(0), 0, Counts(static_cast<std::size_t>(x.comm().size()), 1), x.comm());
}

/// Rows (targets, f), replicated: the row in whose interval of the running sum of `mass` over all ranks each target
/// lies. `totals` is the sum of each rank.
at::Tensor rows_at(const DNDarray& x, const at::Tensor& mass, const at::Tensor& totals,
                   const std::vector<double>& targets) {
  const double* const total = totals.const_data_ptr<double>();
  const std::int64_t ranks = totals.size(0);
  const std::int64_t own = ranks == 1 ? 0 : x.comm().rank();
  const double* const m = mass.const_data_ptr<double>();
  const at::Tensor out = x.local().new_zeros({static_cast<std::int64_t>(targets.size()), x.shape()[1]});
  for (std::size_t i = 0; i < targets.size(); ++i) {
    double rest = targets[i];
    std::int64_t owner = 0;
    std::int64_t last = 0;
    for (std::int64_t r = 0; r < ranks; ++r) {
      if (total[r] > 0) last = r;
    }
    while (owner < last && rest >= total[owner]) rest -= total[owner++];
    if (owner != own || mass.numel() == 0) continue;
    std::int64_t row = 0;
    std::int64_t positive = 0;
    for (; row < mass.numel(); ++row) {
      if (m[row] > 0) positive = row;
      if (m[row] > 0 && rest < m[row]) break;
      rest -= m[row];
    }
    out.select(0, static_cast<std::int64_t>(i))
        .copy_(x.local().select(0, row < mass.numel() ? row : positive));
  }
  return x.is_distributed() ? allreduce(out, ReduceOp::Sum, x.comm()) : out;
}

/// Reproducible everywhere, unlike the standard library's distributions.
class Uniform {
 public:
  explicit Uniform(std::uint64_t seed) : engine_(seed) {}
  double operator()() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }

 private:
  std::mt19937_64 engine_;
};

kernels::Metric metric_of(const std::string& metric, const char* fn) {
  EH_CHECK(metric == "euclidean" || metric == "manhattan", ValueError, fn, ": unknown metric '", metric,
           "'; choose 'euclidean' or 'manhattan'");
  return metric == "manhattan" ? kernels::Metric::Manhattan : kernels::Metric::Squared;
}

/// Samples on the host: drawing is a scan.
DNDarray host_samples(const DNDarray& given, const char* fn) {
  const DNDarray x = as_samples(given, fn, "x");
  return x.with_local(x.local().cpu());
}

at::Tensor ones_like_rows(const DNDarray& x, const at::Tensor& weights) {
  return weights.defined() ? weights.to(at::kDouble) : x.local().new_ones({x.local().size(0)}, at::kDouble);
}

}  // namespace

DNDarray plus_plus_centers(const DNDarray& given, std::int64_t k, const std::optional<DNDarray>& weights,
                           const std::string& metric, std::uint64_t seed) {
  const DNDarray x = host_samples(given, "plus_plus_centers");
  EH_CHECK(k >= 1 && k <= x.shape()[0], ValueError, "k-means++: n_clusters = ", k, " for ", x.shape()[0],
           " samples; at most one per sample");
  const kernels::Metric kind = metric_of(metric, "plus_plus_centers");
  const at::Tensor w = lloyd_data(x, weights, kind, "plus_plus_centers").weights;
  Covered covered(x, w, kind);
  Uniform uniform(seed);
  const std::int64_t trials = 2 + static_cast<std::int64_t>(std::log(static_cast<double>(k)));
  at::Tensor mass = ones_like_rows(x, w);
  at::Tensor totals = per_rank(mass.sum().reshape({1}), x);
  const at::Tensor centers = x.local().new_zeros({k, x.shape()[1]});
  for (std::int64_t c = 0; c < k; ++c) {
    const double total = totals.sum().item<double>();
    std::vector<double> targets(static_cast<std::size_t>(c == 0 ? 1 : trials));
    for (double& target : targets) target = uniform() * total;
    const at::Tensor candidates = rows_at(x, mass, totals.contiguous(), targets);
    const at::Tensor found = per_rank(covered.potentials(candidates), x);
    const std::int64_t best = found.sum(0).argmin().item<std::int64_t>();
    const at::Tensor center = candidates.narrow(0, best, 1);
    centers.narrow(0, c, 1).copy_(center);
    covered.add(center);
    mass = covered.mass();
    totals = found.narrow(1, best, 1).reshape({-1});
  }
  return replicated(centers.to(given.local().device()), x.comm_ptr());
}

Candidates oversample(const DNDarray& given, double expected, std::int64_t rounds, const std::string& metric,
                      std::uint64_t seed) {
  const DNDarray x = host_samples(given, "oversample");
  EH_CHECK(x.shape()[0] >= 1, ValueError, "oversample: x has no rows");
  const kernels::Metric kind = metric_of(metric, "oversample");
  const at::Tensor none;
  Covered covered(x, none, kind);
  Uniform uniform(seed);
  const std::int64_t n = x.shape()[0];
  const std::int64_t first = x.layout().is_split() ? x.layout().offset(x.comm().rank()) : 0;
  const std::int64_t own = x.local().size(0);
  at::Tensor chosen = gather_rows(x, {static_cast<std::int64_t>(uniform() * static_cast<double>(n))});
  at::Tensor fresh = chosen;
  const at::Tensor draws = x.local().new_empty({own}, at::kDouble);
  for (std::int64_t round = 0; round < rounds; ++round) {
    const double cost = per_rank(covered.add(fresh), x).sum().item<double>();
    if (!(cost > 0)) break;  // every row is a candidate already
    const std::uint64_t start = static_cast<std::uint64_t>(round) * kernels::philox_blocks(n, 64);
    kernels::philox_uniform({seed, start}, {first, own, 0, 1}, draws.mutable_data_ptr<double>());
    const at::Tensor rows = draws.mul(cost / expected).lt(covered.mass()).nonzero().reshape({-1});
    fresh = x.local().index_select(0, rows);
    if (x.is_distributed()) {
      fresh = allgather(fresh, 0, allgather_int(rows.numel(), x.comm()), x.comm());
    }
    chosen = at::_ops::cat::call(at::ITensorListRef({chosen, fresh}), 0);
  }
  LloydData data = lloyd_data(x, std::nullopt, kind, "oversample");
  const at::Tensor counts = pass(data, chosen, {.sums = true}).counts();
  const at::Device device = given.local().device();
  return {replicated(chosen.to(device), x.comm_ptr()), replicated(counts.to(device), x.comm_ptr())};
}

}  // namespace eh
