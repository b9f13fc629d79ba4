// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstring>

#include "kernels/cross_attention_reconstruction/gpu/plan.hpp"

/// Matrix products of a warp: C (16 x 8 N, in registers) += A (16 x depth) B (depth x 8 N), A and B in shared memory.
///
/// `E` is what executes: device.cuh, or the tests' emulation. Both have each_lane(f), registers per lane (Lanes<X>, by
/// the number of the lane), load_matrices (ldmatrix.x4) and multiply_add (mma.m16n8k16).
namespace eh::kernels::gpu {

/// A lane's part of a 16 x 8 N result: four entries of each 16 x 8.
template <int N>
struct Tile {
  float x[N][4];
};
struct Quad {
  std::uint32_t x[4];
};

/// Where entry i of a lane lies in a 16 x 8 result.
EH_DEVICE constexpr int entry_row(int lane, int i) { return lane / 4 + i / 2 * 8; }
EH_DEVICE constexpr int entry_column(int lane, int i) { return lane % 4 * 2 + i % 2; }

/// How a matrix lies in memory: with numbers that are summed over adjacent to each other, or with those of one index of
/// the result.
enum class Lies { along_sum, across_sum };

/// Offset of the eight words whose address a lane hands to load_matrices for 16 x 16 words of A.
template <Lies kLies>
EH_DEVICE constexpr int a_address(int lane, int stride) {
  const int matrix = lane / 8, i = lane % 8, row = matrix % 2 * 8, k = matrix / 2 * 8;
  return kLies == Lies::along_sum ? (row + i) * stride + k : (k + i) * stride + row;
}
/// The same for 16 x 16 words of B: two results of eight columns.
template <Lies kLies>
EH_DEVICE constexpr int b_address(int lane, int stride) {
  const int matrix = lane / 8, i = lane % 8, column = matrix / 2 * 8, k = matrix % 2 * 8;
  return kLies == Lies::along_sum ? (column + i) * stride + k : (k + i) * stride + column;
}

template <typename M>
struct Operand {
  const typename M::Word* data;
  int stride;
};

template <typename M, int N, Lies kA, Lies kB, typename E>
EH_DEVICE void tensor_product(const E& e, typename E::template Lanes<Tile<N>>& c, Operand<M> a, Operand<M> b,
                              int depth) {
  static_assert(N % 2 == 0);
  const int a_step = kA == Lies::along_sum ? 16 : 16 * a.stride;
  const int b_step = kB == Lies::along_sum ? 16 : 16 * b.stride;
  const int b_next = kB == Lies::along_sum ? 16 * b.stride : 16;
  typename E::template Lanes<const typename M::Word*> from_a, from_b;
  e.each_lane([&](int lane) {
    from_a[lane] = a.data + a_address<kA>(lane, a.stride);
    from_b[lane] = b.data + b_address<kB>(lane, b.stride);
  });
  EH_ROLLED for (int k = 0; k < depth; k += 16) {
    typename E::template Lanes<Quad> left, right;
    e.template load_matrices<kA == Lies::across_sum>(left, from_a, 0);
    EH_UNROLL for (int n = 0; n < N; n += 2) {
      e.template load_matrices<kB == Lies::across_sum>(right, from_b, n / 2 * b_next);
      e.template multiply_add<M>(c, n, left, right, 0);
      e.template multiply_add<M>(c, n + 1, left, right, 2);
    }
    e.each_lane([&](int lane) { from_a[lane] += a_step, from_b[lane] += b_step; });
  }
}

template <int N, Lies kA, Lies kB, typename E>
EH_DEVICE void float_product(const E& e, typename E::template Lanes<Tile<N>>& c, Operand<FloatWords> a,
                             Operand<FloatWords> b, int depth) {
  const int a_row = kA == Lies::along_sum ? a.stride : 1, a_k = kA == Lies::along_sum ? 1 : a.stride;
  const int b_column = kB == Lies::along_sum ? b.stride : 1, b_k = kB == Lies::along_sum ? 1 : b.stride;
  e.each_lane([&](int lane) {
    const float* left = a.data + entry_row(lane, 0) * a_row;
    const float* right = b.data + entry_column(lane, 0) * b_column;
    EH_ROLLED for (int k = 0; k < depth; ++k) {
      const float x = left[k * a_k], y = left[8 * a_row + k * a_k];
      EH_UNROLL for (int n = 0; n < N; ++n) {
        const float v = right[k * b_k + 8 * n * b_column], w = right[k * b_k + (8 * n + 1) * b_column];
        c[lane].x[n][0] += x * v, c[lane].x[n][1] += x * w;
        c[lane].x[n][2] += y * v, c[lane].x[n][3] += y * w;
      }
    }
  });
}

/// @pre depth is a multiple of M::kStep; all 16 rows, 8 N columns and depth words can be read
template <typename M, int N, Lies kA, Lies kB, typename E>
EH_DEVICE void product(const E& e, typename E::template Lanes<Tile<N>>& c, Operand<M> a, Operand<M> b,
                       int depth) {
  if constexpr (M::kTensorCores) {
    tensor_product<M, N, kA, kB>(e, c, a, b, depth);
  } else {
    float_product<N, kA, kB>(e, c, a, b, depth);
  }
}

template <int N, typename E>
EH_DEVICE void clear(const E& e, typename E::template Lanes<Tile<N>>& c) {
  e.each_lane([&](int lane) {
    EH_UNROLL for (int n = 0; n < N; ++n) EH_UNROLL for (int i = 0; i < 4; ++i) c[lane].x[n][i] = 0;
  });
}

/// Calls f(row, column, x, y) for neighbours in a row: entries column and column + 1.
template <int N, typename E, typename F>
EH_DEVICE void each_pair(const E& e, typename E::template Lanes<Tile<N>>& c, const F& f) {
  e.each_lane([&](int lane) {
    EH_UNROLL for (int n = 0; n < N; ++n) EH_UNROLL for (int i = 0; i < 4; i += 2)
        f(entry_row(lane, i), 8 * n + entry_column(lane, 0), c[lane].x[n][i], c[lane].x[n][i + 1]);
  });
}

/// Numbers of a lane's two rows: of entries 0, 1 and of entries 2, 3.
struct TwoRows {
  float x[2];
};
/// Combines the four lanes that share two rows.
template <typename E, typename Op>
EH_DEVICE void combine_rows(const E& e, typename E::template Lanes<TwoRows>& v, const Op& op) {
  EH_UNROLL for (int mask = 1; mask <= 2; mask *= 2) EH_UNROLL for (int i = 0; i < 2; ++i) {
    typename E::template Lanes<float> mine, other;
    e.each_lane([&](int lane) { mine[lane] = v[lane].x[i]; });
    e.exchange(mine, other, mask);
    e.each_lane([&](int lane) { v[lane].x[i] = op(mine[lane], other[lane]); });
  }
}
/// Sums over all lanes; every lane has the sum.
template <typename E>
EH_DEVICE void combine_lanes(const E& e, typename E::template Lanes<float>& v, int first_mask = 1) {
  EH_UNROLL for (int mask = first_mask; mask <= 16; mask *= 2) {
    typename E::template Lanes<float> other;
    e.exchange(v, other, mask);
    e.each_lane([&](int lane) { v[lane] += other[lane]; });
  }
}

/// Calls f(lane, row, column, x) for all entries, columns lane % 16 of 16 at a time, and between these after(column):
/// entries go through `stage`, so that neighbouring lanes have neighbouring numbers and f is not written out once per
/// register.
template <int N, typename E, typename F, typename After>
EH_DEVICE void each_staged(const E& e, typename E::template Lanes<Tile<N>>& c, float* stage, const F& f,
                           const After& after) {
  EH_UNROLL for (int n = 0; n < N; n += 2) {
    e.sync_warp();
    e.each_lane([&](int lane) {
      EH_UNROLL for (int m = 0; m < 2; ++m) EH_UNROLL for (int i = 0; i < 4; ++i)
          stage[entry_row(lane, i) * kStageRow + 8 * m + entry_column(lane, i)] = c[lane].x[n + m][i];
    });
    e.sync_warp();
    e.each_lane([&](int lane) {
      EH_ROLLED for (int i = 0; i < 8; ++i) {
        const int row = 2 * i + lane / 16;
        f(lane, row, 8 * n + lane % 16, stage[row * kStageRow + lane % 16]);
      }
    });
    after(8 * n);
  }
}
template <int N, typename E, typename F>
EH_DEVICE void each_staged(const E& e, typename E::template Lanes<Tile<N>>& c, float* stage, const F& f) {
  each_staged<N>(e, c, stage, f, [](int) {});
}

/// Entries as words of shared memory.
template <typename M, int N, typename E>
EH_DEVICE void store_words(const E& e, typename E::template Lanes<Tile<N>>& c, typename M::Word* out,
                           int stride) {
  each_pair<N>(e, c, [&](int row, int column, float x, float y) {
    typename M::Word* to = out + row * stride + column;
    if constexpr (M::kTensorCores) {
      const std::uint32_t both = std::uint32_t{M::of(y)} << 16 | M::of(x);
      put_pair(to, both);
    } else {
      to[0] = x, to[1] = y;
    }
  });
}

}  // namespace eh::kernels::gpu
