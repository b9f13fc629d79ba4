// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

#include "kernels/copy.hpp"
#include "kernels/pack.hpp"
#include "kernels/tiles.hpp"

using eh::StridedView;

namespace {

using Numbers = std::vector<std::int64_t>;

/// Packs and unpacks a view of a (4, 6, 10) array of items in pieces of every length, and compares with plain loops.
void check_view(std::size_t item, const Numbers& sizes, const Numbers& strides, std::int64_t offset) {
  std::vector<std::byte> memory(4 * 6 * 10 * item);
  for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<std::byte>(i % 251);
  std::vector<std::byte> expected;
  Numbers in_bytes;
  for (const auto stride : strides) in_bytes.push_back(stride * static_cast<std::int64_t>(item));
  const std::int64_t count =
      std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t rest = i, at = offset;
    for (std::size_t axis = sizes.size(); axis-- > 0; rest /= sizes[axis])
      at += rest % sizes[axis] * strides[axis];
    const auto* from = memory.data() + static_cast<std::size_t>(at) * item;
    expected.insert(expected.end(), from, from + item);
  }
  const std::byte* base = memory.data() + static_cast<std::size_t>(offset) * item;
  const StridedView view(const_cast<std::byte*>(base), item, sizes, in_bytes);
  REQUIRE(view.bytes() == static_cast<std::int64_t>(expected.size()));
  for (std::int64_t piece : {std::int64_t{1}, std::int64_t{7}, std::int64_t{64}, view.bytes() + 1}) {
    std::vector<std::byte> packed(expected.size());
    for (std::int64_t at = 0; at < view.bytes(); at += piece)
      view.pack(at, std::min(piece, view.bytes() - at), packed.data() + at);
    CHECK(packed == expected);
    auto target = memory;
    std::fill(target.begin(), target.end(), std::byte{0});
    const StridedView back(target.data() + static_cast<std::size_t>(offset) * item, item, sizes, in_bytes);
    for (std::int64_t at = 0; at < view.bytes(); at += piece)
      back.unpack(at, std::min(piece, view.bytes() - at), expected.data() + at);
    std::fill(packed.begin(), packed.end(), std::byte{0});
    back.pack(0, view.bytes(), packed.data());
    CHECK(packed == expected);
  }
}

}  // namespace

TEST_CASE("views of every kind are packed and unpacked") {
  for (const std::size_t item : {1u, 2u, 4u, 8u, 16u, 3u}) {
    CAPTURE(item);
    check_view(item, {4, 6, 10}, {60, 10, 1}, 0);  // all of it
    check_view(item, {4, 6, 5}, {60, 10, 1}, 3);   // part of the last axis
    check_view(item, {4, 2, 10}, {60, 10, 1}, 20);
    check_view(item, {10, 6, 4}, {1, 10, 60}, 0);  // transposed
    check_view(item, {6, 4}, {10, 60}, 9);
    check_view(item, {2, 3, 5}, {120, 20, 2}, 1);  // steps
    check_view(item, {}, {}, 7);
    check_view(item, {1, 1}, {3, 9}, 7);
    check_view(item, {3, 0, 2}, {60, 10, 1}, 0);
  }
}

TEST_CASE("long transposed views go by tiles, from any element on") {
  for (const std::size_t item : {1u, 2u, 4u, 8u, 16u, 3u}) {
    CAPTURE(item);
    const std::int64_t rows = 83, columns = 41;
    std::vector<std::byte> memory(static_cast<std::size_t>(3 * rows * columns) * item);
    for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<std::byte>(i * 7 % 253);
    const auto step = static_cast<std::int64_t>(item);
    // A (3, columns, rows) view of (3, rows, columns).
    const Numbers sizes{3, columns, rows}, strides{rows * columns * step, step, columns * step};
    std::vector<std::byte> expected;
    for (std::int64_t k = 0; k < 3; ++k)
      for (std::int64_t j = 0; j < columns; ++j)
        for (std::int64_t i = 0; i < rows; ++i) {
          const auto* from = memory.data() + k * strides[0] + j * strides[1] + i * strides[2];
          expected.insert(expected.end(), from, from + item);
        }
    const StridedView view(memory.data(), item, sizes, strides);
    std::vector<std::byte> zeros(memory.size());
    const StridedView back(zeros.data(), item, sizes, strides);
    for (const std::int64_t piece : {std::int64_t{1000}, std::int64_t{4097}, view.bytes()}) {
      std::vector<std::byte> packed(expected.size());
      std::fill(zeros.begin(), zeros.end(), std::byte{0});
      for (std::int64_t at = 0; at < view.bytes(); at += piece) {
        const std::int64_t n = std::min(piece, view.bytes() - at);
        view.pack(at, n, packed.data() + at);
        back.unpack(at, n, expected.data() + at);
      }
      CHECK(packed == expected);
      CHECK(zeros == memory);
    }
    std::vector<std::byte> copied(expected.size());
    const Numbers close{columns * rows * step, rows * step, step};
    CHECK(eh::kernels::are_transposed(strides, close, sizes, item) == (columns * step >= 64));
    eh::kernels::copy_transposed(memory.data(), strides, copied.data(), close, sizes, item);
    CHECK(copied == expected);
  }
}

TEST_CASE("bytes are copied whatever lies between source and target") {
  constexpr std::size_t kMost = (1 << 20) + 300;
  std::vector<std::byte> from(kMost + 64), to(kMost + 64);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::byte>(i % 249);
  for (const std::size_t bytes : {0UL, 1UL, 2047UL, 2048UL, 2049UL, 4096UL, 65537UL, (1UL << 20) - 1, kMost})
    for (const std::size_t a : {0UL, 1UL, 16UL, 63UL})
      for (const std::size_t b : {0UL, 16UL, 17UL}) {
        std::fill(to.begin(), to.end(), std::byte{255});
        eh::kernels::copy_bytes(to.data() + b, from.data() + a, bytes);
        CHECK(std::equal(to.begin() + static_cast<std::ptrdiff_t>(b),
                         to.begin() + static_cast<std::ptrdiff_t>(b + bytes),
                         from.begin() + static_cast<std::ptrdiff_t>(a)));
        CHECK(std::all_of(to.begin(), to.begin() + static_cast<std::ptrdiff_t>(b),
                          [](std::byte x) { return x == std::byte{255}; }));
        CHECK(to[b + bytes] == std::byte{255});
      }
}
