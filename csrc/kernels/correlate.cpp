// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/correlate.hpp"

#include <cstring>

#include "kernels/dispatch.hpp"

namespace eh::kernels {
namespace {

template <typename T>
struct Rows {
  static constexpr int kLanes = 32 / sizeof(T);
  static constexpr int kVectors = 8;  ///< outputs that stay in registers while all of v passes
  typedef T Vector __attribute__((vector_size(32)));

  /// `Count` vectors of neighbouring outputs.
  template <int Count>
  static EH_INLINE void tile(const T* x, std::int64_t pitch, const T* v, std::int64_t rows,
                             std::int64_t columns, T* out) {
    Vector sum[Count] = {};
    for (std::int64_t p = 0; p < rows; ++p) {
      const T* line = x + p * pitch;
      for (std::int64_t q = 0; q < columns; ++q) {
        const T factor = v[p * columns + q];
        for (int k = 0; k < Count; ++k) {
          Vector values;
          std::memcpy(&values, line + q + k * kLanes, sizeof(values));
          sum[k] += factor * values;
        }
      }
    }
    std::memcpy(out, sum, sizeof(sum));
  }

  static EH_INLINE T one(const T* x, std::int64_t pitch, const T* v, std::int64_t rows,
                         std::int64_t columns) {
    T sum = 0;
    for (std::int64_t p = 0; p < rows; ++p) {
      for (std::int64_t q = 0; q < columns; ++q) sum += v[p * columns + q] * x[p * pitch + q];
    }
    return sum;
  }

  static EH_INLINE void row(const T* x, std::int64_t pitch, const T* v, std::int64_t rows,
                            std::int64_t columns, std::int64_t n, T* out) {
    std::int64_t j = 0;
    for (; j + kVectors * kLanes <= n; j += kVectors * kLanes)
      tile<kVectors>(x + j, pitch, v, rows, columns, out + j);
    for (; j + kLanes <= n; j += kLanes) tile<1>(x + j, pitch, v, rows, columns, out + j);
    for (; j < n; ++j) out[j] = one(x + j, pitch, v, rows, columns);
  }

  static EH_INLINE void run(const T* x, const T* v, const Correlation* s, T* out) {
    const std::int64_t height = s->height - s->v_height + 1;
    const std::int64_t width = s->width - s->v_width + 1;
    for (std::int64_t b = 0; b < s->batch; ++b) {
      for (std::int64_t i = 0; i < height; ++i, out += width) {
        row(x + i * s->width, s->width, v, s->v_height, s->v_width, width, out);
      }
      x += s->height * s->width;
      if (!s->shared) v += s->v_height * s->v_width;
    }
  }
};

}  // namespace

void correlate(const float* x, const float* v, const Correlation& shape, float* out) {
  dispatch<Rows<float>>(x, v, &shape, out);
}
void correlate(const double* x, const double* v, const Correlation& shape, double* out) {
  dispatch<Rows<double>>(x, v, &shape, out);
}
void correlate(const std::uint32_t* x, const std::uint32_t* v, const Correlation& shape, std::uint32_t* out) {
  dispatch<Rows<std::uint32_t>>(x, v, &shape, out);
}
void correlate(const std::uint64_t* x, const std::uint64_t* v, const Correlation& shape, std::uint64_t* out) {
  dispatch<Rows<std::uint64_t>>(x, v, &shape, out);
}

}  // namespace eh::kernels
