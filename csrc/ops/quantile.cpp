// SPDX-License-Identifier: BSD-3-Clause
#include "ops/quantile.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <numeric>

#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "kernels/quantile.hpp"
#include "kernels/selection.hpp"
#include "ops/sorting.hpp"

namespace eh {
namespace {

using kernels::KeyRange;
using kernels::Quantiles;
using kernels::Selector;
using kernels::Wanted;

kernels::QuantileMethod method_named(const std::string& name) {
  const auto method = kernels::quantile_method(name);
  EH_CHECK(method.has_value(), ValueError, "quantile: method must be one of ", kernels::quantile_methods(),
           "; is ", name);
  return *method;
}

/// The elements of every line behind one another, and where its quantiles go.
class Lines {
 public:
  Lines(at::Tensor values, const Quantiles& quantiles)
      : values_(std::move(values)), dtype_(dtype_of(values_.scalar_type())), quantiles_(quantiles) {
    const auto nq = static_cast<std::int64_t>(quantiles.q.size());
    const bool elements = kernels::is_discrete(quantiles.method);
    result_ = values_.new_empty({count(), nq}, elements ? values_.scalar_type() : at::kDouble);
    (elements ? out_.elements : reinterpret_cast<void*&>(out_.numbers)) = result_.mutable_data_ptr();
  }

  std::int64_t count() const { return values_.size(0); }
  std::int64_t length() const { return values_.size(1); }
  DType dtype() const { return dtype_; }
  const at::Tensor& result() const { return result_; }
  const void* line(std::int64_t i) const {
    return static_cast<const char*>(values_.const_data_ptr()) +
           i * length() * static_cast<std::int64_t>(size_of(dtype_));
  }
  KeyRange range(std::int64_t i) const { return kernels::key_range(dtype_, line(i), length()); }

  /// What to look for in a line of `total` elements with `nans` NaN; null (and the result is NaN) for nothing.
  const Wanted* wanted(std::int64_t i, std::int64_t total, std::int64_t nans) {
    const std::int64_t valid = total - nans;
    if (valid == 0 || (nans > 0 && !quantiles_.skip_nan)) {
      kernels::write_nan(dtype_, static_cast<std::int64_t>(quantiles_.q.size()), out_, place(i));
      return nullptr;
    }
    if (valid != known_for_) known_ = kernels::wanted_of(quantiles_, known_for_ = valid);
    return &known_;
  }
  void write(std::int64_t i, const Wanted& wanted, const std::vector<std::uint64_t>& keys) {
    kernels::write_quantiles(dtype_, wanted, keys, out_, place(i));
  }

 private:
  std::int64_t place(std::int64_t i) const { return i * static_cast<std::int64_t>(quantiles_.q.size()); }

