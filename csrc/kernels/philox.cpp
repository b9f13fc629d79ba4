// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/philox.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/philox_lanes.hpp"

namespace eh::kernels {
namespace {

using lanes::kLanes;

/// The loops below are compiled once for the baseline and once for AVX2; both give the same bits.
#if defined(__x86_64__) && defined(__GNUC__)
#define EH_HAS_AVX2 1
#define EH_AVX2 __attribute__((target("avx2")))
bool has_avx2() {
  static const bool value = __builtin_cpu_supports("avx2") != 0;
  return value;
}
#endif

/// Writes the runs of a stream whose elements come in groups that `op` computes.
template <typename Op>
EH_INLINE void fill(const Op& op, PhiloxStream stream, const Runs& runs, typename Op::Value* out) {
  constexpr std::int64_t size = Op::kElements;
  typename Op::Value tile[size];
  std::int64_t in_tile = -1;  // short runs share a group: compute it once
  for (std::int64_t run = 0; run < runs.count; ++run) {
    std::int64_t position = runs.first + run * runs.pitch;
    const std::int64_t end = position + runs.length;
    while (position < end) {
      const std::int64_t group = position / size;
      const std::int64_t begin = position % size;
      const std::int64_t n = std::min(size - begin, end - position);
      if (n == size) {
        op(stream, group, out);
      } else {
        if (group != in_tile) op(stream, group, tile);
        in_tile = group;
        std::memcpy(out, tile + begin, static_cast<std::size_t>(n) * sizeof(*out));
      }
      out += n;
      position += n;
    }
  }
}

#ifdef EH_HAS_AVX2
template <typename Op>
EH_AVX2 void fill_avx2(const Op& op, PhiloxStream stream, const Runs& runs, typename Op::Value* out) {
  fill(op, stream, runs, out);
}
#endif

template <typename Op>
void run(const Op& op, PhiloxStream stream, const Runs& runs, typename Op::Value* out) {
  if (runs.length == 0) return;
#ifdef EH_HAS_AVX2
  if (has_avx2()) return fill_avx2(op, stream, runs, out);
#endif
  fill(op, stream, runs, out);
}

}  // namespace

std::uint64_t philox_blocks(std::int64_t n, int bits) {
  const std::int64_t elements = kLanes * 128 / bits;
  return static_cast<std::uint64_t>((n + elements - 1) / elements * kLanes);
}

void philox_uniform(PhiloxStream stream, const Runs& runs, float* out, int bits) {
  run(lanes::UniformFloat{32 - bits}, stream, runs, out);
}
void philox_uniform(PhiloxStream stream, const Runs& runs, double* out, int bits) {
  run(lanes::UniformDouble{53 - bits}, stream, runs, out);
}
void philox_normal(PhiloxStream stream, const Runs& runs, float* out) {
  run(lanes::NormalFloat{}, stream, runs, out);
}
void philox_normal(PhiloxStream stream, const Runs& runs, double* out) {
  run(lanes::NormalDouble{}, stream, runs, out);
}

namespace {

template <typename T>
void integers(PhiloxStream stream, const Runs& runs, std::int64_t low, std::uint64_t span, T* out) {
  if (philox_integer_bits(span) == 64) return run(lanes::Integers64<T>{low, span}, stream, runs, out);
  run(lanes::Integers32<T>(low, span), stream, runs, out);
}

}  // namespace

void philox_integers(PhiloxStream stream, const Runs& runs, std::int64_t low, std::uint64_t span,
                     std::int64_t* out) {
  integers(stream, runs, low, span, out);
}
void philox_integers(PhiloxStream stream, const Runs& runs, std::int64_t low, std::uint64_t span,
                     std::int32_t* out) {
  integers(stream, runs, low, span, out);
}

std::uint64_t philox_integer_at(PhiloxStream stream, std::int64_t position, std::uint64_t span) {
  constexpr std::int64_t size = 2 * kLanes;
  const auto element = static_cast<int>(position % size);
  const std::uint64_t bits = lanes::redraw64(stream, position / size, element, 0);
  return lanes::bounded64(stream, position / size, element, bits, span);
}

}  // namespace eh::kernels
