// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/selection.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "kernels/nth_element.hpp"

namespace eh::kernels {
namespace {

using Ranks = std::vector<std::int64_t>;
using Keys = std::vector<std::uint64_t>;

#if defined(__x86_64__) && defined(__GNUC__)
#define EH_AVX2 __attribute__((target("avx2")))
bool has_avx2() {
  static const bool value = __builtin_cpu_supports("avx2") != 0;
  return value;
}
#else
#define EH_AVX2
bool has_avx2() { return false; }
#endif
#define EH_INLINE inline __attribute__((always_inline))

/// The type that compares as the values do: what the processor has vector instructions for.
template <typename Codec>
struct Native {
  using Type = typename Codec::Raw;
};
template <typename U>
struct Native<SignedCodec<U>> {
  using Type = std::make_signed_t<U>;
};
template <>
struct Native<FloatCodec> {
  using Type = float;
};
template <>
struct Native<DoubleCodec> {
  using Type = double;
};
/// The bits of half types do not compare as their values do: they go through their keys.
template <typename Codec>
constexpr bool kThroughKeys = std::is_same_v<Codec, HalfCodec> || std::is_same_v<Codec, BFloatCodec>;

/// Lanes of partial results, so that the loop has no order to keep and vectorises.
template <typename Codec>
EH_INLINE KeyRange range_of(const typename Codec::Raw* values, std::int64_t n) {
  using Type = typename Native<Codec>::Type;
  using Key = typename Codec::Key;
  constexpr int kLanes = static_cast<int>(64 / sizeof(Type));
  const auto load = [&](std::int64_t i) {
    if constexpr (kThroughKeys<Codec>) return Codec::encode(values[i], false);
    return std::bit_cast<Type>(values[i]);
  };
  const auto raw = [](Type v) { return std::bit_cast<typename Codec::Raw>(v); };
  const auto key = [&](Type v) {
    return kThroughKeys<Codec> ? static_cast<Key>(raw(v)) : Codec::encode(raw(v), false);
  };
  KeyRange range;
  const auto merge = [&](Type least, Type greatest) {
    range.least = std::min<std::uint64_t>(range.least, key(least));
    range.greatest = std::max<std::uint64_t>(range.greatest, key(greatest));
  };
  const auto is_nan = [](Type v) { return kThroughKeys<Codec> ? v == static_cast<Type>(~Key{0}) : v != v; };
  std::int64_t first = 0;
  while (first < n && is_nan(load(first))) ++first;
  range.nans = first;
  if (first == n) return range;
  Type least[kLanes];
  Type greatest[kLanes];
  for (int l = 0; l < kLanes; ++l) least[l] = greatest[l] = load(first);
  std::int64_t i = first;
  for (; i + kLanes <= n; i += kLanes) {
    Key nans[kLanes];
    for (int l = 0; l < kLanes; ++l) {
      const Type v = load(i + l);
      const bool ordered = !is_nan(v);
      least[l] = ordered && v < least[l] ? v : least[l];
      greatest[l] = ordered && v > greatest[l] ? v : greatest[l];
      nans[l] = ordered ? 0 : 1;
    }
    if constexpr (Codec::kInexact) {
      Key any = 0;
      for (int l = 0; l < kLanes; ++l) any = static_cast<Key>(any + nans[l]);
      range.nans += static_cast<std::int64_t>(any);
    }
  }
  for (; i < n; ++i) {
    const Type v = load(i);
    if (is_nan(v))
      ++range.nans;
    else
      merge(v, v);
  }
  for (int l = 0; l < kLanes; ++l) merge(least[l], greatest[l]);
  return range;
}

template <typename Codec>
EH_AVX2 KeyRange range_avx2(const typename Codec::Raw* values, std::int64_t n) {
  return range_of<Codec>(values, n);
}
template <typename Codec>
KeyRange range_plain(const typename Codec::Raw* values, std::int64_t n) {
  return range_of<Codec>(values, n);
}

/// Calls f with the codec of a type whose keys have at most 64 bits and whose values are no complex numbers.
template <typename F>
auto with_real_codec(DType dtype, F&& f) {
  return with_codec(dtype, [&](auto codec) -> decltype(f(FloatCodec())) {
    if constexpr (std::is_integral_v<typename decltype(codec)::Raw>)
      return f(codec);
    else
      return {};
  });
}

/// Elements that share their upper digits with those wanted at ranks [first, last) of the list.
struct Group {
  std::uint64_t prefix;  ///< above the least key
  std::int64_t below;    ///< elements of all ranks that are smaller
  std::size_t first;
  std::size_t last;
  std::int64_t begin;  ///< own elements, in the buffer
  std::int64_t end;
};

template <typename Codec>
class RadixSelector final : public Selector {
 public:
  using Key = typename Codec::Key;
  using Raw = typename Codec::Raw;

