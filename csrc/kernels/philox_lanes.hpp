// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/philox.hpp"

/// One group of Philox blocks at a time, in loops over lanes that compilers turn into vector instructions.
///
/// A group is kLanes blocks of four 32-bit words. Its elements are ordered word by word: element e of a stream of
/// 32-bit elements is word e / kLanes of lane e % kLanes; 64-bit elements are pairs of words in the same order.
namespace eh::kernels::lanes {

#define EH_INLINE inline __attribute__((always_inline))

inline constexpr int kLanes = 16;

struct Group {
  std::uint32_t word[4][kLanes];
};

inline constexpr int kRounds = 10;
inline constexpr std::uint32_t kKeyStep[2] = {0x9E3779B9, 0xBB67AE85};

/// One round on lane l of the counters.
template <int Lanes>
EH_INLINE void philox_round(std::uint32_t (&c)[4][Lanes], std::uint32_t key0, std::uint32_t key1, int l) {
  const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c[0][l];
  const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c[2][l];
  c[0][l] = static_cast<std::uint32_t>(p1 >> 32) ^ c[1][l] ^ key0;
  c[2][l] = static_cast<std::uint32_t>(p0 >> 32) ^ c[3][l] ^ key1;
  c[1][l] = static_cast<std::uint32_t>(p1);
  c[3][l] = static_cast<std::uint32_t>(p0);
}

/// `Lanes` consecutive blocks; `attempt` numbers redraws of the same block.
template <int Lanes>
EH_INLINE void philox(std::uint64_t seed, std::uint64_t first, std::uint32_t attempt,
                      std::uint32_t (&c)[4][Lanes]) {
  for (int l = 0; l < Lanes; ++l) {
    const std::uint64_t block = first + static_cast<std::uint64_t>(l);
    c[0][l] = static_cast<std::uint32_t>(block);
    c[1][l] = static_cast<std::uint32_t>(block >> 32);
    c[2][l] = attempt;
    c[3][l] = 0;
  }
  auto key0 = static_cast<std::uint32_t>(seed);
  auto key1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < kRounds; ++round) {
    // Lanes innermost: that is the loop compilers vectorise.
#pragma GCC unroll 1
    for (int l = 0; l < Lanes; ++l) philox_round(c, key0, key1, l);
    key0 += kKeyStep[0];
    key1 += kKeyStep[1];
  }
}

EH_INLINE std::uint64_t first_block(PhiloxStream stream, std::int64_t group) {
  return stream.counter + static_cast<std::uint64_t>(group) * kLanes;
}

EH_INLINE void philox_group(PhiloxStream stream, std::int64_t group, Group& g) {
  philox(stream.seed, first_block(stream, group), 0, g.word);
}

// ------------------------------------------------------------------ elementary functions, as polynomials
// Unsigned and 64-bit integers have no vector conversion to reals in AVX2: the code below converts signed 32-bit parts.

template <typename Real>
EH_INLINE Real real(std::uint32_t below_2_31) {
  return static_cast<Real>(static_cast<std::int32_t>(below_2_31));
}

/// sum over k of c[k] z^k.
template <typename Real, int N>
EH_INLINE Real horner(const Real (&c)[N], Real z) {
  Real sum = c[N - 1];
#pragma GCC unroll 16
  for (int k = N - 2; k >= 0; --k) sum = sum * z + c[k];
  return sum;
}

// log(m) = 2 artanh(s) with s = (m - 1) / (m + 1), for m between sqrt(1/2) and sqrt(2).
template <typename Real, int N>
EH_INLINE Real log_near_one(Real m, const Real (&inverse_odd)[N]) {
  const Real s = (m - 1) / (m + 1);
  return 2 * s * horner(inverse_odd, s * s);
}

EH_INLINE float log_of(float x) {  // normal numbers > 0
  constexpr float odd[] = {1, 1.0f / 3, 1.0f / 5, 1.0f / 7, 1.0f / 9};
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x) + (0x3F800000u - 0x3F3504F3u);
  const float exponent = real<float>(bits >> 23) - 127.0f;
  const float m = std::bit_cast<float>((bits & 0x007FFFFFu) + 0x3F3504F3u);
  return exponent * 0.693147180559945309f + log_near_one(m, odd);
}

EH_INLINE double log_of(double x) {  // normal numbers > 0
  constexpr double odd[] = {1,        1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9, 1.0 / 11,
                            1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x) + (0x3FF0000000000000u - 0x3FE6A09E667F3BCDu);
  // The biased exponent as the low bits of 2^52: a conversion without a conversion instruction.
  const double exponent =
      std::bit_cast<double>((bits >> 52) | 0x4330000000000000u) - (4503599627370496.0 + 1023.0);
  const double m = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCDu);
  return exponent * 0.693147180559945309417 + log_near_one(m, odd);
}

