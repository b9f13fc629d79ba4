// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

/// Vectors of EH_VECTOR_BYTES bytes, in the compilers' own vector types. The headers of the CPU engine are compiled once
/// per instruction set; everything in them lives in an unnamed namespace, so that no linker mixes the copies.
#ifndef EH_VECTOR_BYTES
#define EH_VECTOR_BYTES 16
#endif
#define EH_FORCE inline __attribute__((always_inline))

namespace eh::kernels::engine {
namespace {

using Index = std::int64_t;

template <typename T, int Bytes = EH_VECTOR_BYTES>
struct VectorOf {
  typedef T type __attribute__((vector_size(Bytes)));
};
template <typename T>
using Vector = typename VectorOf<T>::type;
template <typename T>
constexpr int kLanes = EH_VECTOR_BYTES / static_cast<int>(sizeof(T));

constexpr Index least(Index a, Index b) { return a < b ? a : b; }
constexpr Index most(Index a, Index b) { return a > b ? a : b; }
constexpr Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }
constexpr Index round_up(Index a, Index b) { return ceil_div(a, b) * b; }

template <typename T>
EH_FORCE Vector<T> load(const T* p) {
  Vector<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <typename T, typename V>
EH_FORCE void store(T* p, V v) {
  static_assert(sizeof(V) == EH_VECTOR_BYTES);
  __builtin_memcpy(p, &v, sizeof v);
}
template <typename T, int... I>
EH_FORCE Vector<T> all(T x, std::integer_sequence<int, I...>) {
  return Vector<T>{(static_cast<void>(I), x)...};
}
/// x in every lane: one load where x lies in memory. (Adding x to zeros would take an addition, since -0 becomes 0, and a
/// shuffle: both in the ports of the multiplications.)
template <typename T>
EH_FORCE Vector<T> all(T x) {
  return all(x, std::make_integer_sequence<int, kLanes<T>>{});
}

/// Lanes First, First + 1, ... of v, as many as I has numbers.
template <int First, typename V, int... I>
EH_FORCE auto part_of(V v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (First + I)...);
}
/// f over all lanes; in vectors that get shorter: the processor takes two turns for the longest.
template <typename T, int Lanes = kLanes<T>, typename V, typename F>
EH_FORCE T fold(V v, const F& f) {
  if constexpr (Lanes == 2) {
    return f(v[0], v[1]);
  } else {
    constexpr auto half = std::make_integer_sequence<int, Lanes / 2>{};
    return fold<T, Lanes / 2>(f(part_of<0>(v, half), part_of<Lanes / 2>(v, half)), f);
  }
}
template <typename T>
EH_FORCE T sum_of(Vector<T> v) {
  return fold<T>(v, [](auto a, auto b) __attribute__((always_inline)) { return a + b; });
}
template <typename T>
EH_FORCE T top_of(Vector<T> v) {
  return fold<T>(v, [](auto a, auto b) __attribute__((always_inline)) { return a > b ? a : b; });
}

/// 0, 1, 2, ... as signed integers of T's width.
template <typename T>
struct SignedOf {
  using type = std::int32_t;
};
template <>
struct SignedOf<double> {
  using type = std::int64_t;
};
template <typename T>
using Signed = typename SignedOf<T>::type;
template <typename T>
EH_FORCE Vector<Signed<T>> lane_numbers() {
  Vector<Signed<T>> v{};
  for (int i = 0; i < kLanes<T>; ++i) v[i] = i;
  return v;
}

/// `x` in the first n lanes, `other` in the rest.
template <typename T>
EH_FORCE Vector<T> first_lanes(Vector<T> x, Vector<T> other, Index n) {
  return lane_numbers<T>() < static_cast<Signed<T>>(n) ? x : other;
}

// 2^x for x <= 0: 2^n p(r) with |r| <= 1 / 2, where p(r) = 1 + r (p[0] + r (p[1] + ...)). Below the smallest normal number
// the result is that number or a little less than twice that or, with AVX-512, right or 0; NaN stays NaN.
struct Exp2Float {
  static constexpr float lowest = -126.0f, round = 12582912.0f;
  // Of the least largest relative error, 1e-7.
  static constexpr float p[] = {6.931470037e-01f, 2.402224243e-01f, 5.550733581e-02f, 9.671512991e-03f,
                                1.326472731e-03f};
  static constexpr int shift = 23, bias = 127;
};
struct Exp2Double {
  static constexpr double lowest = -1022.0, round = 6755399441055744.0;
  // ln(2)^k / k!
  static constexpr double p[] = {6.931471805599453e-01, 2.402265069591007e-01, 5.550410866482158e-02,
                                 9.618129107628477e-03, 1.333355814642844e-03, 1.540353039338161e-04,
                                 1.525273380405984e-05, 1.321548679014431e-06, 1.017808600923970e-07,
                                 7.054911620801123e-09, 4.445538271870811e-10, 2.567843599348820e-11,
                                 1.369148885390412e-12, 6.778726354822545e-14};
  static constexpr int shift = 52, bias = 1023;
};

template <typename C, typename T>
EH_FORCE Vector<T> exp2_polynomial(Vector<T> r) {
  constexpr int terms = sizeof(C::p) / sizeof(C::p[0]);
  Vector<T> p = all<T>(C::p[terms - 1]);
#pragma GCC unroll 16
  for (int k = terms - 2; k >= 0; --k) p = p * r + C::p[k];
  return p * r + T{1};
}

template <typename T>
EH_FORCE Vector<T> exp2_of(Vector<T> x) {
  using C = std::conditional_t<sizeof(T) == 4, Exp2Float, Exp2Double>;
#if defined(__AVX512DQ__)
  if constexpr (sizeof(T) == 4) {
    const Vector<T> r = _mm512_reduce_ps(x, 0);
    // All lanes: GCC 12 warns of the instruction without a mask.
    return _mm512_maskz_scalef_ps(0xFFFF, exp2_polynomial<C, T>(r), x - r);
  }
#endif
  using I = Vector<Signed<T>>;
  x = x < all<T>(C::lowest) ? all<T>(C::lowest) : x;
  const Vector<T> shifted = x + C::round;
  // The low bits of `shifted` are n in two's complement.
  const I power = (std::bit_cast<I>(shifted) + C::bias) << C::shift;
  return exp2_polynomial<C, T>(x - (shifted - C::round)) * std::bit_cast<Vector<T>>(power);
}

// ------------------------------------------------------------------ conversions

struct Bf16 {
  std::uint16_t bits;
};

/// 16-bit integers, as many as a vector of T has lanes.
template <typename T>
using Halves = typename VectorOf<std::uint16_t, 2 * kLanes<T>>::type;
template <typename T>
using Bytes = typename VectorOf<std::uint8_t, kLanes<T>>::type;

template <typename T>
EH_FORCE Vector<T> load_as(const T* p) {
  return load(p);
}
template <typename T>
EH_FORCE Vector<T> load_as(const Bf16* p) {
  Halves<T> half;
  __builtin_memcpy(&half, p, sizeof half);
  static_assert(sizeof(T) == 4);
  return std::bit_cast<Vector<T>>(__builtin_convertvector(half, Vector<std::uint32_t>) << 16);
}

/// The first n < lanes elements, zeros behind them.
template <typename T, typename Source>
EH_FORCE Vector<T> load_part(const Source* p, Index n) {
  Source part[kLanes<T>] = {};
  for (Index i = 0; i < n; ++i) part[i] = p[i];
  return load_as<T>(part);
}
template <typename T, typename Source>
EH_FORCE Vector<T> load_up_to(const Source* p, Index n) {
  return n >= kLanes<T> ? load_as<T>(p) : n > 0 ? load_part<T>(p, n) : Vector<T>{};
}

EH_FORCE void store_as(float* p, Vector<float> v) { store(p, v); }
EH_FORCE void store_as(double* p, Vector<double> v) { store(p, v); }
EH_FORCE void store_as(Bf16* p, Vector<float> v) {
  // Rounds to nearest even; NaN becomes the quiet NaN.
  const auto bits = std::bit_cast<Vector<std::uint32_t>>(v);
  const auto rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  const auto half = __builtin_convertvector(v == v ? rounded : (rounded & 0) + 0x7FC0, Halves<float>);
  __builtin_memcpy(p, &half, sizeof half);
}
template <typename T, typename To>
EH_FORCE void store_up_to(To* p, Vector<T> v, Index n) {
  if (n >= kLanes<T>) return store_as(p, v);
  To part[kLanes<T>];
  store_as(part, v);
  for (Index i = 0; i < n; ++i) p[i] = part[i];
}

// ------------------------------------------------------------------ transposition

template <typename V, int... I>
EH_FORCE V interleave_low(V a, V b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, ((I & 1) ? int(sizeof...(I)) + I / 2 : I / 2)...);
}
template <typename V, int... I>
EH_FORCE V interleave_high(V a, V b, std::integer_sequence<int, I...>) {
  constexpr int n = sizeof...(I);
  return __builtin_shufflevector(a, b, ((I & 1) ? n + n / 2 + I / 2 : n / 2 + I / 2)...);
}

/// Transposes a square of N vectors of N lanes: log2(N) rounds of interleaving the upper with the lower half.
template <int N, typename V>
EH_FORCE void transpose(V (&rows)[N]) {
  constexpr auto lanes = std::make_integer_sequence<int, N>{};
#pragma GCC unroll 8
  for (int round = 1; round < N; round *= 2) {
    V next[N];
#pragma GCC unroll 16
    for (int i = 0; i < N / 2; ++i) {
      next[2 * i] = interleave_low(rows[i], rows[i + N / 2], lanes);
      next[2 * i + 1] = interleave_high(rows[i], rows[i + N / 2], lanes);
    }
#pragma GCC unroll 16
    for (int i = 0; i < N; ++i) rows[i] = next[i];
  }
}

}  // namespace
}  // namespace eh::kernels::engine
