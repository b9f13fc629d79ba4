// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#if defined(__CUDACC__)
#include <cuda/std/bit>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#else
#include <bit>
#endif

#include "kernels/cross_attention_reconstruction/problem.hpp"

/// Numbers of the GPU's kernels: what products read (words), and elements of the caller's tensors.
///
/// All of gpu/ but device.cuh and the .cu files also compiles for the host, where the tests run it on an emulation of a
/// block of threads (tests/cpp/kernels/gpu_emulation.hpp): the arithmetic of indices is the same code.
#if defined(__CUDACC__)
#define EH_BOTH __host__ __device__ __forceinline__
#define EH_DEVICE __device__ __forceinline__
#define EH_OUTLINE __device__ __noinline__
#define EH_UNROLL _Pragma("unroll")
#define EH_ROLLED _Pragma("unroll 1")
#else
#define EH_BOTH inline
#define EH_DEVICE inline
#define EH_OUTLINE inline
#define EH_UNROLL
#define EH_ROLLED
#endif

namespace eh::kernels::gpu {

using Index = std::int64_t;

EH_BOTH constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }
EH_BOTH constexpr int round_up(int a, int b) { return ceil_div(a, b) * b; }
EH_BOTH constexpr int least(int a, int b) { return a < b ? a : b; }

#if defined(__CUDACC__)
EH_BOTH float float_of_bits(std::uint32_t bits) { return cuda::std::bit_cast<float>(bits); }
EH_BOTH float from_half(std::uint16_t x) { return __half2float(__ushort_as_half(x)); }
EH_BOTH std::uint16_t to_half(float x) { return __half_as_ushort(__float2half_rn(x)); }
EH_BOTH std::uint16_t to_bf16(float x) { return __bfloat16_as_ushort(__float2bfloat16_rn(x)); }
#else
EH_BOTH float float_of_bits(std::uint32_t bits) { return std::bit_cast<float>(bits); }
EH_BOTH float from_half(std::uint16_t x) {
  const std::uint32_t sign = std::uint32_t{x} << 16 & 0x80000000u, rest = x & 0x7FFFu;
  if (rest >= 0x7C00u) return float_of_bits(sign | 0x7F800000u | (rest & 0x3FFu) << 13);
  const float size = float_of_bits(rest << 13) * 0x1p112f;  // subnormal numbers too
  return (sign != 0 ? -1.0f : 1.0f) * size;
}
EH_BOTH std::uint16_t to_half(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  const std::uint32_t rest = bits & 0x7FFFFFFFu;
  if (rest > 0x7F800000u) return static_cast<std::uint16_t>(sign | 0x7E00u);
  if (rest >= 0x477FF000u) return static_cast<std::uint16_t>(sign | 0x7C00u);
  // Adding a number whose last place is the half's last place rounds to nearest even.
  const std::uint32_t exponent = rest < 0x38800000u ? 0x38800000u : rest & 0x7F800000u;
  const float step = float_of_bits(exponent + (13u << 23));
  const float rounded = (float_of_bits(rest) + step) - step;
  return static_cast<std::uint16_t>(sign | std::bit_cast<std::uint32_t>(rounded * 0x1p-112f) >> 13);
}
EH_BOTH std::uint16_t to_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if (x != x) return 0x7FC0;
  return static_cast<std::uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}
#endif

// What products multiply. kStep: numbers summed over at a time; kWords: words in 16 bytes.

struct FloatWords {
  using Word = float;
  static constexpr Element kElement = Element::f32;
  static constexpr int kStep = 8, kWords = 4;
  static constexpr bool kTensorCores = false;
  static EH_BOTH Word of(float x) { return x; }
};
struct Bf16Words {
  using Word = std::uint16_t;
  static constexpr Element kElement = Element::bf16;
  static constexpr int kStep = 16, kWords = 8;
  static constexpr bool kTensorCores = true;
  static EH_BOTH Word of(float x) { return to_bf16(x); }
  static EH_BOTH float number(Word x) { return float_of_bits(std::uint32_t{x} << 16); }
};
struct HalfWords {
  using Word = std::uint16_t;
  static constexpr Element kElement = Element::f16;
  static constexpr int kStep = 16, kWords = 8;
  static constexpr bool kTensorCores = true;
  static EH_BOTH Word of(float x) { return to_half(x); }
  static EH_BOTH float number(Word x) { return from_half(x); }
};

/// Words from one row to the next: rows start at multiples of 16 bytes, and eight rows that follow each other lie in
/// different banks.
template <typename M>
EH_BOTH constexpr int row_words(int columns) {
  return round_up(columns, 2 * M::kWords) + M::kWords;
}

EH_BOTH float number_at(const void* data, Element element, Index i) {
  switch (element) {
    case Element::f32:
      return static_cast<const float*>(data)[i];
    case Element::bf16:
      return float_of_bits(std::uint32_t{static_cast<const std::uint16_t*>(data)[i]} << 16);
    case Element::f16:
      return from_half(static_cast<const std::uint16_t*>(data)[i]);
    case Element::u8:
      return static_cast<float>(static_cast<const std::uint8_t*>(data)[i]);
    case Element::f64:
      return static_cast<float>(static_cast<const double*>(data)[i]);
  }
  return 0;
}

EH_BOTH void put_number(const TokensOut& out, Index i, float x) {
  switch (out.element) {
    case Element::f32:
      static_cast<float*>(out.data)[i] = x;
      break;
    case Element::bf16:
      static_cast<std::uint16_t*>(out.data)[i] = to_bf16(x);
      break;
    case Element::f16:
      static_cast<std::uint16_t*>(out.data)[i] = to_half(x);
      break;
    default:
      break;
  }
}

struct alignas(16) Four {
  float x[4];
};
#if defined(__CUDACC__)
EH_BOTH void put_pair(void* to, std::uint32_t both) { *static_cast<std::uint32_t*>(to) = both; }
EH_BOTH Four load_four(const void* p) { return *static_cast<const Four*>(p); }
EH_BOTH void copy_four(void* to, const void* from) {
  *static_cast<Four*>(to) = *static_cast<const Four*>(from);
}
#else
EH_BOTH void put_pair(void* to, std::uint32_t both) { __builtin_memcpy(to, &both, sizeof both); }
EH_BOTH Four load_four(const void* p) {
  Four four;
  __builtin_memcpy(&four, p, sizeof four);
  return four;
}
EH_BOTH void copy_four(void* to, const void* from) { __builtin_memcpy(to, from, sizeof(Four)); }
#endif
EH_BOTH bool aligned(const void* p) { return (reinterpret_cast<std::uintptr_t>(p) & 15) == 0; }

}  // namespace eh::kernels::gpu
