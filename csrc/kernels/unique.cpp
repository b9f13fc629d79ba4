// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/unique.hpp"

#include <algorithm>
#include <memory>
#include <numeric>

#include "kernels/radix_sort.hpp"

namespace eh::kernels {
namespace {

/// Equal keys for equal elements.
template <typename Codec>
typename Codec::Key canonical(const typename Codec::Raw& value, bool equal_nan) {
  const typename Codec::Key key = Codec::encode(value, true);
  return equal_nan && Codec::is_nan(key) ? narrow<typename Codec::Key>({~0ULL, ~0ULL}) : key;
}

template <typename Item>
std::unique_ptr<Item[]> uninitialised(std::int64_t n) {
  return std::unique_ptr<Item[]>(new Item[static_cast<std::size_t>(n)]);
}

template <typename Codec>
const typename Codec::Raw* elements(const Rows& rows) {
  return static_cast<const typename Codec::Raw*>(rows.data);
}

template <typename Codec>
std::unique_ptr<typename Codec::Key[]> keys_of(const Rows& rows) {
  const std::int64_t n = rows.count * rows.width;
  auto keys = uninitialised<typename Codec::Key>(n);
  for (std::int64_t i = 0; i < n; ++i)
    keys[static_cast<std::size_t>(i)] = canonical<Codec>(elements<Codec>(rows)[i], rows.equal_nan);
  return keys;
}

/// Groups of row numbers in order; `same(i)`: the row at place i of the order equals the one before it.
template <typename RowAt, typename Same>
Groups collect(std::int64_t n, const RowAt& row_at, const Same& same, std::int64_t* group) {
  Groups groups;
  for (std::int64_t i = 0; i < n; ++i) {
    if (i == 0 || !same(i)) {
      groups.first.push_back(row_at(i));
      groups.size.push_back(0);
    }
    ++groups.size.back();
    if (group != nullptr) group[row_at(i)] = static_cast<std::int64_t>(groups.size.size()) - 1;
  }
  return groups;
}

template <typename Codec, typename Record>
Groups group_records(const Rows& rows, std::int64_t* group) {
  auto records = uninitialised<Record>(rows.count);
  auto scratch = uninitialised<Record>(rows.count);
  using Index = decltype(Record::index);
  for (std::int64_t i = 0; i < rows.count; ++i)
    records[static_cast<std::size_t>(i)] = {canonical<Codec>(elements<Codec>(rows)[i], rows.equal_nan),
                                            static_cast<Index>(i)};
  if (!sort_items(records.get(), scratch.get(), rows.count)) std::swap(records, scratch);
  const Record* r = records.get();
  const bool nan_apart = !rows.equal_nan;
  const auto same = [&](std::int64_t i) {
    if (nan_apart && Codec::is_nan(static_cast<typename Codec::Key>(r[i].key))) return false;
    return r[i].key == r[i - 1].key;
  };
  return collect(
      rows.count, [r](std::int64_t i) { return static_cast<std::int64_t>(r[i].index); }, same, group);
}

template <typename Codec>
Groups group_wide(const Rows& rows, std::int64_t* group) {
  const auto keys = keys_of<Codec>(rows);
  const auto* k = keys.get();
  const std::int64_t width = rows.width;
  std::vector<std::int64_t> order(static_cast<std::size_t>(rows.count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [k, width](std::int64_t a, std::int64_t b) {
    return std::lexicographical_compare(k + a * width, k + (a + 1) * width, k + b * width,
                                        k + (b + 1) * width);
  });
  const auto same = [&](std::int64_t i) {
    const auto* own = k + order[static_cast<std::size_t>(i)] * width;
    const auto* last = k + order[static_cast<std::size_t>(i - 1)] * width;
    for (std::int64_t j = 0; j < width; ++j) {
      if (own[j] != last[j] || (!rows.equal_nan && Codec::is_nan(own[j]))) return false;
    }
    return true;
  };
  return collect(rows.count, [&](std::int64_t i) { return order[static_cast<std::size_t>(i)]; }, same, group);
}

}  // namespace

Groups group_rows(const Rows& rows, std::int64_t* group) {
  return with_codec(rows.dtype, [&](auto codec) {
    using Codec = decltype(codec);
    using Key = typename Codec::Key;
    if (rows.width != 1) return group_wide<Codec>(rows, group);
    if constexpr (std::is_same_v<Key, Key128>) {
      return group_records<Codec, Record128>(rows, group);
    } else {
      constexpr bool kNarrow = sizeof(Key) <= 4;
      if (!kNarrow || rows.count > std::int64_t{0xffffffff})
        return group_records<Codec, Record64>(rows, group);
      if constexpr (kNarrow) return group_records<Codec, Record32>(rows, group);
    }
    return Groups();
  });
}

std::int64_t distinct_values(const Rows& rows, void* out, std::vector<std::int64_t>* sizes) {
  return with_codec(rows.dtype, [&](auto codec) {
    using Codec = decltype(codec);
    using Key = typename Codec::Key;
    auto keys = keys_of<Codec>(rows);
    auto* values = static_cast<typename Codec::Raw*>(out);
    // Keys are as wide as values: the result's memory serves as scratch.
    if (!sort_items(keys.get(), static_cast<Key*>(out), rows.count))
      std::copy_n(static_cast<const Key*>(out), rows.count, keys.get());
    std::int64_t found = 0;
    for (std::int64_t i = 0; i < rows.count; ++i) {
      const Key key = keys[static_cast<std::size_t>(i)];
      const bool apart = !rows.equal_nan && Codec::is_nan(key);
      if (i == 0 || apart || key != keys[static_cast<std::size_t>(i - 1)]) {
        values[found++] = Codec::decode(key);
        if (sizes != nullptr) sizes->push_back(0);
      }
      if (sizes != nullptr) ++sizes->back();
    }
    return found;
  });
}

std::vector<std::int64_t> rows_before(const Rows& rows, const Rows& splitters) {
  return with_codec(rows.dtype, [&](auto codec) {
    using Codec = decltype(codec);
    const std::int64_t width = rows.width;
    const auto less = [&](const typename Codec::Raw& a, const typename Codec::Raw& b) {
      return canonical<Codec>(a, rows.equal_nan) < canonical<Codec>(b, rows.equal_nan);
    };
    std::vector<std::int64_t> out;
    std::int64_t begin = 0;
    for (std::int64_t s = 0; s < splitters.count; ++s) {
      const auto* limit = elements<Codec>(splitters) + s * width;
      std::int64_t end = rows.count;
      while (begin < end) {
        const std::int64_t middle = begin + (end - begin) / 2;
        const auto* row = elements<Codec>(rows) + middle * width;
        if (std::lexicographical_compare(row, row + width, limit, limit + width, less))
          begin = middle + 1;
        else
          end = middle;
      }
      out.push_back(begin);
    }
    return out;
  });
}

}  // namespace eh::kernels
