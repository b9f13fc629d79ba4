// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/disjoint_sets.hpp"
#include "kernels/radius.hpp"
#include "ops/columns.hpp"
#include "ops/estimators.hpp"
#include "ops/samples.hpp"

/// Clusters of density.
namespace eh {
namespace {

constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

struct Search {
  DNDarray x;
  kernels::Metric metric;
  double radius;

  const Communicator& comm() const { return x.comm(); }
  std::int64_t offset() const { return x.is_distributed() ? x.layout().offset(comm().rank()) : 0; }
  /// visit(owner, blocks) for the blocks of all ranks; the own ones alone where x is replicated.
  void round(const std::vector<at::Tensor>& own,
             const std::function<void(int, const std::vector<at::Tensor>&)>& visit) const {
    if (!x.is_distributed()) return visit(comm().rank(), own);
    circulate(own, allgather_int(own[0].size(0), comm()), comm(), visit);
  }
  /// The entries of all ranks, one rank after the other.
  at::Tensor together(const at::Tensor& own) const {
    if (!x.is_distributed()) return own;
    return allgather(own, 0, allgather_int(own.size(0), comm()), comm());
  }
  /// work(rows of a, rows of b) in T, for the rows of a in the threads there are.
  template <typename Work>
  void search(const at::Tensor& a, const at::Tensor& b, const Work& work) const {
    if (a.size(0) == 0 || b.size(0) == 0) return;
    by_type(a, [&]<typename T>() {
      const kernels::Places<T> places(rows_of<T>(b), metric);
      const auto rows = rows_of<T>(a);
      parallel_rows(rows.rows, b.size(0) * (a.size(1) + 2) / 8,
                    [&](std::int64_t begin, std::int64_t end) { work(part_of(rows, begin, end), places); });
    });
  }
};

at::Tensor numbers(const std::vector<std::int64_t>& values, const at::Tensor& like) {
  const at::Tensor out = like.new_empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  std::copy(values.begin(), values.end(), out.mutable_data_ptr<std::int64_t>());
  return out;
}

/// Joins the parts that two rows are in, and notes which joints were new.
struct PartUniter final : kernels::Uniter {
  kernels::DisjointSets& sets;
  const std::int64_t* a;
  const std::int64_t* b;
  std::vector<std::int64_t>* joints;

