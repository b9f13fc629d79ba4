// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/pack.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/copy.hpp"
#include "kernels/tiles.hpp"

namespace eh {
namespace {

/// Elements of a size the compiler knows; `Gather` from strided to packed memory, else back.
template <std::size_t Item, bool Gather>
void copy_items(std::byte* strided, std::int64_t stride, std::byte* packed, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    if constexpr (Gather)
      std::memcpy(packed + static_cast<std::size_t>(i) * Item, strided + i * stride, Item);
    else
      std::memcpy(strided + i * stride, packed + static_cast<std::size_t>(i) * Item, Item);
  }
}

template <bool Gather>
void copy_run(std::byte* strided, std::int64_t stride, std::byte* packed, std::int64_t n, std::size_t item,
              StridedView::Copy copy) {
  switch (item) {
    case 1:
      return copy_items<1, Gather>(strided, stride, packed, n);
    case 2:
      return copy_items<2, Gather>(strided, stride, packed, n);
    case 4:
      return copy_items<4, Gather>(strided, stride, packed, n);
    case 8:
      return copy_items<8, Gather>(strided, stride, packed, n);
    case 16:
      return copy_items<16, Gather>(strided, stride, packed, n);
    default:
      for (std::int64_t i = 0; i < n; ++i) {
        std::byte* at = packed + static_cast<std::size_t>(i) * item;
        if (Gather)
          copy(at, strided + i * stride, item);
        else
          copy(strided + i * stride, at, item);
      }
  }
}

}  // namespace

StridedView::StridedView(std::byte* data, std::int64_t bytes) : data_(data), item_(1), count_(bytes) {}

StridedView::StridedView(std::byte* data, std::size_t item, std::vector<std::int64_t> sizes,
                         std::vector<std::int64_t> strides)
    : data_(data), item_(item), count_(1) {
  for (const std::int64_t size : sizes) count_ *= size;
  if (count_ == 0) return;
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    if (sizes[axis] == 1) continue;
    // Rows that follow each other at the distance of their own length are one longer row.
    if (!sizes_.empty() && strides_.back() == sizes[axis] * strides[axis]) {
      sizes_.back() *= sizes[axis];
      strides_.back() = strides[axis];
    } else {
      sizes_.push_back(sizes[axis]);
      strides_.push_back(strides[axis]);
    }
  }
  if (!sizes_.empty() && strides_.back() == static_cast<std::int64_t>(item_)) {
    item_ *= static_cast<std::size_t>(sizes_.back());
    count_ /= sizes_.back();
    sizes_.pop_back();
    strides_.pop_back();
  }
  if (sizes_.empty()) {
    count_ *= static_cast<std::int64_t>(item_);
    item_ = 1;
  }
}

bool StridedView::by_tiles() const {
  return sizes_.size() > 1 && kernels::prefers_tiles({strides_[strides_.size() - 2], strides_.back()}, item_);
}

/// Rows of the last axis that follow each other along the last but one.
template <bool Gather>
void StridedView::copy_rows(std::byte* strided, std::byte* packed, std::int64_t rows, std::int64_t length,
                            Copy copy) const {
  if (rows == 1) return copy_run<Gather>(strided, strides_.back(), packed, length, item_, copy);
  const auto item = static_cast<std::int64_t>(item_);
  const kernels::Steps apart{strides_[strides_.size() - 2], strides_.back()}, close{length * item, item};
  if constexpr (Gather)
    kernels::copy_tiles(strided, apart, packed, close, rows, length, item_);
  else
    kernels::copy_tiles(packed, close, strided, apart, rows, length, item_);
}

/// Calls run(address, rows, n) for rows of the last axis, several at once where tiles pay; the first and the last
/// perhaps in part; addresses of items.
template <typename Run>
void StridedView::for_runs(std::int64_t first, std::int64_t n, const Run& run) const {
  const std::int64_t row = sizes_.back();
  const std::size_t last = sizes_.size() - 1;
  const bool tiles = by_tiles();
  std::vector<std::int64_t> index(sizes_.size());
  std::int64_t rest = first;
  for (std::size_t axis = sizes_.size(); axis-- > 0; rest /= sizes_[axis]) index[axis] = rest % sizes_[axis];
  while (n > 0) {
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < index.size(); ++axis) offset += index[axis] * strides_[axis];
    const bool whole = index[last] == 0 && n >= row;
    const std::int64_t rows = tiles && whole ? std::min(n / row, sizes_[last - 1] - index[last - 1]) : 1;
    const std::int64_t length = std::min(n, row - index[last]);
    run(data_ + offset, rows, length);
    n -= rows * length;
    index[last] = 0;
    if (last > 0) index[last - 1] += rows - 1;
    for (std::size_t axis = last; axis-- > 0;) {
      if (++index[axis] < sizes_[axis]) break;
      index[axis] = 0;
    }
  }
}