  RadixSelector(const Raw* values, std::int64_t n, const KeyRange& range, std::int64_t total, Ranks ranks)
      : values_(values),
        least_(static_cast<Key>(range.least)),
        span_(static_cast<Key>(range.greatest - range.least)),
        total_(total),
        ranks_(std::move(ranks)),
        keys_(ranks_.size(), range.least),
        shift_(static_cast<int>(std::bit_width(span_))) {
    if (!ranks_.empty() && shift_ > 0) groups_.push_back({0, 0, 0, ranks_.size(), 0, n});
    plan_round();
  }

  bool done() const override { return groups_.empty(); }
  std::int64_t counters() const override { return static_cast<std::int64_t>(groups_.size()) << bits_; }
  const Keys& keys() const override { return keys_; }

  void count(std::int64_t* counters) override {
    own_.assign(static_cast<std::size_t>(this->counters()), 0);
    for (std::size_t g = 0; g < groups_.size(); ++g) count_group(groups_[g], own_.data() + (g << bits_));
    std::copy(own_.begin(), own_.end(), counters);
  }

  void narrow(const std::int64_t* sums) override {
    std::vector<Group> next;
    std::vector<Key> kept;
    for (std::size_t g = 0; g < groups_.size(); ++g) narrow_group(g, sums + (g << bits_), next, kept);
    first_round_ = false;
    shift_ -= bits_;
    buffer_ = std::move(kept);
    groups_ = std::move(next);
    if (shift_ == 0) {
      for (const Group& group : groups_)
        std::fill(keys_.begin() + static_cast<std::ptrdiff_t>(group.first),
                  keys_.begin() + static_cast<std::ptrdiff_t>(group.last), least_ + group.prefix);
      groups_.clear();
    }
    plan_round();
  }

 private:
  /// Digits as wide as the first-level cache has counters for, narrower where there are many groups.
  void plan_round() {
    constexpr std::int64_t kShort = 1 << 14;
    constexpr std::size_t kCounters = std::size_t{1} << 20;
    bits_ = total_ < kShort ? 8 : 12;
    while (bits_ > 2 && (groups_.size() << bits_) > kCounters) --bits_;
    bits_ = std::min(bits_, shift_);
  }

  std::size_t digit(const Key& key) const {
    const std::size_t mask = (std::size_t{1} << bits_) - 1;
    return static_cast<std::size_t>(key >> (shift_ - bits_)) & mask;
  }

  /// The keys of a group, above the least one; NaN is beyond the span.
  template <typename F>
  void for_each(const Group& group, const F& f) const {
    if (!first_round_) {
      const Key* keys = buffer_.data();
      for (std::int64_t i = group.begin; i < group.end; ++i) f(keys[i]);
      return;
    }
    const Key least = least_;
    const Key span = span_;
    for (std::int64_t i = group.begin; i < group.end; ++i) {
      const Key key = static_cast<Key>(Codec::encode(values_[i], false) - least);
      if (key <= span) f(key);
    }
  }

  void count_group(const Group& group, std::uint32_t* counters) const {
    for_each(group, [&](const Key& key) { ++counters[digit(key)]; });
  }

