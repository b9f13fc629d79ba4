// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/stencil.hpp"

#include <cstring>

#include "kernels/dispatch.hpp"

namespace eh::kernels {
namespace {

/// Elements between what is computed and what is fetched: the last row a sum looks at, and the result.
constexpr std::int64_t kAhead = 512;

template <typename T>
struct Row {
  static constexpr int kLanes = 32 / sizeof(T);
  static constexpr int kVectors = 2;  ///< results in registers while the taps pass; with more, caches thrash
  static constexpr int kStep = kVectors * kLanes;
  typedef T Vector __attribute__((vector_size(32)));

  static EH_INLINE Vector load(const T* from) {
    Vector values;
    std::memcpy(&values, from, sizeof(values));
    return values;
  }

  /// Of Taps taps, whose weights stay in registers.
  template <int Taps>
  static EH_INLINE void few(const T* x, const Tap<T>* taps, std::int64_t n, bool add, T* out) {
    const T* from[Taps];
    Vector weight[Taps];
    const T* last = x;
    for (int t = 0; t < Taps; ++t) {
      from[t] = x + taps[t].offset;
      weight[t] = Vector{} + taps[t].weight;
      last = from[t] > last ? from[t] : last;
    }
    std::int64_t j = 0;
    for (; j + kStep <= n; j += kStep) {
      __builtin_prefetch(last + j + kAhead);
      __builtin_prefetch(out + j + kAhead, 1);
      Vector sum[kVectors];
      for (int k = 0; k < kVectors; ++k) sum[k] = add ? load(out + j + k * kLanes) : Vector{};
      for (int t = 0; t < Taps; ++t)
        for (int k = 0; k < kVectors; ++k) sum[k] += weight[t] * load(from[t] + j + k * kLanes);
      std::memcpy(out + j, sum, sizeof(sum));
    }
    for (; j < n; ++j) {
      T sum = add ? out[j] : 0;
      for (int t = 0; t < Taps; ++t) sum += taps[t].weight * from[t][j];
      out[j] = sum;
    }
  }

  static constexpr std::int64_t kMost = 8;

  /// Many taps go in groups, over pieces of the row that stay in the first cache.
  static EH_INLINE void run(const T* x, const Tap<T>* taps, std::int64_t ntaps, std::int64_t n, bool add,
                            T* out) {
    const std::int64_t piece = ntaps <= kMost ? n : 1024;
    for (std::int64_t j = 0; j < n; j += piece)
      for (std::int64_t t = 0; t < ntaps; t += kMost)
        group(x + j, taps + t, ntaps - t, piece < n - j ? piece : n - j, add || t > 0, out + j);
  }

  static EH_INLINE void group(const T* x, const Tap<T>* taps, std::int64_t ntaps, std::int64_t n, bool add,
                              T* out) {
    switch (ntaps) {
      case 1:
        return few<1>(x, taps, n, add, out);
      case 2:
        return few<2>(x, taps, n, add, out);
      case 3:
        return few<3>(x, taps, n, add, out);
      case 4:
        return few<4>(x, taps, n, add, out);
      case 5:
        return few<5>(x, taps, n, add, out);
      case 6:
        return few<6>(x, taps, n, add, out);
      case 7:
        return few<7>(x, taps, n, add, out);
      default:
        return few<8>(x, taps, n, add, out);
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