  PartUniter(kernels::DisjointSets& s, const std::int64_t* x, const std::int64_t* y,
             std::vector<std::int64_t>* j)
      : sets(s), a(x), b(y), joints(j) {}
  void unite(std::int64_t i, std::int64_t j) override {
    if (sets.unite(a[i], b[j]) && joints != nullptr) joints->insert(joints->end(), {a[i], b[j]});
  }
};

/// For every row, the number (the weight) of the rows within the radius.
at::Tensor neighbours(const Search& s, const at::Tensor& rows, const at::Tensor& weights) {
  const at::Tensor counts = rows.new_zeros({rows.size(0)}, at::kDouble);
  double* const out = counts.mutable_data_ptr<double>();
  std::vector<at::Tensor> own{rows};
  if (weights.defined()) own.push_back(weights);
  s.round(own, [&](int, const std::vector<at::Tensor>& blocks) {
    const double* const w = blocks.size() > 1 ? blocks[1].const_data_ptr<double>() : nullptr;
    s.search(rows, blocks[0],
             [&](const auto& x, const auto& y) { kernels::count_within(x, y, s.radius, w, out); });
  });
  return counts;
}

/// Not in parallel: the sets are shared.
void unite(const Search& s, const at::Tensor& a, const at::Tensor& b, PartUniter& uniter) {
  if (a.size(0) == 0 || b.size(0) == 0) return;
  by_type(a, [&]<typename T>() {
    kernels::unite_within(rows_of<T>(a), kernels::Places<T>(rows_of<T>(b), s.metric), s.radius, uniter);
  });
}

/// The part of each core row among those of all ranks, and the first row of each part.
struct Parts {
  at::Tensor of_row;
  at::Tensor first;
};
Parts own_parts(const Search& s, const at::Tensor& cores, const at::Tensor& row) {
  const std::int64_t n = cores.size(0);
  kernels::DisjointSets sets(n);
  std::vector<std::int64_t> place(static_cast<std::size_t>(n));
  std::iota(place.begin(), place.end(), std::int64_t{0});
  PartUniter uniter(sets, place.data(), place.data(), nullptr);
  unite(s, cores, cores, uniter);
  const std::int64_t* const number = row.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> part(place.size()), of_row(place.size()), first;
  for (std::int64_t i = 0; i < n; ++i) {  // a set's representative comes before its other members
    const std::int64_t root = sets.find(i);
    auto& own = of_row[static_cast<std::size_t>(i)];
    if (root == i) {
      own = part[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(first.size());
      first.push_back(number[i]);
    } else {
      own = part[static_cast<std::size_t>(root)];
      auto& least = first[static_cast<std::size_t>(own)];
      least = std::min(least, number[i]);
    }
  }
  return {numbers(of_row, row), numbers(first, row)};
}

/// Joins the parts of different ranks that touch, on all ranks.
void join(const Search& s, const at::Tensor& cores, const at::Tensor& part, kernels::DisjointSets& sets) {
  if (!s.x.is_distributed()) return;
  std::vector<std::int64_t> joints;
  const int size = s.comm().size();
  const int rank = s.comm().rank();
  s.round({cores, part}, [&](int owner, const std::vector<at::Tensor>& blocks) {
    const int ahead = (owner - rank + size) % size;
    if (ahead == 0 || 2 * ahead > size) return;  // the other of the two ranks looks at this pair
    PartUniter uniter(sets, part.const_data_ptr<std::int64_t>(), blocks[1].const_data_ptr<std::int64_t>(),
                      &joints);
    unite(s, cores, blocks[0], uniter);
  });
  const at::Tensor all = s.together(numbers(joints, part));
  const std::int64_t* const pair = all.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < all.size(0); i += 2) sets.unite(pair[i], pair[i + 1]);
}

/// Clusters numbered by their first rows: the label of every part.
std::vector<std::int64_t> labels_of_parts(kernels::DisjointSets& sets, const at::Tensor& first) {
  const std::int64_t n = first.size(0);
  const std::int64_t* const row = first.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> least(static_cast<std::size_t>(n), kNone), roots, label(least.size());
  for (std::int64_t i = 0; i < n; ++i) {
    auto& own = least[static_cast<std::size_t>(sets.find(i))];
    if (own == kNone) roots.push_back(sets.find(i));
    own = std::min(own, row[i]);
  }
  std::sort(roots.begin(), roots.end(), [&](std::int64_t a, std::int64_t b) {
    return least[static_cast<std::size_t>(a)] < least[static_cast<std::size_t>(b)];
  });
  for (std::size_t i = 0; i < roots.size(); ++i)
    label[static_cast<std::size_t>(roots[i])] = static_cast<std::int64_t>(i);
  for (std::int64_t i = 0; i < n; ++i)
    label[static_cast<std::size_t>(i)] = label[static_cast<std::size_t>(sets.find(i))];
  return label;
}

/// Labels of the core rows.
at::Tensor core_labels(const Search& s, const at::Tensor& cores, const at::Tensor& row) {
  Parts parts = own_parts(s, cores, row);
  std::int64_t before = 0;
  if (s.x.is_distributed()) {
    const auto counts = allgather_int(parts.first.size(0), s.comm());
    before = std::accumulate(counts.begin(), counts.begin() + s.comm().rank(), std::int64_t{0});
  }
  const at::Tensor part = parts.of_row.add(before);
  const at::Tensor first = s.together(parts.first);
  kernels::DisjointSets sets(first.size(0));
  join(s, cores, part, sets);
  const at::Tensor label = numbers(labels_of_parts(sets, first), row);
  return label.index_select(0, part);
}

/// For other rows the least label of the core rows within the radius.
at::Tensor border_labels(const Search& s, const at::Tensor& rows, const at::Tensor& cores,
                         const at::Tensor& core_label) {
  const at::Tensor labels = core_label.new_full({rows.size(0)}, kNone);
  std::int64_t* const out = labels.mutable_data_ptr<std::int64_t>();
  s.round({cores, core_label}, [&](int, const std::vector<at::Tensor>& blocks) {
    const std::int64_t* const label = blocks[1].const_data_ptr<std::int64_t>();
    s.search(rows, blocks[0],
             [&](const auto& x, const auto& y) { kernels::least_within(x, y, s.radius, label, out); });
  });
  return labels.masked_fill(labels.eq(kNone), -1);
}

}  // namespace

DensityFit dbscan(const DNDarray& given, double radius, double least, const std::optional<DNDarray>& weights,
                  const std::string& metric) {
  EH_CHECK(metric == "euclidean" || metric == "manhattan", ValueError, "DBSCAN: unknown metric '", metric,
           "'; choose 'euclidean' or 'manhattan'");
  const DNDarray x = as_samples(given, "DBSCAN", "x");
  column_statistics(x, std::nullopt, "DBSCAN");  // finds NaN
  const Search s{x, metric == "manhattan" ? kernels::Metric::Manhattan : kernels::Metric::Squared, radius};
  const at::Tensor local = x.local().cpu();
  const at::Tensor order =
      by_type(local, [&]<typename T>() { return numbers(kernels::spatial_order(rows_of<T>(local)), local); });
  const at::Tensor rows = local.index_select(0, order);
  at::Tensor w;
  if (weights)
    w = along_samples(*weights, x, "DBSCAN", "sample_weight")
            .local()
            .cpu()
            .to(at::kDouble)
            .index_select(0, order);
  const at::Tensor core = neighbours(s, rows, w).ge(least);
  const at::Tensor inner = core.nonzero().reshape({-1});
  const at::Tensor outer = core.logical_not().nonzero().reshape({-1});
  const at::Tensor cores = rows.index_select(0, inner);
  const at::Tensor own = core_labels(s, cores, order.index_select(0, inner).add(s.offset()));
  const at::Tensor labels = order.new_empty({order.size(0)});
  labels.index_copy_(0, order.index_select(0, inner), own);
  labels.index_copy_(0, order.index_select(0, outer),
                     border_labels(s, rows.index_select(0, outer), cores, own));
  const at::Tensor flags = core.new_empty({core.size(0)}).index_copy_(0, order, core);
  const LayoutPtr layout = share(x.layout().with_shape({x.shape()[0]}, x.split()));
  const at::Device device = x.local().device();
  return {{labels.to(device), layout, x.comm_ptr()}, {flags.to(device), layout, x.comm_ptr()}};
}

}  // namespace eh
