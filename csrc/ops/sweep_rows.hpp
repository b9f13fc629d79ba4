// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "base/shape.hpp"
#include "layout/windows.hpp"

/// Memory of a sweep that takes several steps of a stencil (ops/stencil_steps.cpp): a few rows of every step.
namespace eh::sweeps {

/// An entry of the leading axis with all other axes, continued beyond their ends by the reach of the stencil.
struct Slab {
  std::vector<std::int64_t> sizes;    ///< of the other axes
  std::vector<std::int64_t> strides;  ///< with the frame; contiguous
  std::int64_t padded = 1;            ///< elements with the frame
  std::int64_t inner = 0;             ///< where the entry itself begins
  std::int64_t rows = 1;              ///< rows of the last axis
  /// What the frame holds: element `from` at `to`, or the fill where `from` is negative.
  struct Copy {
    std::int64_t to;
    std::int64_t from;
  };
  std::vector<Copy> frame;

  Slab(const Shape& block, const std::vector<std::int64_t>& reach, Boundary boundary) {
    sizes.assign(block.begin() + 1, block.end());
    strides.resize(sizes.size());
    for (std::size_t axis = sizes.size(); axis-- > 0;) {
      strides[axis] = padded;
      inner += reach[axis + 1] * padded;
      padded *= sizes[axis] + 2 * reach[axis + 1];
      if (axis + 1 < sizes.size()) rows *= sizes[axis];
    }
    fill_frame(reach, boundary);
  }

  /// Where row `number` of the last axis begins, within the frame.
  std::int64_t row(std::int64_t number) const {
    std::int64_t place = inner;
    for (std::size_t axis = sizes.size() - 1; axis-- > 0;) {
      place += number % sizes[axis] * strides[axis];
      number /= sizes[axis];
    }
    return place;
  }

 private:
  void fill_frame(const std::vector<std::int64_t>& reach, Boundary boundary) {
    for (std::int64_t to = 0; to < padded; ++to) {
      std::int64_t from = 0;
      bool inside = true;
      for (std::size_t axis = 0; axis < sizes.size() && from >= 0; ++axis) {
        const std::int64_t width = sizes[axis] + 2 * reach[axis + 1];
        const std::int64_t position = to / strides[axis] % width - reach[axis + 1];
        inside = inside && position >= 0 && position < sizes[axis];
        const std::int64_t source = row_at(position, sizes[axis], boundary);
        from = source < 0 ? -1 : from + (source + reach[axis + 1]) * strides[axis];
      }
      if (!inside) frame.push_back({to, from});
    }
  }
};

/// Intermediate rows of one sweep: for each step but the last the latest ones, as many as the next step looks at.
template <typename T>
class Levels {
 public:
  Levels(const Slab& slab, std::int64_t levels, std::int64_t kept)
      : kept_(kept), pitch_(pitch_of(slab.padded)) {
    memory_.resize(static_cast<std::size_t>(levels * kept * pitch_ + 2 * kLine));
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data() + slab.inner) / sizeof(T);
    first_ = memory_.data() + (kLine - static_cast<std::int64_t>(address % kLine)) % kLine;
  }
  std::int64_t slot(std::int64_t row) const { return (row % kept_ + kept_) % kept_; }
  /// From one row to another of the same level, in elements.
  std::int64_t distance(std::int64_t from, std::int64_t to) const { return (slot(to) - slot(from)) * pitch_; }
  T* at(std::int64_t level, std::int64_t row) const { return first_ + (level * kept_ + slot(row)) * pitch_; }

 private:
  static constexpr std::int64_t kLine = 64 / sizeof(T);
  static constexpr std::int64_t kPage = 4096 / sizeof(T);

  /// Rows begin at a cache line, and not at the same place of a page: a processor takes a row it reads for one it has just
  /// written where only the page differs.
  static std::int64_t pitch_of(std::int64_t padded) {
    std::int64_t pitch = (padded + kLine - 1) / kLine * kLine;
    while (pitch % kPage < 9 * kLine || pitch % kPage > kPage - 9 * kLine) pitch += kLine;
    return pitch;
  }

  std::int64_t kept_;
  std::int64_t pitch_;
  std::vector<T> memory_;
  T* first_;
};

}  // namespace eh::sweeps
