// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Random numbers that are a function of (seed, position): Philox4x32-10 (Salmon et al., SC 2011).
///
/// Element i of a stream does not depend on who computes it, so any distribution of an array gives the same array.
/// The results are the same bits on every x86-64 processor: no fused multiply-add, no library functions.
namespace eh::kernels {

/// A stream of elements, starting at block `counter` (one block = 128 random bits) of generator `seed`.
struct PhiloxStream {
  std::uint64_t seed;
  std::uint64_t counter;
};

/// `count` runs of `length` consecutive elements of the stream; run j starts at element first + j * pitch.
/// They are written packed, run behind run.
struct Runs {
  std::int64_t first;
  std::int64_t length;
  std::int64_t pitch;
  std::int64_t count;
};

/// Blocks that a stream of `n` elements uses up: the next stream starts that much later. `bits` per element: 32 or 64.
std::uint64_t philox_blocks(std::int64_t n, int bits);

/// Multiples of 2^-bits in [0, 1). @pre bits <= 24 for float, <= 53 for double
void philox_uniform(PhiloxStream stream, const Runs& runs, float* out, int bits = 24);
void philox_uniform(PhiloxStream stream, const Runs& runs, double* out, int bits = 53);

/// Standard normal, by Box and Muller's method. float uses 32 bits an element, double 64.
void philox_normal(PhiloxStream stream, const Runs& runs, float* out);
void philox_normal(PhiloxStream stream, const Runs& runs, double* out);

/// Integers low, ..., low + span, each equally likely (rejection, after Lemire). Uses philox_integer_bits(span) each.
void philox_integers(PhiloxStream stream, const Runs& runs, std::int64_t low, std::uint64_t span,
                     std::int64_t* out);
void philox_integers(PhiloxStream stream, const Runs& runs, std::int64_t low, std::uint64_t span,
                     std::int32_t* out);
inline int philox_integer_bits(std::uint64_t span) { return span >> 32 ? 64 : 32; }

/// One integer in [0, span], of a stream of 64-bit elements. Slow: for irregular uses.
std::uint64_t philox_integer_at(PhiloxStream stream, std::int64_t position, std::uint64_t span);

}  // namespace eh::kernels
