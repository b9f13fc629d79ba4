// SPDX-License-Identifier: BSD-3-Clause
// The choice between ways of writing what another rank reads next, and copies past the caches.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <unistd.h>
#include <vector>

#include "base/error.hpp"
#include "comm/pace.hpp"
#include "comm/pull.hpp"
#include "kernels/copy.hpp"
#include "kernels/large_copies.hpp"
#include "kernels/pack.hpp"

namespace {

using namespace eh;

constexpr std::size_t kBytes = 64 << 10;

/// Chooses `pieces` times where writing and reading cost so many ticks; how often a way was taken.
int streamed_of(Pace& pace, Costs& read, int pieces, const std::uint64_t (&write_ticks)[kWritten],
                const std::uint64_t (&read_ticks)[kWritten]) {
  int streamed = 0;
  for (int i = 0; i < pieces; ++i) {
    const Way way = pace.choose(kBytes, {read.of(0), read.of(1), 0});
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
  CHECK(pace.choose(Pace::kLeast - 1, {5, 1, 1}) == Way::Cached);
  measured(pace.costs(), Way::Cached, Pace::kLeast - 1, [] {});
  CHECK(pace.costs().of(0) == 0);
  measured(pace.costs(), Way::Cached, Pace::kLeast, [] {});
  CHECK(pace.costs().of(0) > 0);
}

TEST_CASE("pace: reading where it lies is a third way, where there is one") {
  Pace pace;
  Costs read{};
  int pulled = 0;
  for (int i = 0; i < 640; ++i) {
    const Way way = pace.choose(kBytes, {read.of(0), read.of(1), read.of(2)}, kWays);
    pace.costs().add(way, kBytes, way == Way::Pulled ? 10 : 1000);
    read.add(way, kBytes, way == Way::Pulled ? 500 : 1000);
    pulled += way == Way::Pulled;
  }
  CHECK(pulled > 620);
  CHECK(pulled < 640);
  CHECK(pace.choose(kBytes, {read.of(0), read.of(1), read.of(2)}) != Way::Pulled);
}

namespace {

/// How many of `calls` calls are pulled when the two ways take so long; asked, all agree on what was measured.
int pulled_of(Preference& preference, std::size_t bytes, int calls, const std::uint64_t (&ticks)[2]) {
  int pulled = 0;
  for (int i = 0; i < calls; ++i) {
    const auto next = preference.next(bytes);
    bool pull = next == Preference::Next::Pulled;
    if (next == Preference::Next::Asked) {
      pull = preference.cost(true, bytes) < preference.cost(false, bytes);
      preference.agree(pull, bytes);
    }
    preference.add(pull, bytes, ticks[pull]);
    pulled += pull;
  }
  return pulled;
}

}  // namespace

TEST_CASE("preference: the way that takes less, for every size by itself, until that changes") {
  Preference preference;
  pulled_of(preference, 1 << 20, 300, {2000, 1000});
  CHECK(pulled_of(preference, 1 << 20, 1280, {2000, 1000}) == 1280 - 10 * 3);
  pulled_of(preference, 1 << 25, 300, {1000, 2000});
  CHECK(pulled_of(preference, 1 << 25, 1280, {1000, 2000}) == 10 * 3);
  CHECK(pulled_of(preference, 1 << 20, 1280, {2000, 1000}) == 1280 - 10 * 3);
  pulled_of(preference, 1 << 20, 1280, {1000, 2000});
  CHECK(pulled_of(preference, 1 << 20, 1280, {1000, 2000}) == 10 * 3);
}

TEST_CASE("pull: pieces on both sides need not agree, and a refusal is an error") {
  std::vector<unsigned char> from(300), to(300);
  std::iota(from.begin(), from.end(), static_cast<unsigned char>(0));
  const auto part = [](std::vector<unsigned char>& v, std::size_t at, std::size_t n) {
    return Memory{reinterpret_cast<std::byte*>(v.data()) + at, n};
  };
  if (!try_pull(getpid(), {part(to, 0, 1)}, {part(from, 0, 1)})) return;  // this system forbids it
  const std::vector<Memory> source = {part(from, 10, 50), part(from, 100, 0), part(from, 200, 30)};
  pull(getpid(), {part(to, 0, 7), part(to, 20, 60), part(to, 100, 13)}, source);
  bool good = true;
  for (std::size_t i = 0; i < 80; ++i) {
    const std::size_t at = i < 7 ? i : i < 67 ? i + 13 : i + 33, wanted = i < 50 ? 10 + i : 150 + i;
    good = good && to[at] == from[wanted];
  }
  CHECK(good);
  CHECK_THROWS_AS(pull(getpid(), {part(to, 0, 8)}, {Memory{nullptr, 8}}), CommError);
}

TEST_CASE("pull: more pieces than the kernel takes at once") {
  std::vector<unsigned char> from(5000), to(5000);
  std::vector<Memory> source;
  for (std::size_t i = 0; i < from.size(); ++i) {
    from[i] = static_cast<unsigned char>(i * 7);
    source.push_back({reinterpret_cast<std::byte*>(from.data()) + from.size() - 1 - i, 1});
  }
  if (!try_pull(getpid(), {{reinterpret_cast<std::byte*>(to.data()), to.size()}}, source)) return;
  CHECK(std::equal(to.begin(), to.end(), from.rbegin()));
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

TEST_CASE("views: the rows that a range of bytes lies in") {
  std::vector<std::byte> memory(40 * 2000);
  const StridedView view(memory.data(), 4, {5, 8, 150}, {16000, 2000, 4});
  for (const std::int64_t first : {0, 40, 600, 1000})
    for (const std::int64_t n : {0, 4, 600, 5000, 20000}) {
      std::vector<Memory> rows;
      view.append_rows(first, n, rows);
      std::int64_t at = first;
      bool good = true;
      for (const Memory& row : rows) {
        good = good && row.data == memory.data() + at / 600 * 2000 + at % 600;
        at += static_cast<std::int64_t>(row.bytes);
      }
      CHECK(good);
      CHECK(at == first + n);
    }
}

TEST_CASE("large copies: the way that takes less, small results through the caches") {
  using namespace std::chrono_literals;
  constexpr std::size_t kResult = std::size_t{3} << 30;  // a size no other test copies
  CHECK(!kernels::goes_past_caches(1 << 20));
  CHECK(!kernels::next_goes_past_caches(1 << 20));
  const auto past_of = [&](std::chrono::nanoseconds through, std::chrono::nanoseconds past) {
    int found = 0;
    for (int i = 0; i < 320; ++i) {
      const bool way = kernels::next_goes_past_caches(kResult);
      kernels::note_copy(way, kResult, 1 << 20, way ? past : through);
      found += way;
    }
    return found;
  };
  CHECK(past_of(100us, 50us) > 300);
  CHECK(kernels::goes_past_caches(kResult));
  past_of(50us, 100us);
  CHECK(past_of(50us, 100us) < 20);
  CHECK(!kernels::goes_past_caches(kResult));
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
