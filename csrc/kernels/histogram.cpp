// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/histogram.hpp"

#include <algorithm>

#include "base/half.hpp"

namespace eh::kernels {
namespace {

/// Calls f with a pointer to elements that convert to double.
template <typename F>
void with_elements(DType dtype, const void* values, F&& f) {
  switch (dtype) {
    case DType::Bool:
    case DType::UInt8:
      return f(static_cast<const std::uint8_t*>(values));
    case DType::UInt16:
      return f(static_cast<const std::uint16_t*>(values));
    case DType::UInt32:
      return f(static_cast<const std::uint32_t*>(values));
    case DType::UInt64:
      return f(static_cast<const std::uint64_t*>(values));
    case DType::Int8:
      return f(static_cast<const std::int8_t*>(values));
    case DType::Int16:
      return f(static_cast<const std::int16_t*>(values));
    case DType::Int32:
      return f(static_cast<const std::int32_t*>(values));
    case DType::Int64:
      return f(static_cast<const std::int64_t*>(values));
    case DType::Float16:
      return f(static_cast<const Float16*>(values));
    case DType::BFloat16:
      return f(static_cast<const BFloat16*>(values));
    case DType::Float32:
      return f(static_cast<const float*>(values));
    case DType::Float64:
      return f(static_cast<const double*>(values));
    default:
      return;  // complex numbers have no bins
  }
}

template <typename T>
double number(const T& value) {
  if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>)
    return static_cast<float>(value);
  else
    return static_cast<double>(value);
}

/// A guess by division, corrected by the edges themselves: rounding decides nothing.
class EvenBins {
 public:
  explicit EvenBins(const std::vector<double>& edges)
      : edges_(edges.data()),
        last_(static_cast<std::int64_t>(edges.size()) - 2),
        scale_(static_cast<double>(last_ + 1) / (edges.back() - edges.front())) {}
  std::int64_t operator()(double x) const {
    auto bin = std::min(static_cast<std::int64_t>((x - edges_[0]) * scale_), last_);
    while (bin > 0 && x < edges_[bin]) --bin;
    while (bin < last_ && x >= edges_[bin + 1]) ++bin;
    return bin;
  }

 private:
  const double* edges_;
  std::int64_t last_;
  double scale_;
};

class AnyBins {
 public:
  explicit AnyBins(const std::vector<double>& edges)
      : edges_(edges), last_(static_cast<std::int64_t>(edges.size()) - 2) {}
  std::int64_t operator()(double x) const {
    return std::min<std::int64_t>(std::upper_bound(edges_.begin(), edges_.end(), x) - edges_.begin() - 1,
                                  last_);
  }

 private:
  const std::vector<double>& edges_;
  std::int64_t last_;
};

template <typename BinOf, typename T>
void fill(const T* values, const double* weights, std::int64_t n, double least, double greatest,
          const BinOf& bin_of, Bins bins) {
  for (std::int64_t i = 0; i < n; ++i) {
    const double x = number(values[i]);
    if (!(x >= least && x <= greatest)) continue;
    const std::int64_t bin = bin_of(x);
    if (weights == nullptr)
      ++bins.counts[bin];
    else
      bins.sums[bin] += weights[i];
  }
}

}  // namespace

void histogram(DType dtype, const void* values, const double* weights, std::int64_t n,
               const std::vector<double>& edges, bool even, Bins bins) {
  if (edges.size() < 2) return;
  with_elements(dtype, values, [&](const auto* in) {
    if (even)
      fill(in, weights, n, edges.front(), edges.back(), EvenBins(edges), bins);
    else
      fill(in, weights, n, edges.front(), edges.back(), AnyBins(edges), bins);
  });
}

void count_values(DType dtype, const void* values, const double* weights, std::int64_t n, Bins bins) {
  with_elements(dtype, values, [&](const auto* in) {
    if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(*in)>>) {
      if (weights == nullptr) {
        for (std::int64_t i = 0; i < n; ++i) ++bins.counts[static_cast<std::int64_t>(in[i])];
      } else {
        for (std::int64_t i = 0; i < n; ++i) bins.sums[static_cast<std::int64_t>(in[i])] += weights[i];
      }
    }
  });
}

}  // namespace eh::kernels
