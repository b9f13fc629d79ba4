// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/gpu/program.hpp"

/// A block of threads on a GPU: what the programs of this folder execute on. Registers "per lane" are the thread's own.
namespace eh::kernels::gpu {

extern __shared__ __align__(128) unsigned char shared_memory[];

struct Device {
  template <typename X>
  struct Lanes {
    X x;
    __device__ __forceinline__ X& operator[](int) { return x; }
    __device__ __forceinline__ const X& operator[](int) const { return x; }
  };
  template <typename X>
  using PerWarp = Lanes<X>;

  __device__ __forceinline__ void* shared() const { return shared_memory; }
  __device__ __forceinline__ void sync() const { __syncthreads(); }
  __device__ __forceinline__ void sync_warp() const { __syncwarp(); }
  template <typename F>
  __device__ __forceinline__ void each_warp(const F& f) const {
    f(static_cast<int>(threadIdx.x / 32));
  }
  template <typename F>
  __device__ __forceinline__ void each_lane(const F& f) const {
    f(static_cast<int>(threadIdx.x % 32));
  }
  template <typename F>
  __device__ __forceinline__ void each_item(int count, const F& f) const {
    EH_ROLLED for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) f(i);
  }

  __device__ __forceinline__ void exchange(const Lanes<float>& mine, Lanes<float>& other, int mask) const {
    other.x = __shfl_xor_sync(0xFFFFFFFFu, mine.x, mask);
  }
  __device__ __forceinline__ float power_of_two(float x) const { return exp2f(x); }
  __device__ __forceinline__ float logarithm_of_two(float x) const { return log2f(x); }
  __device__ __forceinline__ float root(float x) const { return sqrtf(x); }

  static __device__ __forceinline__ unsigned address(const void* shared) {
    return static_cast<unsigned>(__cvta_generic_to_shared(shared));
  }
  /// Sixteen bytes from global to shared memory, in the background.
  __device__ __forceinline__ void copy_later(void* shared, const void* global) const {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address(shared)), "l"(global) : "memory");
  }
  __device__ __forceinline__ void wait() const { asm volatile("cp.async.wait_all;" ::: "memory"); }

  template <bool kTransposed, typename Word>
  __device__ __forceinline__ void load_matrices(Lanes<Quad>& out, const Lanes<const Word*>& from,
                                                int offset) const {
    const unsigned at = address(from.x + offset);
    if constexpr (kTransposed) {
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                   : "=r"(out.x.x[0]), "=r"(out.x.x[1]), "=r"(out.x.x[2]), "=r"(out.x.x[3])
                   : "r"(at));
    } else {
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                   : "=r"(out.x.x[0]), "=r"(out.x.x[1]), "=r"(out.x.x[2]), "=r"(out.x.x[3])
                   : "r"(at));
    }
  }

  template <typename M, int N>
  __device__ __forceinline__ void multiply_add(Lanes<Tile<N>>& c, int n, const Lanes<Quad>& a,
                                               const Lanes<Quad>& b, int half) const {
    float (&x)[4] = c.x.x[n];
    if constexpr (M::kElement == Element::bf16) {
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
          "{%0, %1, %2, %3};"
          : "+f"(x[0]), "+f"(x[1]), "+f"(x[2]), "+f"(x[3])
          : "r"(a.x.x[0]), "r"(a.x.x[1]), "r"(a.x.x[2]), "r"(a.x.x[3]), "r"(b.x.x[half]),
            "r"(b.x.x[half + 1]));
    } else {
      asm volatile(
          "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
          "{%0, %1, %2, %3};"
          : "+f"(x[0]), "+f"(x[1]), "+f"(x[2]), "+f"(x[3])
          : "r"(a.x.x[0]), "r"(a.x.x[1]), "r"(a.x.x[2]), "r"(a.x.x[3]), "r"(b.x.x[half]),
            "r"(b.x.x[half + 1]));
    }
  }

  /// All members of a team: what they wrote to memory before, all of them see afterwards.
  static __device__ __forceinline__ void sync_team(int members) {
#if __CUDA_ARCH__ >= 900
    if (members > 1) {
      asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::
                       : "memory");
      return;
    }
#endif
    __syncthreads();
  }
};

}  // namespace eh::kernels::gpu