  at::Tensor values_;
  DType dtype_;
  const Quantiles& quantiles_;
  at::Tensor result_;
  kernels::QuantileOutput out_{nullptr, nullptr};
  Wanted known_;
  std::int64_t known_for_ = -1;
};

/// Searches of several lines through the same rounds: one sum over ranks (none without `comm`) in each.
void run(std::vector<std::unique_ptr<Selector>>& searches, const Communicator* comm) {
  std::vector<std::int64_t> counters;
  while (true) {
    std::int64_t total = 0;
    for (const auto& s : searches) total += s->done() ? 0 : s->counters();
    if (total == 0) return;
    counters.assign(at(total), 0);
    std::int64_t* next = counters.data();
    for (const auto& s : searches) {
      if (s->done()) continue;
      s->count(next);
      next += s->counters();
    }
    if (comm != nullptr)
      comm->allreduce({counters.data(), total, DType::Int64}, {counters.data(), total, DType::Int64},
                      ReduceOp::Sum);
    next = counters.data();
    for (const auto& s : searches) {
      if (s->done()) continue;
      const std::int64_t used = s->counters();
      s->narrow(next);
      next += used;
    }
  }
}

at::Tensor quantiles_here(const at::Tensor& values, const Quantiles& quantiles) {
  Lines lines(values, quantiles);
  for (std::int64_t i = 0; i < lines.count(); ++i) {
    const KeyRange range = lines.range(i);
    const Wanted* wanted = lines.wanted(i, lines.length(), range.nans);
    if (wanted == nullptr) continue;
    if (lines.length() <= kernels::kShortLine) {
      lines.write(i, *wanted,
                  kernels::select_short(lines.dtype(), lines.line(i), lines.length(), wanted->ranks));
      continue;
    }
    std::vector<std::unique_ptr<Selector>> search;
    search.push_back(Selector::create(lines.dtype(), lines.line(i), lines.length(), range,
                                      lines.length() - range.nans, wanted->ranks));
    run(search, nullptr);
    lines.write(i, *wanted, search[0]->keys());
  }
  return lines.result();
}

/// The ranges of all ranks' parts of every line.
std::vector<KeyRange> global_ranges(const Lines& lines, const Communicator& comm) {
  const std::int64_t n = lines.count();
  std::vector<KeyRange> ranges;
  std::vector<std::uint64_t> extremes;
  std::vector<std::int64_t> nans;
  for (std::int64_t i = 0; i < n; ++i) {
    ranges.push_back(lines.range(i));
    extremes.push_back(~ranges.back().least);
    extremes.push_back(ranges.back().greatest);
    nans.push_back(ranges.back().nans);
  }
  comm.allreduce({extremes.data(), 2 * n, DType::UInt64}, {extremes.data(), 2 * n, DType::UInt64},
                 ReduceOp::Max);
  comm.allreduce({nans.data(), n, DType::Int64}, {nans.data(), n, DType::Int64}, ReduceOp::Sum);
  for (std::int64_t i = 0; i < n; ++i)
    ranges[at(i)] = {~extremes[at(2 * i)], extremes[at(2 * i + 1)], nans[at(i)]};
  return ranges;
}

/// Of lines that are spread over ranks; `total` elements each.
at::Tensor quantiles_spread(const at::Tensor& values, std::int64_t total, const Quantiles& quantiles,
                            const Communicator& comm) {
  constexpr std::int64_t kBatch = 16;
  Lines lines(values, quantiles);
  const std::vector<KeyRange> ranges = global_ranges(lines, comm);
  for (std::int64_t first = 0; first < lines.count(); first += kBatch) {
    std::vector<std::unique_ptr<Selector>> searches;
    std::vector<std::pair<std::int64_t, Wanted>> sought;
    for (std::int64_t i = first; i < std::min(first + kBatch, lines.count()); ++i) {
      const Wanted* wanted = lines.wanted(i, total, ranges[at(i)].nans);
      if (wanted == nullptr) continue;
      sought.emplace_back(i, *wanted);
      searches.push_back(Selector::create(lines.dtype(), lines.line(i), lines.length(), ranges[at(i)],
                                          total - ranges[at(i)].nans, wanted->ranks));
    }
    run(searches, &comm);
    for (std::size_t s = 0; s < searches.size(); ++s)
      lines.write(sought[s].first, sought[s].second, searches[s]->keys());
  }
  return lines.result();
}

/// Short lines that are spread over ranks: each rank takes some of them whole.
at::Tensor quantiles_gathered(const at::Tensor& values, const Counts& lengths, const Quantiles& quantiles,
                              const CommPtr& comm) {
  const LayoutPtr layout =
      share(Layout::with_counts({offsets_of(lengths).back(), values.size(0)}, 0, lengths));
  const DNDarray whole = resplit(DNDarray(values.t(), layout, comm), 1);
  const at::Tensor own = quantiles_here(whole.local().t().contiguous(), quantiles);
  return allgather(own, 0, whole.layout().counts(), *comm);
}

/// The block with the axes of `reduced` behind the others, as (lines, length).
at::Tensor lines_of(const at::Tensor& local, const std::vector<int>& reduced) {
  std::vector<std::int64_t> order;
  std::int64_t lines = 1;
  for (int axis = 0; axis < local.dim(); ++axis) {
    if (std::binary_search(reduced.begin(), reduced.end(), axis)) continue;
    order.push_back(axis);
    lines *= local.size(axis);
  }
  std::int64_t length = 1;
  for (int axis : reduced) length *= local.size(axis);
  order.insert(order.end(), reduced.begin(), reduced.end());
  return local.detach().permute(order).cpu().contiguous().view({lines, length});
}

at::ScalarType result_type(at::ScalarType given, bool discrete) {
  if (discrete || !at::isIntegralType(given, true)) return given;
  return given == at::kLong || given == at::ScalarType::UInt64 ? at::kDouble : at::kFloat;
}

/// One row per quantile in front of the layout of a reduction.
Layout stacked_layout(const Layout& reduced, std::int64_t rows, int nranks) {
  Shape shape = reduced.gshape();
  shape.insert(shape.begin(), rows);
  if (!reduced.is_split()) return Layout::replicated(std::move(shape), nranks);
  return reduced.with_shape(std::move(shape), reduced.split() + 1);
}

}  // namespace

DNDarray quantile(const DNDarray& x, const std::vector<double>& q, const Axes& axes,
                  const std::string& method, bool skip_nan, bool keepdims) {
  const Quantiles quantiles{method_named(method), q, skip_nan};
  const at::ScalarType type = x.local().scalar_type();
  EH_CHECK(!at::isComplexType(type), TypeError, "quantile: complex numbers have no quantiles");
  const std::vector<int> reduced = detail::reduced_axes(axes, x.ndim(), "quantile");
  const bool discrete = kernels::is_discrete(quantiles.method);
  const std::int64_t total = detail::extent_of(x.shape(), reduced);
  EH_CHECK(total > 0 || !(discrete && at::isIntegralType(type, true)), ValueError,
           "quantile: no elements over the axes of an array of shape ", to_string(x.shape()),
           ", and integers have no NaN");
  const at::Tensor lines = lines_of(x.local(), reduced);
  at::Tensor result;
  if (total == 0 || !detail::crosses_ranks(x, reduced)) {
    result = quantiles_here(lines, quantiles);
  } else {
    constexpr std::int64_t kLong = 8192;
    const std::int64_t nranks = x.comm().size();
    const std::int64_t per_row = total / x.shape()[at(x.split())];
    Counts lengths = x.layout().counts();
    for (std::int64_t& length : lengths) length *= per_row;
    const bool gather = lines.size(0) >= 2 * nranks && total / nranks < kLong;
    result = gather ? quantiles_gathered(lines, lengths, quantiles, x.comm_ptr())
                    : quantiles_spread(lines, total, quantiles, x.comm());
  }
  const auto rows = static_cast<std::int64_t>(q.size());
  const Layout layout = stacked_layout(x.layout().reduced(reduced, keepdims), rows, x.comm().size());
  at::Tensor local = result.t().reshape(sizes(layout.lshape(x.comm().rank())));
  local = local.to(result_type(type, discrete)).to(x.local().device());
  return {std::move(local), share(layout), x.comm_ptr()};
}

QuantilePositions quantile_positions(const std::string& method, const std::vector<double>& q,
                                     std::int64_t n) {
  QuantilePositions out;
  for (double each : q) {
    const kernels::Position p = kernels::quantile_position(method_named(method), each, n);
    out.lower.push_back(p.lower);
    out.upper.push_back(p.upper);
    out.weight.push_back(p.weight);
  }
  return out;
}

}  // namespace eh
