// SPDX-License-Identifier: BSD-3-Clause
#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "kernels/masks.hpp"

namespace {

using namespace eh::kernels;
using Numbers = std::vector<std::int64_t>;

/// Element i holds, with runs of either kind.
bool holds(std::int64_t i, int kind) {
  if (kind == 0) return false;
  if (kind == 1) return true;
  return kind == 2 ? i % 3 == 1 : (i / 40) % 2 == 1 && i % 7 != 0;
}

struct Mask {
  Mask(std::int64_t length, int kind) : n(length), bits(new bool[static_cast<std::size_t>(length + 1)]) {
    for (std::int64_t i = 0; i < n; ++i) {
      bits[static_cast<std::size_t>(i)] = holds(i, kind);
      if (holds(i, kind)) where.push_back(i);
    }
  }
  std::int64_t n;
  std::unique_ptr<bool[]> bits;
  Numbers where;
};

template <typename Check>
void for_all_masks(const Check& check) {
  for (const std::int64_t n : {0, 1, 7, 8, 9, 63, 100, 2040, 5000}) {
    for (int kind = 0; kind < 4; ++kind) check(Mask(n, kind));
  }
}

TEST_CASE("masks: counted and listed") {
  for_all_masks([](const Mask& mask) {
    const auto found = static_cast<std::int64_t>(mask.where.size());
    CHECK(count_true(mask.bits.get(), mask.n) == found);
    Numbers out(mask.where.size() + 1);
    true_positions(mask.bits.get(), mask.n, out.data());
    out.pop_back();
    CHECK(out == mask.where);
  });
}

TEST_CASE("masks: coordinates from any element on") {
  const Numbers shape{3, 40, 50};
  for (const std::int64_t start : {0, 49, 50, 777}) {
    const Mask mask(5000, 3);
    std::vector<Numbers> lists(3, Numbers(mask.where.size() + 1));
    true_coordinates(mask.bits.get(), mask.n, start, shape,
                     {lists[0].data(), lists[1].data(), lists[2].data()});
    bool good = true;
    for (std::size_t k = 0; k < mask.where.size(); ++k)
      good = good && (lists[0][k] * 40 + lists[1][k]) * 50 + lists[2][k] == mask.where[k] + start;
    CHECK_MESSAGE(good, start);
  }
}

template <typename T>
void check_moves(const Mask& mask) {
  const auto n = static_cast<std::size_t>(mask.n);
  std::vector<T> values(n);
  for (std::size_t i = 0; i < n; ++i) std::memset(&values[i], static_cast<int>(i % 251), sizeof(T));
  std::vector<T> packed(mask.where.size() + 1);
  masked_pack(mask.bits.get(), mask.n, values.data(), sizeof(T), packed.data());
  packed.pop_back();
  std::vector<T> back(n);
  masked_unpack(mask.bits.get(), mask.n, packed.data(), sizeof(T), back.data());
  std::vector<T> filled = values;
  const T zero{};
  masked_fill(mask.bits.get(), mask.n, &zero, sizeof(T), filled.data());
  bool good = true;
  std::size_t k = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (mask.bits[i]) good = good && packed[k++] == values[i];
    good = good && back[i] == (mask.bits[i] ? values[i] : zero) &&
           filled[i] == (mask.bits[i] ? zero : values[i]);
  }
  CHECK(good);
}

TEST_CASE("masks: packed, unpacked and filled, elements of every size") {
  for_all_masks([](const Mask& mask) {
    check_moves<std::uint8_t>(mask);
    check_moves<std::uint16_t>(mask);
    check_moves<std::uint32_t>(mask);
    check_moves<std::uint64_t>(mask);
    check_moves<std::array<std::uint64_t, 2>>(mask);
  });
}

}  // namespace