template <typename Real>
struct Turn {
  Real cosine;
  Real sine;
};

/// cos and sin of a turn's fraction: `quadrant` quarters plus `x` radians, |x| <= pi / 4.
template <typename Real, int N>
EH_INLINE Turn<Real> turn(std::uint32_t quadrant, Real x, const Real (&sine)[N], const Real (&cosine)[N]) {
  const Real z = x * x;
  const Real s = x * horner(sine, z);
  const Real c = horner(cosine, z);
  const bool swap = (quadrant & 1) != 0;
  const Real a = swap ? s : c;
  const Real b = swap ? c : s;
  return {((quadrant + 1) & 2) != 0 ? -a : a, (quadrant & 2) != 0 ? -b : b};
}

EH_INLINE Turn<float> turn_of(std::uint32_t word) {
  constexpr float sine[] = {1, -1.0f / 6, 1.0f / 120, -1.0f / 5040, 1.0f / 362880, -1.0f / 39916800};
  constexpr float cosine[] = {1, -0.5f, 1.0f / 24, -1.0f / 720, 1.0f / 40320, -1.0f / 3628800};
  const std::uint32_t quadrant = (word + 0x20000000u) >> 30;
  const float x = real<float>(word - (quadrant << 30)) * static_cast<float>(6.283185307179586 / 4294967296.0);
  return turn(quadrant, x, sine, cosine);
}

EH_INLINE Turn<double> turn_of(std::uint32_t word, std::uint32_t low) {
  constexpr double sine[] = {1,
                             -1.0 / 6,
                             1.0 / 120,
                             -1.0 / 5040,
                             1.0 / 362880,
                             -1.0 / 39916800,
                             1.0 / 6227020800,
                             -1.0 / 1307674368000,
                             1.0 / 355687428096000};
  constexpr double cosine[] = {1,
                               -0.5,
                               1.0 / 24,
                               -1.0 / 720,
                               1.0 / 40320,
                               -1.0 / 3628800,
                               1.0 / 479001600,
                               -1.0 / 87178291200,
                               1.0 / 20922789888000};
  const std::uint32_t quadrant = (word + 0x20000000u) >> 30;
  const double fraction = real<double>(word - (quadrant << 30)) + real<double>(low >> 1) * 0x1p-31;
  return turn(quadrant, fraction * (6.283185307179586 / 4294967296.0), sine, cosine);
}

// ------------------------------------------------------------------ what a group becomes

struct UniformFloat {
  using Value = float;
  static constexpr int kElements = 4 * kLanes;
  int dropped;  ///< of 32 bits

  EH_INLINE void operator()(PhiloxStream stream, std::int64_t group, float* out) const {
    Group g;
    philox_group(stream, group, g);
    const float scale = 1.0f / static_cast<float>(std::uint64_t{1} << (32 - dropped));
    for (int w = 0; w < 4; ++w)
      for (int l = 0; l < kLanes; ++l) out[w * kLanes + l] = real<float>(g.word[w][l] >> dropped) * scale;
  }
};

/// 53 random bits as a whole number.
EH_INLINE double whole53(std::uint32_t high, std::uint32_t low) {
  return real<double>(high >> 5) * 67108864.0 + real<double>(low >> 6);
}

struct UniformDouble {
  using Value = double;
  static constexpr int kElements = 2 * kLanes;
  int dropped;  ///< of 53 bits

  EH_INLINE void operator()(PhiloxStream stream, std::int64_t group, double* out) const {
    Group g;
    philox_group(stream, group, g);
    for (int w = 0; w < 2; ++w)
      for (int l = 0; l < kLanes; ++l)
        out[w * kLanes + l] = whole53(g.word[2 * w][l], g.word[2 * w + 1][l]) * 0x1p-53;
    if (dropped == 0) return;
    const double scale = static_cast<double>(std::uint64_t{1} << (53 - dropped));
    for (int e = 0; e < kElements; ++e) out[e] = std::floor(out[e] * scale) / scale;
  }
};

struct NormalFloat {
  using Value = float;
  static constexpr int kElements = 4 * kLanes;

  EH_INLINE void operator()(PhiloxStream stream, std::int64_t group, float* out) const {
    Group g;
    philox_group(stream, group, g);
    for (int w = 0; w < 4; w += 2)
      for (int l = 0; l < kLanes; ++l) {
        // All 32 bits, never 0: the tails reach 6.7 standard deviations.
        const std::uint32_t u = g.word[w][l];
        const float v = real<float>(u >> 16) * 65536.0f + real<float>(u & 0xFFFFu) + 0.5f;
        const float radius = std::sqrt(-2.0f * log_of(v * 0x1p-32f));
        const Turn<float> t = turn_of(g.word[w + 1][l]);
        out[w * kLanes + l] = radius * t.cosine;
        out[(w + 1) * kLanes + l] = radius * t.sine;
      }
  }
};

