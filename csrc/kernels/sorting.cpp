// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/sorting.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>

#include "kernels/radix_sort.hpp"

namespace eh::kernels {
namespace {

/// Uninitialised memory for items.
class Memory {
 public:
  explicit Memory(std::int64_t bytes)
      : words_(new Key128Words[static_cast<std::size_t>((bytes + 15) / 16)]) {}
  void* data() const { return words_.get(); }

 private:
  struct alignas(16) Key128Words {
    unsigned char bytes[16];
  };
  std::unique_ptr<Key128Words[]> words_;
};

template <typename Codec>
typename Codec::Key encoded(const typename Codec::Raw& value, KeyOrder order) {
  const typename Codec::Key key = Codec::encode(value, order.equal_zeros);
  return order.descending ? static_cast<typename Codec::Key>(~key) : key;
}
template <typename Codec, typename Key>
typename Codec::Raw decoded(const Key& key, bool descending) {
  using Own = typename Codec::Key;
  const Own own = static_cast<Own>(key);
  return Codec::decode(descending ? static_cast<Own>(~own) : own);
}

/// Calls f with a null pointer to the record type of this size.
template <typename F>
auto with_record(std::int64_t bytes, F&& f) {
  switch (bytes) {
    case 8:
      return f(static_cast<Record32*>(nullptr));
    case 16:
      return f(static_cast<Record64*>(nullptr));
    default:
      return f(static_cast<Record128*>(nullptr));
  }
}
template <typename F>
auto with_item(bool indexed, std::int64_t bytes, F&& f) {
  if (indexed) return with_record(bytes, f);
  return with_key(static_cast<std::size_t>(bytes),
                  [&](auto key) { return f(static_cast<decltype(key)*>(nullptr)); });
}

template <typename Codec, typename Record>
constexpr bool fits() {
  return std::is_same_v<KeyOf<Record>, Key128> == std::is_same_v<typename Codec::Key, Key128> &&
         sizeof(typename Codec::Key) <= sizeof(KeyOf<Record>);
}

template <typename Codec>
void encode_keys(const void* values, void* items, std::int64_t n, bool descending) {
  const auto* in = static_cast<const typename Codec::Raw*>(values);
  auto* out = static_cast<typename Codec::Key*>(items);
  if (descending) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = encoded<Codec>(in[i], {true, false});
  } else {
    for (std::int64_t i = 0; i < n; ++i) out[i] = Codec::encode(in[i], false);
  }
}

template <typename Codec, typename Record>
void encode_records(const void* values, void* items, std::int64_t n, std::int64_t first, bool descending) {
  const auto* in = static_cast<const typename Codec::Raw*>(values);
  auto* out = static_cast<Record*>(items);
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = {encoded<Codec>(in[i], {descending, true}), static_cast<decltype(Record::index)>(first + i)};
  }
}

template <typename Codec, typename Record>
void decode_records(const void* items, std::int64_t* indices, void* values, std::int64_t n, bool descending) {
  const auto* in = static_cast<const Record*>(items);
  for (std::int64_t i = 0; i < n; ++i) indices[i] = static_cast<std::int64_t>(in[i].index);
  if (values == nullptr) return;
  auto* out = static_cast<typename Codec::Raw*>(values);
  for (std::int64_t i = 0; i < n; ++i) out[i] = decoded<Codec>(in[i].key, descending);
}

/// Neighbouring runs merged, as often as it takes.
template <typename Item>
bool merge_runs(Item* items, Item* scratch, std::vector<std::int64_t> ends) {
  bool in_place = true;
  while (ends.size() > 1) {
    std::vector<std::int64_t> merged;
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < ends.size(); i += 2) {
      const std::int64_t middle = ends[i];
      const std::int64_t end = i + 1 < ends.size() ? ends[i + 1] : middle;
      std::merge(items + begin, items + middle, items + middle, items + end, scratch + begin, key_less<Item>);
      merged.push_back(begin = end);
    }
    ends = std::move(merged);
    std::swap(items, scratch);
    in_place = !in_place;
  }
  return in_place;
}

/// The best k items seen, and some: unsorted until it is full, then cut down to k.
template <typename Item>
void best_of(const Item* items, std::int64_t n, std::int64_t k, Item* kept) {
  const auto before = [](const Item& a, const Item& b) {
    return key_of(a) < key_of(b) || (!(key_of(b) < key_of(a)) && a.index < b.index);
  };
  const std::int64_t room = 2 * k + 64;
  std::int64_t filled = 0;
  std::int64_t i = 0;
  for (; i < n && filled < std::min(room, n); ++i) kept[filled++] = items[i];
  while (i < n) {
    std::nth_element(kept, kept + k - 1, kept + filled, before);
    filled = k;
    const KeyOf<Item> bar = key_of(kept[k - 1]);  // later items with this key lose to it
    for (; i < n && filled < room; ++i) {
      kept[filled] = items[i];
      filled += key_of(items[i]) < bar ? 1 : 0;
    }
  }
  std::partial_sort(kept, kept + k, kept + filled, before);
}

}  // namespace

Items Items::keys(DType dtype, bool descending) {
  Items items;
  items.dtype_ = dtype;
  items.descending_ = descending;
  items.bytes_ = static_cast<std::int64_t>(size_of(dtype));
  items.key_bits_ = static_cast<int>(8 * items.bytes_);
  return items;
}

