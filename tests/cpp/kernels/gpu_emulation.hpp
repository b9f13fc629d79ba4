// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "kernels/cross_attention_reconstruction/gpu/program.hpp"

/// A block of threads on the host, for tests of the GPU's programs: registers are tables over warps and lanes, and the
/// warp-wide instructions do what their specification (PTX ISA: ldmatrix, mma.m16n8k16, shfl) says for every lane.
namespace eh::kernels::gpu {

class Emulation {
 public:
  template <typename X>
  struct Lanes {
    X x[32];
    X& operator[](int lane) { return x[lane]; }
    const X& operator[](int lane) const { return x[lane]; }
  };
  template <typename X>
  struct PerWarp {
    X x[kMostWarps];
    X& operator[](int warp) { return x[warp]; }
  };

  /// Shared memory starts full of what a kernel that relies on zeros would trip over.
  explicit Emulation(const Plan& plan) : warps_(plan.warps), memory_(plan.shared_bytes / 16 + 1) {
    std::memset(static_cast<void*>(memory_.data()), 0x7F, memory_.size() * sizeof(Four));
  }

  void* shared() const { return const_cast<Four*>(memory_.data()); }
  std::size_t shared_bytes() const { return memory_.size() * sizeof(Four); }
  void sync() const {}
  void sync_warp() const {}
  void wait() const {}
  template <typename F>
  void each_warp(const F& f) const {
    for (int i = 0; i < warps_; ++i) f(i);
  }
  template <typename F>
  void each_lane(const F& f) const {
    for (int i = 0; i < 32; ++i) f(i);
  }
  template <typename F>
  void each_item(int count, const F& f) const {
    for (int i = 0; i < count; ++i) f(i);
  }
  void exchange(const Lanes<float>& mine, Lanes<float>& other, int mask) const {
    const Lanes<float> copy = mine;
    for (int i = 0; i < 32; ++i) other[i] = copy[i ^ mask];
  }
  float power_of_two(float x) const { return std::exp2(x); }
  float logarithm_of_two(float x) const { return std::log2(x); }
  float root(float x) const { return std::sqrt(x); }
  void copy_later(void* shared, const void* global) const { std::memcpy(shared, global, 16); }

  /// ldmatrix.x4: lane 8 m + r names row r of matrix m; lane l receives of each matrix row l / 4, columns 2 (l % 4) and
  /// the next, or with .trans the entries mirrored.
  template <bool kTransposed>
  void load_matrices(Lanes<Quad>& out, const Lanes<const std::uint16_t*>& from, int offset) const {
    for (int lane = 0; lane < 32; ++lane)
      for (int m = 0; m < 4; ++m) {
        std::uint32_t pair = 0;
        for (int k = 0; k < 2; ++k) {
          const int row = lane / 4, column = lane % 4 * 2 + k;
          const std::uint16_t* start = from[8 * m + (kTransposed ? column : row)] + offset;
          check(start);
          pair |= std::uint32_t{start[kTransposed ? row : column]} << (16 * k);
        }
        out[lane].x[m] = pair;
      }
  }

  /// mma.m16n8k16.row.col
  template <typename M, int N>
  void multiply_add(Lanes<Tile<N>>& c, int n, const Lanes<Quad>& a, const Lanes<Quad>& b, int half) const {
    float left[16][16], right[16][8];
    for (int lane = 0; lane < 32; ++lane)
      for (int k = 0; k < 2; ++k) {
        const int group = lane / 4, at = lane % 4 * 2 + k;
        for (int i = 0; i < 4; ++i) left[group + i % 2 * 8][at + i / 2 * 8] = word<M>(a[lane].x[i], k);
        for (int i = 0; i < 2; ++i) right[at + 8 * i][group] = word<M>(b[lane].x[half + i], k);
      }
    for (int lane = 0; lane < 32; ++lane)
      for (int i = 0; i < 4; ++i) {
        const int row = lane / 4 + (i >= 2 ? 8 : 0), column = lane % 4 * 2 + (i & 1);
        for (int k = 0; k < 16; ++k) c[lane].x[n][i] += left[row][k] * right[k][column];
      }
  }

 private:
  template <typename M>
  static float word(std::uint32_t pair, int k) {
    return M::number(static_cast<std::uint16_t>(pair >> (16 * k)));
  }
  /// Rows of eight words, at multiples of 16 bytes, inside of shared memory.
  void check(const void* row) const {
    const auto at = reinterpret_cast<std::uintptr_t>(row), base = reinterpret_cast<std::uintptr_t>(shared());
    if (at % 16 != 0 || at < base || at + 16 > base + shared_bytes()) std::abort();
  }

  int warps_;
  std::vector<Four> memory_;
};

}  // namespace eh::kernels::gpu