struct NormalDouble {
  using Value = double;
  static constexpr int kElements = 2 * kLanes;

  EH_INLINE void operator()(PhiloxStream stream, std::int64_t group, double* out) const {
    Group g;
    philox_group(stream, group, g);
    for (int l = 0; l < kLanes; ++l) {
      const double u = (whole53(g.word[0][l], g.word[1][l]) + 1.0) * 0x1p-53;  // (0, 1]
      const double radius = std::sqrt(-2.0 * log_of(u));
      const Turn<double> t = turn_of(g.word[2][l], g.word[3][l]);
      out[l] = radius * t.cosine;
      out[kLanes + l] = radius * t.sine;
    }
  }
};

/// One lane's block at its `attempt`th redraw.
inline void redraw(PhiloxStream stream, std::int64_t group, int element, std::uint32_t attempt,
                   std::uint32_t (&c)[4][1]) {
  philox(stream.seed, first_block(stream, group) + static_cast<std::uint64_t>(element % kLanes), attempt, c);
}

inline std::uint32_t redraw32(PhiloxStream stream, std::int64_t group, int element, std::uint32_t attempt) {
  std::uint32_t c[4][1];
  redraw(stream, group, element, attempt, c);
  return c[element / kLanes][0];
}

inline std::uint64_t redraw64(PhiloxStream stream, std::int64_t group, int element, std::uint32_t attempt) {
  std::uint32_t c[4][1];
  redraw(stream, group, element, attempt, c);
  const int w = 2 * (element / kLanes);
  return (std::uint64_t{c[w][0]} << 32) | c[w + 1][0];
}

/// Lemire: the high half of bits * range is uniform once low halves under 2^b mod range are rejected.
template <typename T>
struct Integers32 {
  using Value = T;
  static constexpr int kElements = 4 * kLanes;
  std::uint64_t low;
  std::uint64_t range;
  std::uint32_t threshold;

  Integers32(std::int64_t low_, std::uint64_t span)
      : low(static_cast<std::uint64_t>(low_)),
        range(span + 1),
        threshold(static_cast<std::uint32_t>((std::uint64_t{1} << 32) % range)) {}

  EH_INLINE void operator()(PhiloxStream stream, std::int64_t group, T* out) const {
    Group g;
    philox_group(stream, group, g);
    const std::uint32_t* words = &g.word[0][0];
    std::uint32_t rejected = 0;
    for (int e = 0; e < kElements; ++e) {
      const std::uint64_t product = words[e] * range;
      rejected |= static_cast<std::uint32_t>(static_cast<std::uint32_t>(product) < threshold);
      out[e] = static_cast<T>(low + (product >> 32));
    }
    if (rejected != 0) [[unlikely]]
      redraw_rejected(stream, group, words, out);
  }

  void redraw_rejected(PhiloxStream stream, std::int64_t group, const std::uint32_t* words, T* out) const {
    for (int e = 0; e < kElements; ++e) {
      std::uint64_t product = words[e] * range;
      for (std::uint32_t attempt = 1; static_cast<std::uint32_t>(product) < threshold; ++attempt)
        product = redraw32(stream, group, e, attempt) * range;
      out[e] = static_cast<T>(low + (product >> 32));
    }
  }
};

/// Element of a stream of 64-bit elements as an integer in [0, span]; `bits` are its first 64 random bits.
inline std::uint64_t bounded64(PhiloxStream stream, std::int64_t group, int element, std::uint64_t bits,
                               std::uint64_t span) {
  const std::uint64_t range = span + 1;
  if (range == 0) return bits;
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(bits) * range;
  if (static_cast<std::uint64_t>(product) < range) {  // only then may it lie under the threshold
    const std::uint64_t threshold = (0 - range) % range;
    for (std::uint32_t attempt = 1; static_cast<std::uint64_t>(product) < threshold; ++attempt)
      product = static_cast<Wide>(redraw64(stream, group, element, attempt)) * range;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

template <typename T>
struct Integers64 {
  using Value = T;
  static constexpr int kElements = 2 * kLanes;
  std::int64_t low;
  std::uint64_t span;

  EH_INLINE void operator()(PhiloxStream stream, std::int64_t group, T* out) const {
    Group g;
    philox_group(stream, group, g);
    for (int e = 0; e < kElements; ++e) {
      const int w = 2 * (e / kLanes);
      const std::uint64_t bits = (std::uint64_t{g.word[w][e % kLanes]} << 32) | g.word[w + 1][e % kLanes];
      out[e] = static_cast<T>(static_cast<std::uint64_t>(low) + bounded64(stream, group, e, bits, span));
    }
  }
};

}  // namespace eh::kernels::lanes
