// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "array/autograd.hpp"
#include "array/halo.hpp"
#include "array/parallel.hpp"
#include "kernels/copy.hpp"
#include "kernels/stencil.hpp"
#include "ops/stencil.hpp"
#include "ops/sweep_rows.hpp"

namespace eh {
namespace {

using sweeps::Levels;
using sweeps::Slab;

/// Bytes of intermediate rows that stay in the second-level cache, or nearly.
constexpr std::int64_t kCache = 768 << 10;
/// Steps of one sweep beyond which memory is no longer what takes the time.
constexpr std::int64_t kMostSteps = 8;

/// What one sweep does: the block `steps` times, from the rows around it.
template <typename T>
struct Sweep {
  using List = std::vector<kernels::Tap<T>>;

  const Slab& slab;
  const Taps& taps;
  std::int64_t reach;  ///< along the leading axis
  Beyond beyond;
  std::int64_t steps;
  Window axis;     ///< all rows there are, counted from this block's first; with a ring they have no end
  const T* block;  ///< rows [0, rows)
  std::int64_t rows;
  const T* before;  ///< steps * reach rows in front of the block
  const T* after;   ///< and behind it

  std::int64_t entries() const { return slab.rows * slab.sizes.back(); }

  /// Results for rows [begin, end). May be `block` itself where one call makes them all: a row is written after the last
  /// time it is read.
  void run(std::int64_t begin, std::int64_t end, T* out) const {
    const Levels<T> levels(slab, steps, 2 * reach + 1);
    std::vector<List> inner;
    for (std::int64_t row = 0; row < 2 * reach + 1; ++row) inner.push_back(taps_of(levels, row, false).first);
    const auto needed = [&](std::int64_t level) {
      const std::int64_t wider = (steps - level) * reach;
      return Window{std::max(begin - wider, axis.begin), std::min(end + wider, axis.end)};
    };
    for (std::int64_t front = needed(0).begin; front < end + steps * reach; ++front) {
      if (front < needed(0).end) load(source(front), levels.at(0, front));
      for (std::int64_t level = 1; level <= steps; ++level) {
        const std::int64_t row = front - level * reach;
        const Window here = needed(level);
        if (row < here.begin || row >= here.end) continue;
        const T* const from = levels.at(level - 1, row);
        const bool last = level == steps;
        T* const to = last ? out + row * entries() : levels.at(level, row);
        if (row - reach >= axis.begin && row + reach < axis.end) {
          compute(from, inner[static_cast<std::size_t>(levels.slot(row))], 0, to, !last);
        } else {
          const auto [list, outside] = taps_of(levels, row, true);
          compute(from, list, outside, to, !last);
        }
      }
    }
  }

 private:
  const T* source(std::int64_t row) const {
    if (row < 0) return before + (row + steps * reach) * entries();
    return row < rows ? block + row * entries() : after + (row - rows) * entries();
  }

  void load(const T* from, T* to) const {
    const std::int64_t n = slab.sizes.back();
    for (std::int64_t r = 0; r < slab.rows; ++r)
      kernels::copy_bytes(to + slab.row(r), from + r * n, static_cast<std::size_t>(n) * sizeof(T));
    continue_beyond(to);
  }

  void continue_beyond(T* to) const {
    for (const Slab::Copy& copy : slab.frame)
      to[copy.to] = copy.from < 0 ? static_cast<T>(beyond.fill) : to[copy.from];
  }

  /// The taps of one row, and what those beyond the ends of the leading axis add that find no row there.
  std::pair<List, double> taps_of(const Levels<T>& levels, std::int64_t row, bool at_end) const {
    List list;
    double outside = 0;
    for (std::size_t t = 0; t < taps.weights.size(); ++t) {
      const auto& offset = taps.offsets[t];
      std::int64_t found = row + offset[0];
      if (at_end && (found < axis.begin || found >= axis.end)) {
        const std::int64_t mirrored = row_at(found - axis.begin, axis.end - axis.begin, beyond.boundary);
        if (mirrored < 0) {
          outside += taps.weights[t] * beyond.fill;
          continue;
        }
        found = mirrored + axis.begin;
      }
      std::int64_t distance = levels.distance(row, found);
      for (std::size_t k = 0; k < slab.strides.size(); ++k) distance += offset[k + 1] * slab.strides[k];
      list.push_back({distance, static_cast<T>(taps.weights[t])});
    }
    return {std::move(list), outside};
  }