Items Items::records(DType dtype, bool descending, std::int64_t bound) {
  Items items = keys(dtype, descending);
  const bool small = items.bytes_ <= 4 && bound <= std::numeric_limits<std::uint32_t>::max();
  items.bytes_ = small ? 8 : items.bytes_ <= 8 ? 16 : 24;
  items.indexed_ = true;
  return items;
}

void Items::encode(const void* values, void* items, std::int64_t n, std::int64_t first) const {
  with_codec(dtype_, [&](auto codec) {
    using Codec = decltype(codec);
    if (!indexed_) return encode_keys<Codec>(values, items, n, descending_);
    with_record(bytes_, [&](auto* record) {
      using Record = std::remove_pointer_t<decltype(record)>;
      if constexpr (fits<Codec, Record>())
        encode_records<Codec, Record>(values, items, n, first, descending_);
    });
  });
}

void Items::decode(const void* items, void* values, std::int64_t n) const {
  with_codec(dtype_, [&](auto codec) {
    using Codec = decltype(codec);
    const auto* in = static_cast<const typename Codec::Key*>(items);
    auto* out = static_cast<typename Codec::Raw*>(values);
    for (std::int64_t i = 0; i < n; ++i) out[i] = decoded<Codec>(in[i], descending_);
  });
}

void Items::decode(const void* items, std::int64_t* indices, void* values, std::int64_t n) const {
  with_codec(dtype_, [&](auto codec) {
    using Codec = decltype(codec);
    with_record(bytes_, [&](auto* record) {
      using Record = std::remove_pointer_t<decltype(record)>;
      if constexpr (fits<Codec, Record>())
        decode_records<Codec, Record>(items, indices, values, n, descending_);
    });
  });
}

bool Items::sort(void* items, void* scratch, std::int64_t n) const {
  return with_item(indexed_, bytes_, [&](auto* item) {
    using Item = std::remove_pointer_t<decltype(item)>;
    return sort_items(static_cast<Item*>(items), static_cast<Item*>(scratch), n);
  });
}

std::int64_t Items::lower_bound(const void* items, std::int64_t begin, std::int64_t end,
                                const Key128& key) const {
  return with_item(indexed_, bytes_, [&](auto* item) {
    using Item = std::remove_pointer_t<decltype(item)>;
    const auto* data = static_cast<const Item*>(items);
    const auto* found = std::lower_bound(data + begin, data + end, key,
                                         [](const Item& a, const Key128& k) { return widen(key_of(a)) < k; });
    return static_cast<std::int64_t>(found - data);
  });
}

bool Items::merge(void* items, void* scratch, std::vector<std::int64_t> ends) const {
  return with_item(indexed_, bytes_, [&](auto* item) {
    using Item = std::remove_pointer_t<decltype(item)>;
    return merge_runs(static_cast<Item*>(items), static_cast<Item*>(scratch), std::move(ends));
  });
}

void sort_lines(DType dtype, const void* values, void* out, std::int64_t lines, std::int64_t length,
                bool descending) {
  const Items items = Items::keys(dtype, descending);
  const Memory scratch(length * items.bytes());
  const std::int64_t row = length * items.bytes();
  for (std::int64_t line = 0; line < lines; ++line) {
    char* keys = static_cast<char*>(out) + line * row;
    items.encode(static_cast<const char*>(values) + line * row, keys, length, 0);
    const bool here = items.sort(keys, scratch.data(), length);
    items.decode(here ? keys : scratch.data(), keys, length);
  }
}

void argsort_lines(DType dtype, const void* values, void* out, std::int64_t* indices, std::int64_t lines,
                   std::int64_t length, bool descending) {
  const Items items = Items::records(dtype, descending, length);
  const Memory records(length * items.bytes());
  const Memory scratch(length * items.bytes());
  const auto row = static_cast<std::int64_t>(size_of(dtype)) * length;
  for (std::int64_t line = 0; line < lines; ++line) {
    items.encode(static_cast<const char*>(values) + line * row, records.data(), length, 0);
    const bool here = items.sort(records.data(), scratch.data(), length);
    void* sorted = out == nullptr ? nullptr : static_cast<char*>(out) + line * row;
    items.decode((here ? records : scratch).data(), indices + line * length, sorted, length);
  }
}

void top_lines(DType dtype, const void* values, void* out, std::int64_t* indices, std::int64_t lines,
               std::int64_t length, std::int64_t k, bool descending) {
  if (k == 0) return;
  const Items items = Items::records(dtype, descending, length);
  const auto size = static_cast<std::int64_t>(size_of(dtype));
  const Memory records(length * items.bytes());
  const Memory kept((2 * k + 65) * items.bytes());
  for (std::int64_t line = 0; line < lines; ++line) {
    items.encode(static_cast<const char*>(values) + line * length * size, records.data(), length, 0);
    with_record(items.bytes(), [&](auto* record) {
      using Record = std::remove_pointer_t<decltype(record)>;
      best_of(static_cast<const Record*>(records.data()), length, k, static_cast<Record*>(kept.data()));
    });
    items.decode(kept.data(), indices + line * k, static_cast<char*>(out) + line * k * size, k);
  }
}

}  // namespace eh::kernels
