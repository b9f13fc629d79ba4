// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/masks.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace eh::kernels {
namespace {

using Wide = std::array<std::uint64_t, 2>;

constexpr std::int64_t kWord = 8;

/// Eight elements at once.
std::uint64_t word_at(const bool* mask) {
  std::uint64_t word;
  std::memcpy(&word, mask, sizeof(word));
  return word;
}

/// put(k, i) for every element i, k being how many held before it: the last call with one k is the one that counts.
template <typename Put>
std::int64_t walk(const bool* mask, std::int64_t n, const Put& put) {
  std::int64_t k = 0;
  std::int64_t i = 0;
  for (; i + kWord <= n; i += kWord) {
    if (word_at(mask + i) == 0) continue;
    for (std::int64_t j = i; j < i + kWord; ++j) {
      put(k, j);
      k += mask[j] ? 1 : 0;
    }
  }
  for (; i < n; ++i) {
    put(k, i);
    k += mask[i] ? 1 : 0;
  }
  return k;
}

std::int64_t positions_from(const bool* mask, std::int64_t n, std::int64_t first, std::int64_t* out) {
  return walk(mask, n, [out, first](std::int64_t k, std::int64_t i) { out[k] = first + i; });
}

template <typename T>
void pack_as(const bool* mask, std::int64_t n, const void* values, void* out) {
  const auto* from = static_cast<const T*>(values);
  auto* to = static_cast<T*>(out);
  walk(mask, n, [from, to](std::int64_t k, std::int64_t i) { to[k] = from[i]; });
}

/// Arithmetic: of a choice compilers make a branch around the store.
template <typename T>
T blend(bool holds, T now, T then) {
  const auto chosen = static_cast<T>(-static_cast<T>(holds));
  return static_cast<T>((now & static_cast<T>(~chosen)) | (then & chosen));
}
Wide blend(bool holds, const Wide& now, const Wide& then) {
  return {blend(holds, now[0], then[0]), blend(holds, now[1], then[1])};
}

template <typename T>
void fill_as(const bool* mask, std::int64_t n, const void* value, void* out) {
  const T one = *static_cast<const T*>(value);
  auto* to = static_cast<T*>(out);
  for (std::int64_t i = 0; i < n; ++i) to[i] = blend(mask[i], to[i], one);
}

/// Without branches as long as a word's values are there to be read.
template <typename T>
void unpack_as(const bool* mask, std::int64_t n, const void* values, void* out) {
  const auto* from = static_cast<const T*>(values);
  auto* to = static_cast<T*>(out);
  const T* const end = from + count_true(mask, n);
  std::int64_t i = 0;
  for (; i + kWord <= n && end - from > kWord; i += kWord) {
    if (word_at(mask + i) == 0) continue;
    for (std::int64_t j = i; j < i + kWord; ++j) {
      to[j] = blend(mask[j], to[j], *from);
      from += mask[j] ? 1 : 0;
    }
  }
  for (; i < n; ++i) {
    if (mask[i]) to[i] = *from++;
  }
}

/// visit(T{}) with the type of that many bytes.
template <typename Visit>
void with_size(std::size_t bytes, const Visit& visit) {
  switch (bytes) {
    case 1:
      return visit(std::uint8_t{});
    case 2:
      return visit(std::uint16_t{});
    case 4:
      return visit(std::uint32_t{});
    case 8:
      return visit(std::uint64_t{});
    default:
      return visit(Wide{});
  }
}

/// The coordinates, on all axes but the last, of a line of elements in C order.
class Line {
 public:
  Line(const std::vector<std::int64_t>& shape, std::int64_t line) : shape_(shape), at_(shape.size() - 1) {
    for (std::size_t axis = at_.size(); axis-- > 0;) {
      at_[axis] = line % shape[axis];
      line /= shape[axis];
    }
  }
  std::int64_t on(std::size_t axis) const { return at_[axis]; }
  std::size_t size() const { return at_.size(); }
  void next() {
    for (std::size_t axis = at_.size(); axis-- > 0;) {
      if (++at_[axis] < shape_[axis]) return;
      at_[axis] = 0;
    }
  }

 private:
  const std::vector<std::int64_t>& shape_;
  std::vector<std::int64_t> at_;
};

}  // namespace

std::int64_t count_true(const bool* mask, std::int64_t n) {
  constexpr std::uint64_t kLow = 0x0101010101010101;
  constexpr std::int64_t kMost = 255 * kWord;  // one byte counts that far
  std::int64_t total = 0;
  std::int64_t i = 0;
  while (i + kWord <= n) {
    std::uint64_t sums = 0;
    const std::int64_t end = i + std::min(kMost, (n - i) / kWord * kWord);
    for (; i < end; i += kWord) sums += word_at(mask + i);
    // Pairs of bytes first: their sum does not fit into one.
    const std::uint64_t pairs = (sums & 0x00ff00ff00ff00ff) + ((sums >> 8) & 0x00ff00ff00ff00ff);
    total += static_cast<std::int64_t>((pairs * (kLow & 0x0001000100010001)) >> 48);
  }
  for (; i < n; ++i) total += mask[i] ? 1 : 0;
  return total;
}

void true_positions(const bool* mask, std::int64_t n, std::int64_t* out) { positions_from(mask, n, 0, out); }

void true_coordinates(const bool* mask, std::int64_t n, std::int64_t start,
                      const std::vector<std::int64_t>& shape, const std::vector<std::int64_t*>& out) {
  if (n == 0) return;
  const std::int64_t length = shape.back();
  Line line(shape, start / length);
  std::int64_t column = start % length;
  std::int64_t filled = 0;
  for (std::int64_t i = 0; i < n;) {
    const std::int64_t here = std::min(length - column, n - i);
    const std::int64_t found = positions_from(mask + i, here, column, out.back() + filled);
    for (std::size_t axis = 0; axis < line.size(); ++axis)
      std::fill_n(out[axis] + filled, found, line.on(axis));
    filled += found;
    i += here;
    column = 0;
    line.next();
  }
}

void masked_pack(const bool* mask, std::int64_t n, const void* values, std::size_t bytes, void* out) {
  with_size(bytes, [&](auto element) { pack_as<decltype(element)>(mask, n, values, out); });
}

void masked_fill(const bool* mask, std::int64_t n, const void* value, std::size_t bytes, void* out) {
  with_size(bytes, [&](auto element) { fill_as<decltype(element)>(mask, n, value, out); });
}

void masked_unpack(const bool* mask, std::int64_t n, const void* values, std::size_t bytes, void* out) {
  with_size(bytes, [&](auto element) { unpack_as<decltype(element)>(mask, n, values, out); });
}

}  // namespace eh::kernels