  void compute(const T* from, const List& list, double outside, T* to, bool framed) const {
    const std::int64_t n = slab.sizes.back();
    for (std::int64_t r = 0; r < slab.rows; ++r) {
      T* const row = framed ? to + slab.row(r) : to + r * n;
      if (outside != 0 || list.empty()) std::fill_n(row, n, static_cast<T>(outside));
      if (!list.empty()) kernels::stencil_row(from + slab.row(r), list, n, outside != 0, row);
    }
    if (framed) continue_beyond(to);
  }
};

/// Rows around the block, from other ranks or from its other end.
std::pair<at::Tensor, at::Tensor> rows_around(const DNDarray& x, std::int64_t width, const Beyond& beyond) {
  if (x.is_distributed()) {
    const auto halo = halo_exchange_for(x, width, width, beyond);
    halo->start(x.local().detach());
    return halo->finish();
  }
  if (beyond.boundary != Boundary::Wrap) return {};
  const std::int64_t n = x.local().size(0);
  const auto copy = [&](std::int64_t begin, std::int64_t end) {
    return local_window(x.local().detach(), 0, {begin, end}, beyond).clone();
  };
  return {copy(-width, 0), copy(n, n + width)};
}

template <typename T>
void sweep(const DNDarray& from, const at::Tensor& out, const Frame& frame, const Taps& taps,
           std::int64_t steps, std::int64_t parts) {
  const at::Tensor block = from.local().detach().contiguous();
  const auto [before, after] = rows_around(from, steps * frame.before[0], frame.beyond);
  const std::int64_t rows = block.size(0);
  if (rows == 0) return;
  const std::int64_t offset = from.is_distributed() ? from.layout().offset(from.comm().rank()) : 0;
  const std::int64_t far = steps * frame.before[0];
  const Window axis = frame.beyond.boundary == Boundary::Wrap ? Window{-far, rows + far}
                                                              : Window{-offset, from.shape()[0] - offset};
  const Slab slab(shape_of(block), frame.before, frame.beyond.boundary);
  const auto data = [](const at::Tensor& t) { return t.defined() ? t.const_data_ptr<T>() : nullptr; };
  const Sweep<T> whole{slab,        taps, frame.before[0], frame.beyond, steps, axis,
                       data(block), rows, data(before),    data(after)};
  T* const to = out.mutable_data_ptr<T>();
  parallel_parts(rows, parts,
                 [&](std::int64_t, std::int64_t begin, std::int64_t end) { whole.run(begin, end, to); });
}

/// Steps that one sweep takes; 1 where each needs all of memory anyway. The same on all ranks.
std::int64_t steps_at_once(const DNDarray& x, const Frame& frame, std::int64_t steps) {
  const at::Tensor& local = x.local();
  const bool plain =
      local.is_cpu() && (local.scalar_type() == at::kFloat || local.scalar_type() == at::kDouble);
  const bool along_rows = x.ndim() >= 2 && (!x.is_distributed() || x.split() == 0);
  if (!plain || !along_rows || x.layout().size() == 0 || frame.before != frame.after) return 1;
  const std::int64_t reach = frame.before[0];
  std::int64_t padded = 1;
  for (int axis = 1; axis < x.ndim(); ++axis)
    padded *= x.shape()[static_cast<std::size_t>(axis)] + 2 * frame.before[static_cast<std::size_t>(axis)];
  std::int64_t least = x.shape()[0];
  if (x.is_distributed())
    for (const std::int64_t count : x.layout().counts()) least = std::min(least, count);
  if (least < 2 * reach + 1) return 1;
  const std::int64_t item = static_cast<std::int64_t>(local.element_size());
  const std::int64_t in_cache = kCache / ((2 * reach + 1) * padded * item);
  const std::int64_t narrow = reach == 0 ? kMostSteps : least / (2 * reach);
  return std::clamp<std::int64_t>(std::min({in_cache, narrow, kMostSteps}), 1, steps);
}

}  // namespace

DNDarray repeated_stencil(const DNDarray& x, const Frame& frame, const Taps& taps, std::int64_t steps,
                          const std::optional<DNDarray>& out) {
  const bool recorded = needs_grad(x.local()) || taps.weights.empty();
  const std::int64_t most = recorded ? 1 : steps_at_once(x, frame, steps);
  const auto fresh = [&] { return x.with_local(x.local().new_empty(x.local().sizes())); };
  DNDarray from = x;
  std::optional<DNDarray> buffers[2];  // results of steps alternate; a sweep may end where it began
  int current = 0;
  if (out && out->local().is_contiguous()) buffers[1] = *out;
  for (std::int64_t done = 0, n = 0; done < steps; done += n) {
    n = std::min(most, steps - done);
    if (recorded) {
      from = weighted_stencil(from, frame, taps, {});
      continue;
    }
    const std::int64_t parts = parts_of(x.local().numel(), n);
    const bool in_place = n > 1 && done > 0 && parts == 1;
    if (!in_place) current = 1 - current;
    if (!buffers[current]) buffers[current] = fresh();
    const DNDarray to = *buffers[current];
    if (n == 1)
      weighted_stencil(from, frame, taps, {to, false});
    else if (x.local().scalar_type() == at::kFloat)
      sweep<float>(from, to.local(), frame, taps, n, parts);
    else
      sweep<double>(from, to.local(), frame, taps, n, parts);
    from = to;
  }
  if (!out || from.local().is_same(out->local())) return from;
  out->local().detach().copy_(from.local());
  return *out;
}

}  // namespace eh