  /// The groups of the next round within one of this.
  void narrow_group(std::size_t g, const std::int64_t* sums, std::vector<Group>& next,
                    std::vector<Key>& kept) {
    const Group& group = groups_[g];
    const std::uint32_t* own = own_.data() + (g << bits_);
    const std::size_t digits = std::size_t{1} << bits_;
    std::vector<std::int64_t> place(digits, -1);
    std::int64_t below = group.below;
    auto room = static_cast<std::int64_t>(kept.size());
    std::size_t rank = group.first;
    for (std::size_t d = 0; d < digits && rank < group.last; below += sums[d++]) {
      const std::size_t first = rank;
      while (rank < group.last && ranks_[rank] < below + sums[d]) ++rank;
      if (rank == first) continue;
      const std::uint64_t prefix = group.prefix | (std::uint64_t{d} << (shift_ - bits_));
      next.push_back({prefix, below, first, rank, room, room + own[d]});
      place[d] = room;
      room += own[d];
    }
    if (shift_ == bits_) return;  // the key is known
    kept.resize(static_cast<std::size_t>(room));
    copy_group(group, place, kept.data());
  }

  /// Keys with a wanted digit to their places.
  void copy_group(const Group& group, const std::vector<std::int64_t>& place, Key* kept) const {
    std::vector<Key*> cursor(place.size(), nullptr);
    for (std::size_t d = 0; d < place.size(); ++d) {
      if (place[d] >= 0) cursor[d] = kept + place[d];
    }
    Key** cursors = cursor.data();
    for_each(group, [&](const Key& key) {
      Key*& to = cursors[digit(key)];
      if (to != nullptr) *to++ = key;
    });
  }

  const Raw* values_;
  Key least_;
  Key span_;
  std::int64_t total_;
  Ranks ranks_;
  Keys keys_;
  int shift_;
  std::vector<Group> groups_;
  std::vector<Key> buffer_;
  std::vector<std::uint32_t> own_;
  bool first_round_ = true;
  int bits_ = 8;
};

/// Puts the elements at ranks [first, last) of the list into place within [begin, end), the middle one first.
template <typename Key>
void place_ranks(Key* keys, std::int64_t begin, std::int64_t end, const Ranks& ranks, std::size_t first,
                 std::size_t last) {
  if (first == last) return;
  const std::size_t middle = first + (last - first) / 2;
  const std::int64_t rank = ranks[middle];
  nth_element(keys, begin, end, rank);
  place_ranks(keys, begin, rank, ranks, first, middle);
  place_ranks(keys, rank + 1, end, ranks, middle + 1, last);
}

}  // namespace

KeyRange key_range(DType dtype, const void* values, std::int64_t n) {
  return with_real_codec(dtype, [&](auto codec) {
    using Codec = decltype(codec);
    const auto* in = static_cast<const typename Codec::Raw*>(values);
    return has_avx2() ? range_avx2<Codec>(in, n) : range_plain<Codec>(in, n);
  });
}

std::unique_ptr<Selector> Selector::create(DType dtype, const void* values, std::int64_t n,
                                           const KeyRange& range, std::int64_t total,
                                           std::vector<std::int64_t> ranks) {
  return with_real_codec(dtype, [&](auto codec) -> std::unique_ptr<Selector> {
    using Codec = decltype(codec);
    return std::make_unique<RadixSelector<Codec>>(static_cast<const typename Codec::Raw*>(values), n, range,
                                                  total, std::move(ranks));
  });
}

std::vector<std::uint64_t> select_short(DType dtype, const void* values, std::int64_t n,
                                        const std::vector<std::int64_t>& ranks) {
  return with_real_codec(dtype, [&](auto codec) {
    using Codec = decltype(codec);
    thread_local std::vector<typename Codec::Key> keys;  // at most kShortLine: kept for the next line
    keys.resize(static_cast<std::size_t>(n));
    const auto* in = static_cast<const typename Codec::Raw*>(values);
    std::transform(in, in + n, keys.begin(), [](auto value) { return Codec::encode(value, false); });
    place_ranks(keys.data(), 0, n, ranks, 0, ranks.size());
    Keys out;
    for (std::int64_t rank : ranks) out.push_back(keys[static_cast<std::size_t>(rank)]);
    return out;
  });
}

}  // namespace eh::kernels
