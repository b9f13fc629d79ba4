// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/stencil.hpp"

#include <cstring>

#include "kernels/dispatch.hpp"

namespace eh::kernels {
namespace {

template <typename T>
struct Row {
  static constexpr int kLanes = 32 / sizeof(T);
  static constexpr int kVectors = 8;  ///< results that stay in registers while all taps pass
  typedef T Vector __attribute__((vector_size(32)));

  template <int Count>
  static EH_INLINE void tile(const T* x, const Tap<T>* taps, std::int64_t ntaps, bool add, T* out) {
    Vector sum[Count] = {};
    for (std::int64_t t = 0; t < ntaps; ++t) {
      const T* from = x + taps[t].offset;
      const T weight = taps[t].weight;
      for (int k = 0; k < Count; ++k) {
        Vector values;
        std::memcpy(&values, from + k * kLanes, sizeof(values));
        sum[k] += weight * values;
      }
    }
    if (add) {
      for (int k = 0; k < Count; ++k) {
        Vector before;
        std::memcpy(&before, out + k * kLanes, sizeof(before));
        sum[k] += before;
      }
    }
    std::memcpy(out, sum, sizeof(sum));
  }

  static EH_INLINE void run(const T* x, const Tap<T>* taps, std::int64_t ntaps, std::int64_t n, bool add,
                            T* out) {
    std::int64_t j = 0;
    for (; j + kVectors * kLanes <= n; j += kVectors * kLanes)
      tile<kVectors>(x + j, taps, ntaps, add, out + j);
    for (; j + kLanes <= n; j += kLanes) tile<1>(x + j, taps, ntaps, add, out + j);
    for (; j < n; ++j) {
      T sum = 0;
      for (std::int64_t t = 0; t < ntaps; ++t) sum += taps[t].weight * x[j + taps[t].offset];
      out[j] = add ? sum + out[j] : sum;
    }
  }
};

}  // namespace

void stencil_row(const float* x, const std::vector<Tap<float>>& taps, std::int64_t n, bool add, float* out) {
  dispatch<Row<float>>(x, taps.data(), static_cast<std::int64_t>(taps.size()), n, add, out);
}
void stencil_row(const double* x, const std::vector<Tap<double>>& taps, std::int64_t n, bool add,
                 double* out) {
  dispatch<Row<double>>(x, taps.data(), static_cast<std::int64_t>(taps.size()), n, add, out);
}

}  // namespace eh::kernels