namespace {

/// Calls part(item, within, n, at) and whole(item, items, at) for [first, first + n) cut at the borders of items: at most the two ends are not whole.
struct Cut {
  std::int64_t item;
  template <typename Part, typename Whole>
  void operator()(std::int64_t first, std::int64_t n, const Part& part, const Whole& whole) const {
    std::int64_t at = 0;
    if (first % item != 0) {
      const std::int64_t length = std::min(n, item - first % item);
      part(first / item, first % item, length, at);
      at += length;
    }
    if (n - at >= item) {
      const std::int64_t items = (n - at) / item;
      whole((first + at) / item, items, at);
      at += items * item;
    }
    if (at < n) part((first + at) / item, 0, n - at, at);
  }
};

}  // namespace

void StridedView::pack(std::int64_t first, std::int64_t n, std::byte* out, Copy copy) const {
  if (is_contiguous()) {
    if (n > 0) copy(out, data_ + first, static_cast<std::size_t>(n));
    return;
  }
  const auto part = [&](std::int64_t item, std::int64_t within, std::int64_t length, std::int64_t at) {
    for_runs(item, 1, [&](const std::byte* from, std::int64_t, std::int64_t) {
      copy(out + at, from + within, static_cast<std::size_t>(length));
    });
  };
  const auto whole = [&](std::int64_t item, std::int64_t items, std::int64_t at) {
    for_runs(item, items, [&](std::byte* from, std::int64_t rows, std::int64_t length) {
      copy_rows<true>(from, out + at, rows, length, copy);
      at += rows * length * static_cast<std::int64_t>(item_);
    });
  };
  Cut{static_cast<std::int64_t>(item_)}(first, n, part, whole);
}

void StridedView::unpack(std::int64_t first, std::int64_t n, const std::byte* in, Copy copy) const {
  if (is_contiguous()) {
    if (n > 0) copy(data_ + first, in, static_cast<std::size_t>(n));
    return;
  }
  const auto part = [&](std::int64_t item, std::int64_t within, std::int64_t length, std::int64_t at) {
    for_runs(item, 1, [&](std::byte* to, std::int64_t, std::int64_t) {
      copy(to + within, in + at, static_cast<std::size_t>(length));
    });
  };
  const auto whole = [&](std::int64_t item, std::int64_t items, std::int64_t at) {
    for_runs(item, items, [&](std::byte* to, std::int64_t rows, std::int64_t length) {
      copy_rows<false>(to, const_cast<std::byte*>(in) + at, rows, length, copy);
      at += rows * length * static_cast<std::int64_t>(item_);
    });
  };
  Cut{static_cast<std::int64_t>(item_)}(first, n, part, whole);
}

void StridedView::append_rows(std::int64_t first, std::int64_t n, std::vector<Memory>& rows) const {
  if (is_contiguous()) {
    if (n > 0) rows.push_back({data_ + first, static_cast<std::size_t>(n)});
    return;
  }
  const auto part = [&](std::int64_t item, std::int64_t within, std::int64_t length, std::int64_t) {
    for_runs(item, 1, [&](std::byte* at, std::int64_t, std::int64_t) {
      rows.push_back({at + within, static_cast<std::size_t>(length)});
    });
  };
  const auto whole = [&](std::int64_t item, std::int64_t items, std::int64_t) {
    for_runs(item, items, [&](std::byte* at, std::int64_t lines, std::int64_t length) {
      for (std::int64_t line = 0; line < lines; ++line)
        for (std::int64_t i = 0; i < length; ++i) {
          const std::int64_t across = lines > 1 ? line * strides_[strides_.size() - 2] : 0;
          rows.push_back({at + across + i * strides_.back(), item_});
        }
    });
  };
  Cut{static_cast<std::int64_t>(item_)}(first, n, part, whole);
}

}  // namespace eh
