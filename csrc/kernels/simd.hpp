// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Loops compiled for several instruction sets, of which the widest that this processor has is run.
namespace eh::kernels::simd {

#define EH_SIMD_INLINE inline __attribute__((always_inline))

/// Values are worked on in lines of 64 bytes: one register of AVX-512, two of AVX2, four of the baseline.
inline constexpr int kLineBytes = 64;
template <typename T>
inline constexpr int kLanes = kLineBytes / static_cast<int>(sizeof(T));

/// Integers as wide as T.
template <typename T>
struct IntegerOf;
template <>
struct IntegerOf<float> {
  using type = std::int32_t;
};
template <>
struct IntegerOf<double> {
  using type = std::int64_t;
};
template <typename T>
using Integer = typename IntegerOf<T>::type;

/// A line in registers of `Bytes` bytes.
template <typename T, int Bytes>
struct Line {
  static constexpr int kRegisters = kLineBytes / Bytes;
  typedef T Register __attribute__((vector_size(Bytes), may_alias));
  Register reg[kRegisters];

  EH_SIMD_INLINE void fill(T value) {
    for (int i = 0; i < kRegisters; ++i) reg[i] = Register{} + value;
  }
  /// @pre data is aligned to 64 bytes
  EH_SIMD_INLINE void load(const T* data) {
    for (int i = 0; i < kRegisters; ++i) reg[i] = reinterpret_cast<const Register*>(data)[i];
  }
  EH_SIMD_INLINE void store(T* data) const {
    for (int i = 0; i < kRegisters; ++i) reinterpret_cast<Register*>(data)[i] = reg[i];
  }
};

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define EH_SIMD_X86 1
template <typename Body>
__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))) void run_avx512(const Body& body) {
  body.template operator()<64, 8>();
}
template <typename Body>
__attribute__((target("avx2,fma"))) void run_avx2(const Body& body) {
  body.template operator()<32, 4>();
}
#endif

/// Calls body<Bytes, Rows>() with the width of the registers and the number of rows that keep them busy. All that the
/// body calls must be inlined into it.
template <typename Body>
void run(const Body& body) {
#ifdef EH_SIMD_X86
  static const int level = __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0
                               ? 2
                               : (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0);
  if (level == 2) return run_avx512(body);
  if (level == 1) return run_avx2(body);
#endif
  body.template operator()<16, 2>();
}

}  // namespace eh::kernels::simd
