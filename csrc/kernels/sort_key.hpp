// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "base/dtype.hpp"

/// Order-preserving integers for every element type: a key is as wide as its value, and unsigned comparison of keys
/// is NumPy's order of values (reals: NaN last; complex: lexicographic, those with NaN last).
namespace eh::kernels {

/// A 128-bit unsigned integer, as far as sorting needs one.
struct Key128 {
  std::uint64_t hi = 0;
  std::uint64_t lo = 0;
  auto operator<=>(const Key128&) const = default;
  Key128 operator~() const { return {~hi, ~lo}; }
};

/// How values become keys.
struct KeyOrder {
  bool descending = false;
  /// -0.0 and 0.0 as one key (its value is 0.0), as the order of equal elements needs it.
  bool equal_zeros = false;
};

template <typename U>
constexpr U top_bit() {
  return static_cast<U>(U{1} << (std::numeric_limits<U>::digits - 1));
}

template <typename U>
struct UnsignedCodec {
  using Key = U;
  using Raw = U;
  static constexpr bool kInexact = false;
  static Key encode(Raw v, bool) { return v; }
  static Raw decode(Key k) { return k; }
  static bool is_nan(Key) { return false; }
};

template <typename U>
struct SignedCodec {
  using Key = U;
  using Raw = U;
  static constexpr bool kInexact = false;
  static Key encode(Raw v, bool) { return static_cast<U>(v ^ top_bit<U>()); }
  static Raw decode(Key k) { return static_cast<U>(k ^ top_bit<U>()); }
  static bool is_nan(Key) { return false; }
};

/// IEEE reals by their bits; `kInfinity` are those of +infinity. Every NaN becomes the largest key.
template <typename U, U kInfinity>
struct RealCodec {
  using Key = U;
  using Raw = U;
  static constexpr bool kInexact = true;
  static constexpr U kNan = static_cast<U>(~U{0});
  static Key encode(Raw v, bool equal_zeros) {
    const U magnitude = static_cast<U>(v & ~top_bit<U>());
    if (equal_zeros && magnitude == 0) v = 0;
    const U flip = (v & top_bit<U>()) != 0 ? kNan : top_bit<U>();
    return magnitude > kInfinity ? kNan : static_cast<U>(v ^ flip);
  }
  static Raw decode(Key k) {
    const U flip = (k & top_bit<U>()) != 0 ? top_bit<U>() : kNan;
    return static_cast<U>(k ^ flip);
  }
  static bool is_nan(Key k) { return k == kNan; }
};

/// Two halves of a key; the upper one decides.
inline std::uint64_t join(std::uint32_t hi, std::uint32_t lo) {
  return (static_cast<std::uint64_t>(hi) << 32) | lo;
}
inline Key128 join(std::uint64_t hi, std::uint64_t lo) { return {hi, lo}; }
inline std::uint32_t upper(std::uint64_t k) { return static_cast<std::uint32_t>(k >> 32); }
inline std::uint32_t lower(std::uint64_t k) { return static_cast<std::uint32_t>(k); }
inline std::uint64_t upper(const Key128& k) { return k.hi; }
inline std::uint64_t lower(const Key128& k) { return k.lo; }

/// Real and imaginary part. NumPy's order: R + Rj, R + nanj, nan + Rj, nan + nanj; the upper halves of the last
/// three are keys no real number has (those between infinity and NaN).
template <typename Part, typename Word>
struct ComplexCodec {
  using U = typename Part::Key;
  using Key = Word;
  struct Raw {
    U re;
    U im;
  };
  static constexpr bool kInexact = true;
  static constexpr U kNanImaginary = static_cast<U>(Part::kNan - 2);
  static constexpr U kNanReal = static_cast<U>(Part::kNan - 1);
  static Key encode(const Raw& v, bool equal_zeros) {
    const U re = Part::encode(v.re, equal_zeros);
    const U im = Part::encode(v.im, equal_zeros);
    if (Part::is_nan(re)) return Part::is_nan(im) ? join(Part::kNan, Part::kNan) : join(kNanReal, im);
    return Part::is_nan(im) ? join(kNanImaginary, re) : join(re, im);
  }
  static Raw decode(const Key& k) {
    const U hi = upper(k);
    const U nan = Part::decode(Part::kNan);
    if (hi == kNanImaginary) return {Part::decode(lower(k)), nan};
    if (hi == kNanReal) return {nan, Part::decode(lower(k))};
    return {Part::decode(hi), Part::decode(lower(k))};
  }
  static bool is_nan(const Key& k) { return upper(k) >= kNanImaginary; }
};

using HalfCodec = RealCodec<std::uint16_t, 0x7c00>;
using BFloatCodec = RealCodec<std::uint16_t, 0x7f80>;
using FloatCodec = RealCodec<std::uint32_t, 0x7f800000u>;
using DoubleCodec = RealCodec<std::uint64_t, 0x7ff0000000000000u>;

/// Calls f with the codec of a type.
template <typename F>
auto with_codec(DType dtype, F&& f) {
  switch (dtype) {
    case DType::Bool:
    case DType::UInt8:
      return f(UnsignedCodec<std::uint8_t>());
    case DType::UInt16:
      return f(UnsignedCodec<std::uint16_t>());
    case DType::UInt32:
      return f(UnsignedCodec<std::uint32_t>());
    case DType::UInt64:
      return f(UnsignedCodec<std::uint64_t>());
    case DType::Int8:
      return f(SignedCodec<std::uint8_t>());
    case DType::Int16:
      return f(SignedCodec<std::uint16_t>());
    case DType::Int32:
      return f(SignedCodec<std::uint32_t>());
    case DType::Int64:
      return f(SignedCodec<std::uint64_t>());
    case DType::Float16:
      return f(HalfCodec());
    case DType::BFloat16:
      return f(BFloatCodec());
    case DType::Float32:
      return f(FloatCodec());
    case DType::Float64:
      return f(DoubleCodec());
    case DType::Complex64:
      return f(ComplexCodec<FloatCodec, std::uint64_t>());
    default:
      return f(ComplexCodec<DoubleCodec, Key128>());
  }
}

/// Calls f with a value of the key type that is `width` bytes wide.
template <typename F>
auto with_key(std::size_t width, F&& f) {
  switch (width) {
    case 1:
      return f(std::uint8_t{});
    case 2:
      return f(std::uint16_t{});
    case 4:
      return f(std::uint32_t{});
    case 8:
      return f(std::uint64_t{});
    default:
      return f(Key128{});
  }
}

/// Bits [shift, shift + 16) and fewer of a key, and keys as 128-bit numbers.
template <typename Key>
inline Key128 widen(const Key& k) {
  if constexpr (std::is_same_v<Key, Key128>)
    return k;
  else
    return {0, k};
}
template <typename Key>
inline Key narrow(const Key128& k) {
  if constexpr (std::is_same_v<Key, Key128>)
    return k;
  else
    return static_cast<Key>(k.lo);
}
inline Key128 shifted_right(const Key128& k, int shift) {
  if (shift == 0) return k;
  if (shift >= 64) return {0, shift == 64 ? k.hi : k.hi >> (shift - 64)};
  return {k.hi >> shift, (k.lo >> shift) | (k.hi << (64 - shift))};
}
inline Key128 shifted_left(std::uint64_t k, int shift) {
  if (shift >= 64) return {k << (shift - 64), 0};
  return {shift == 0 ? 0 : k >> (64 - shift), k << shift};
}

}  // namespace eh::kernels
