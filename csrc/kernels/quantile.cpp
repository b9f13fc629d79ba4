// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/quantile.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/half.hpp"
#include "kernels/sort_key.hpp"

namespace eh::kernels {
namespace {

constexpr std::array<std::string_view, 13> kNames = {"inverted_cdf",
                                                     "averaged_inverted_cdf",
                                                     "closest_observation",
                                                     "interpolated_inverted_cdf",
                                                     "hazen",
                                                     "weibull",
                                                     "linear",
                                                     "median_unbiased",
                                                     "normal_unbiased",
                                                     "lower",
                                                     "higher",
                                                     "midpoint",
                                                     "nearest"};

/// Hyndman and Fan's alpha and beta: the virtual index in the sorted line.
double virtual_index(double n, double q, double alpha, double beta) {
  return n * q + (alpha + q * (1 - alpha - beta)) - 1;
}

Position between(double index, std::int64_t n) {
  if (index >= static_cast<double>(n - 1)) return {n - 1, n - 1, 0};
  if (index < 0) return {0, 0, 0};
  const double below = std::floor(index);
  const auto i = static_cast<std::int64_t>(below);
  return {i, i + 1, index - below};
}

Position only(double index, std::int64_t n) {
  const auto i = std::clamp<std::int64_t>(static_cast<std::int64_t>(index), 0, n - 1);
  return {i, i, 0};
}

/// The element below a whole index, else the one above.
Position stepped(double index, std::int64_t n, bool below_if_whole) {
  const double below = std::floor(index);
  return only(index == below && below_if_whole ? below : below + 1, n);
}

Position averaged(double index, std::int64_t n) {
  Position p = between(index, n);
  if (p.lower != p.upper) p.weight = p.weight == 0 ? 0.5 : 1;
  return p;
}

Position middle(double exact, std::int64_t n) {
  Position p = between(0.5 * (std::floor(exact) + std::ceil(exact)), n);
  if (p.lower != p.upper) p.weight = p.weight == 0 ? 0 : 0.5;
  return p;
}

template <typename Codec>
double number_of(const typename Codec::Raw& raw) {
  if constexpr (std::is_same_v<Codec, HalfCodec>) return detail::half_to_float(raw);
  if constexpr (std::is_same_v<Codec, BFloatCodec>)
    return detail::float_of(static_cast<std::uint32_t>(raw) << 16);
  if constexpr (std::is_same_v<Codec, FloatCodec>) return std::bit_cast<float>(raw);
  if constexpr (std::is_same_v<Codec, DoubleCodec>) return std::bit_cast<double>(raw);
  if constexpr (std::is_integral_v<typename Codec::Raw>) {
    using Raw = typename Codec::Raw;
    if constexpr (std::is_same_v<Codec, SignedCodec<Raw>>)
      return static_cast<double>(static_cast<std::make_signed_t<Raw>>(raw));
    else
      return static_cast<double>(raw);
  }
  return 0;  // complex numbers have no quantiles
}

/// NumPy's: exact at both ends.
double lerp(double a, double b, double t) {
  if (a == b) return a;
  return t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t;
}

}  // namespace

std::optional<QuantileMethod> quantile_method(std::string_view name) {
  const auto* found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<QuantileMethod>(found - kNames.begin());
}

std::string_view quantile_methods() {
  return "inverted_cdf, averaged_inverted_cdf, closest_observation, interpolated_inverted_cdf, hazen, "
         "weibull, "
         "linear, median_unbiased, normal_unbiased, lower, higher, midpoint, nearest";
}

bool is_discrete(QuantileMethod method) {
  using enum QuantileMethod;
  return method == InvertedCdf || method == ClosestObservation || method == Lower || method == Higher ||
         method == Nearest;
}

Position quantile_position(QuantileMethod method, double q, std::int64_t count) {
  const auto n = static_cast<double>(count);
  const double exact = (n - 1) * q;
  const double odd = std::floor(n * q - 1.5);
  switch (method) {
    using enum QuantileMethod;
    case InvertedCdf:
      return stepped(n * q - 1, count, true);
    case AveragedInvertedCdf:
      return averaged(n * q - 1, count);
    case ClosestObservation:
      return stepped(n * q - 1.5, count, std::fmod(std::abs(odd), 2) == 1);
    case InterpolatedInvertedCdf:
      return between(virtual_index(n, q, 0, 1), count);
    case Hazen:
      return between(virtual_index(n, q, 0.5, 0.5), count);
    case Weibull:
      return between(virtual_index(n, q, 0, 0), count);
    case MedianUnbiased:
      return between(virtual_index(n, q, 1 / 3.0, 1 / 3.0), count);
    case NormalUnbiased:
      return between(virtual_index(n, q, 3 / 8.0, 3 / 8.0), count);
    case Lower:
      return only(std::floor(exact), count);
    case Higher:
      return only(std::ceil(exact), count);
    case Midpoint:
      return middle(exact, count);
    case Nearest:
      return only(std::nearbyint(exact), count);
    default:
      return between(exact, count);
  }
}

Wanted wanted_of(const Quantiles& quantiles, std::int64_t n) {
  Wanted wanted;
  for (double q : quantiles.q) {
    wanted.positions.push_back(quantile_position(quantiles.method, q, n));
    wanted.ranks.push_back(wanted.positions.back().lower);
    wanted.ranks.push_back(wanted.positions.back().upper);
  }
  std::sort(wanted.ranks.begin(), wanted.ranks.end());
  wanted.ranks.erase(std::unique(wanted.ranks.begin(), wanted.ranks.end()), wanted.ranks.end());
  return wanted;
}

void write_quantiles(DType dtype, const Wanted& wanted, const std::vector<std::uint64_t>& keys,
                     QuantileOutput out, std::int64_t at) {
  const auto key_at = [&](std::int64_t rank) {
    const auto place =
        std::lower_bound(wanted.ranks.begin(), wanted.ranks.end(), rank) - wanted.ranks.begin();
    return keys[static_cast<std::size_t>(place)];
  };
  with_codec(dtype, [&](auto codec) {
    using Codec = decltype(codec);
    using Key = typename Codec::Key;
    if constexpr (std::is_integral_v<typename Codec::Raw>) {
      for (const Position& p : wanted.positions) {
        const auto lower = Codec::decode(static_cast<Key>(key_at(p.lower)));
        if (out.numbers == nullptr) {
          static_cast<typename Codec::Raw*>(out.elements)[at++] = lower;
          continue;
        }
        const auto upper = Codec::decode(static_cast<Key>(key_at(p.upper)));
        out.numbers[at++] = lerp(number_of<Codec>(lower), number_of<Codec>(upper), p.weight);
      }
    }
  });
}

void write_nan(DType dtype, std::int64_t count, QuantileOutput out, std::int64_t at) {
  if (out.numbers != nullptr) {
    std::fill_n(out.numbers + at, count, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  with_codec(dtype, [&](auto codec) {
    using Codec = decltype(codec);
    if constexpr (Codec::kInexact)
      std::fill_n(static_cast<typename Codec::Raw*>(out.elements) + at, count,
                  Codec::decode(narrow<typename Codec::Key>({~0ULL, ~0ULL})));
  });
}

}  // namespace eh::kernels
