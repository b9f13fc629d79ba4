// SPDX-License-Identifier: BSD-3-Clause
// The choice between ways of writing what another rank reads next, and copies past the caches.
#include <doctest/doctest.h>

#include <numeric>
#include <vector>

#include "comm/pace.hpp"
#include "kernels/copy.hpp"
#include "kernels/pack.hpp"

namespace {

using namespace eh;

constexpr std::size_t kBytes = 64 << 10;

/// Chooses `pieces` times where writing and reading cost so many ticks; how often a way was taken.
int streamed_of(Pace& pace, Costs& read, int pieces, const std::uint64_t (&write_ticks)[kWays],
                const std::uint64_t (&read_ticks)[kWays]) {
  int streamed = 0;
  for (int i = 0; i < pieces; ++i) {
    const Way way = pace.choose(kBytes, {read.of(0), read.of(1)});
    const auto at = static_cast<std::size_t>(way);
    pace.costs().add(way, kBytes, write_ticks[at]);
    read.add(way, kBytes, read_ticks[at]);
    streamed += way == Way::Streamed;
  }
  return streamed;
}

}  // namespace

TEST_CASE("pace: the cheaper way in sum is taken, the other seldom, and a change is noticed") {
  Pace pace;
  Costs read{};
  CHECK(streamed_of(pace, read, 640, {1000, 2000}, {9000, 3000}) >
        600);  // apart: reading from a cache is dear
  const int kept = streamed_of(pace, read, 640, {1000, 2000}, {9000, 3000});
  CHECK(kept >= 625);
  CHECK(kept < 640);
  streamed_of(pace, read, 640, {1000, 2000}, {1000, 3000});  // now side by side
  CHECK(streamed_of(pace, read, 640, {1000, 2000}, {1000, 3000}) < 20);
}

TEST_CASE("pace: small pieces go through the cache and teach nothing") {
  Pace pace;
  CHECK(pace.choose(Pace::kLeast - 1, {5, 1}) == Way::Cached);
  measured(pace.costs(), Way::Cached, Pace::kLeast - 1, [] {});
  CHECK(pace.costs().of(0) == 0);
  measured(pace.costs(), Way::Cached, Pace::kLeast, [] {});
  CHECK(pace.costs().of(0) > 0);
}

TEST_CASE("pace: one call that was kept from its work weighs little") {
  Costs costs{};
  for (int i = 0; i < 10; ++i) costs.add(Way::Cached, kBytes, 1000);
  const float before = costs.of(0);
  costs.add(Way::Cached, kBytes, 100'000'000);
  CHECK(costs.of(0) < 1.5F * before);
}

TEST_CASE("streamed copies: any start, any length, nothing beyond") {
  std::vector<unsigned char> from(1000), to(1100);
  std::iota(from.begin(), from.end(), static_cast<unsigned char>(1));
  bool good = true;
  for (std::size_t start = 0; start < 70; start += 3)
    for (const std::size_t n : {0, 1, 15, 63, 64, 65, 127, 200, 900}) {
      to.assign(to.size(), 0);
      kernels::stream_bytes(to.data() + start, from.data() + start / 2, n);
      for (std::size_t i = 0; i < to.size(); ++i) {
        const bool inside = i >= start && i < start + n;
        good = good && to[i] == (inside ? from[start / 2 + i - start] : 0);
      }
    }
  CHECK(good);
}

TEST_CASE("views: long rows by the caller's copy, the same bytes") {
  std::vector<unsigned char> memory(40 * 1024), packed(16 * 1024), plain(16 * 1024), back(40 * 1024);
  for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<unsigned char>(i * 7 + i / 251);
  auto* data = reinterpret_cast<std::byte*>(memory.data());
  for (const std::int64_t row : {16, 600, 800}) {  // bytes; rows lie 2000 apart
    const StridedView view(data, 4, {16, row / 4}, {2000, 4});
    CHECK(view.has_long_rows() == (row >= 512));
    const StridedView target(reinterpret_cast<std::byte*>(back.data()), 4, {16, row / 4}, {2000, 4});
    for (const std::int64_t first : {std::int64_t{0}, row / 2, 3 * row}) {
      const std::int64_t n = view.bytes() - first;
      auto* out = reinterpret_cast<std::byte*>(packed.data());
      view.pack(first, n, out, kernels::stream_part);
      view.pack(first, n, reinterpret_cast<std::byte*>(plain.data()));
      kernels::finish_streams();
      CHECK(std::equal(packed.begin(), packed.begin() + n, plain.begin()));
      target.unpack(first, n, out, kernels::stream_part);
    }
    bool good = true;
    for (std::size_t i = 0; i < 16; ++i)
      for (std::size_t k = 0; k < static_cast<std::size_t>(row); ++k)
        good = good && back[i * 2000 + k] == memory[i * 2000 + k];
    CHECK(good);
  }
}
