// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/search.hpp"

#include <algorithm>
#include <vector>

#include "kernels/sort_key.hpp"

namespace eh::kernels {
namespace {

/// Binary searches of several values side by side: their loads do not wait for one another.
template <bool right, int kTogether, typename Key>
void search_together(const Key* sorted, std::int64_t m, const Key* keys, std::int64_t* places) {
  std::int64_t base[kTogether] = {};
  for (std::int64_t length = m; length > 1;) {
    const std::int64_t half = length / 2;
    for (int k = 0; k < kTogether; ++k) {
      const Key& probe = sorted[base[k] + half - 1];
      const bool beyond = right ? !(keys[k] < probe) : probe < keys[k];
      base[k] += beyond ? half : 0;
    }
    length -= half;
  }
  for (int k = 0; k < kTogether; ++k) {
    const Key& probe = sorted[base[k]];
    const bool beyond = right ? !(keys[k] < probe) : probe < keys[k];
    places[k] = base[k] + (beyond ? 1 : 0);
  }
}

template <bool right, typename Codec>
void search(const typename Codec::Key* sorted, std::int64_t m, const typename Codec::Raw* values,
            std::int64_t n, std::int64_t* places) {
  constexpr int kTogether = 8;
  typename Codec::Key keys[kTogether];
  std::int64_t i = 0;
  for (; i + kTogether <= n; i += kTogether) {
    for (int k = 0; k < kTogether; ++k) keys[k] = Codec::encode(values[i + k], true);
    search_together<right, kTogether>(sorted, m, keys, places + i);
  }
  for (; i < n; ++i) {
    keys[0] = Codec::encode(values[i], true);
    search_together<right, 1>(sorted, m, keys, places + i);
  }
}

}  // namespace

void search_sorted(DType dtype, const void* sorted, std::int64_t m, const void* values, std::int64_t n,
                   bool right, std::int64_t* places) {
  if (m == 0) {
    std::fill_n(places, n, std::int64_t{0});
    return;
  }
  with_codec(dtype, [&](auto codec) {
    using Codec = decltype(codec);
    const auto* in = static_cast<const typename Codec::Raw*>(sorted);
    const auto* sought = static_cast<const typename Codec::Raw*>(values);
    std::vector<typename Codec::Key> keys(static_cast<std::size_t>(m));
    for (std::int64_t i = 0; i < m; ++i) keys[static_cast<std::size_t>(i)] = Codec::encode(in[i], true);
    if (right)
      search<true, Codec>(keys.data(), m, sought, n, places);
    else
      search<false, Codec>(keys.data(), m, sought, n, places);
  });
}

}  // namespace eh::kernels
