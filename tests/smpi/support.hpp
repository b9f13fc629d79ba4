// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <complex>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "base/half.hpp"
#include "comm/communicator.hpp"

/// What the programs that run in SimGrid's simulator share. Ranks are many there: values must be exact for 64 of them.
namespace eh::simulated {

template <typename T>
inline constexpr DType kType = DType::Float64;
template <>
inline constexpr DType kType<std::uint8_t> = DType::UInt8;
template <>
inline constexpr DType kType<std::int64_t> = DType::Int64;
template <>
inline constexpr DType kType<float> = DType::Float32;
template <>
inline constexpr DType kType<BFloat16> = DType::BFloat16;
template <>
inline constexpr DType kType<std::complex<double>> = DType::Complex128;

template <typename T>
ConstBuffer input(const std::vector<T>& data) {
  return {data.data(), static_cast<std::int64_t>(data.size()), kType<T>};
}
template <typename T>
Buffer output(std::vector<T>& data) {
  return {data.data(), static_cast<std::int64_t>(data.size()), kType<T>};
}

/// Element i of rank r; small, so that sums over ranks are exact in bfloat16 too.
template <typename T>
T value(int rank, std::int64_t i) {
  return T(static_cast<float>((rank + i) % 3));
}
inline bool same(BFloat16 a, BFloat16 b) { return a.bits == b.bits; }
template <typename T>
bool same(T a, T b) {
  return a == b;
}

template <typename T>
std::vector<T> values(int rank, std::int64_t n) {
  std::vector<T> out;
  for (std::int64_t i = 0; i < n; ++i) out.push_back(value<T>(rank, i));
  return out;
}

/// Counts checks and those that failed.
struct Tally {
  std::int64_t checks = 0;
  std::int64_t wrong = 0;

  void expect(bool good, const char* what, int rank) {
    ++checks;
    if (good) return;
    if (wrong++ == 0) std::fprintf(stderr, "rank %d: wrong result of %s\n", rank, what);
  }
  /// expected(i) gives element i.
  template <typename T, typename Expected>
  void compare(const std::vector<T>& got, const Expected& expected, const char* what, int rank) {
    bool good = true;
    for (std::size_t i = 0; i < got.size(); ++i)
      good = good && same(got[i], expected(static_cast<std::int64_t>(i)));
    expect(good, what, rank);
  }
};

/// 0 for every third rank.
inline Counts uneven(int size, std::int64_t base) {
  Counts counts;
  for (int rank = 0; rank < size; ++rank) counts.push_back(base * (rank % 3));
  return counts;
}

/// Beyond it, fewer cases.
inline constexpr int kManyRanks = 8;

void check_collectives(const Communicator& comm, Tally& tally);
void check_messages(const Communicator& comm, Tally& tally);
void check_plans(const Communicator& comm, Tally& tally);
/// A mistake of the named kind, which the simulator has to report. Returns whether the name is known.
bool make_mistake(const Communicator& comm, const char* kind);
/// Simulated microseconds of the collectives at several sizes, printed by rank 0.
void time_collectives(const Communicator& comm, std::int64_t most_bytes);

}  // namespace eh::simulated
