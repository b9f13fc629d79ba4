// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>

#include <algorithm>

#include "array/autograd.hpp"
#include "ops/fft.hpp"

/// Transforms along a split axis beside other axes: pencils.
namespace eh::detail {
namespace {

/// Bytes of a rank's block that are on their way at a time.
constexpr std::int64_t kPiece = std::int64_t{4} << 20;

/// The longest axis beside the split one; kNoSplit if none has a line for every rank.
int pencil_axis(const DNDarray& x) {
  int best = kNoSplit;
  std::int64_t extent = x.comm().size() - 1;
  for (int axis = 0; axis < x.ndim(); ++axis) {
    const std::int64_t length = x.shape()[static_cast<std::size_t>(axis)];
    if (axis == x.split() || length <= extent) continue;
    best = axis;
    extent = length;
  }
  return best;
}

LayoutPtr result_layout(const DNDarray& x, std::int64_t extent) {
  Shape shape = x.shape();
  auto& length = shape[static_cast<std::size_t>(x.split())];
  if (length == extent) return x.layout_ptr();
  length = extent;
  return share(Layout::balanced(std::move(shape), x.split(), x.comm().size()));
}

/// The order of axes with `axis` behind all others, and the one that undoes it.
std::vector<int> last_axis(int ndim, int axis) {
  std::vector<int> order;
  for (int i = 0; i < ndim; ++i) {
    if (i != axis) order.push_back(i);
  }
  order.push_back(axis);
  return order;
}

/// To a split along `pencil`, transformed, and back. Lines arrive contiguous: a transform across memory takes
/// several times as long.
at::Tensor there_and_back(const at::Tensor& local, const Layout& from, const Layout& to, int pencil,
                          const LineTransform& line, const CommPtr& comm) {
  const int axis = from.split();
  const std::vector<int> order = last_axis(from.ndim(), axis);
  const auto rows = [&](const Layout& layout) { return share(layout.permuted(order)); };
  const auto lines = [&](const Layout& layout) {
    const int across = pencil > axis ? pencil - 1 : pencil;
    return share(Layout::balanced(layout.permuted(order).gshape(), across, comm->size()));
  };
  const at::Tensor whole = redistribute_local(local.movedim(axis, -1), rows(from), lines(from), comm);
  const at::Tensor done = line(whole, whole.dim() - 1).movedim(-1, axis);
  const Layout across = Layout::balanced(to.gshape(), pencil, comm->size());
  return redistribute_local(done, share(across), share(to), comm);
}

/// The layout of entries [begin, begin + length) along an axis that is not split.
Layout cut(const Layout& layout, int axis, std::int64_t length) {
  Shape shape = layout.gshape();
  shape[static_cast<std::size_t>(axis)] = length;
  return layout.with_shape(std::move(shape), layout.split());
}

/// Lines of the pencil axis that travel together: at least one per rank.
std::int64_t piece_length(const DNDarray& x, int pencil) {
  const std::int64_t lines = x.shape()[static_cast<std::size_t>(pencil)];
  const std::int64_t share_of = x.layout().size() / x.comm().size();
  const std::int64_t bytes = share_of * static_cast<std::int64_t>(x.local().element_size());
  const std::int64_t pieces = std::max<std::int64_t>(1, (bytes + kPiece - 1) / kPiece);
  return std::max<std::int64_t>((lines + pieces - 1) / pieces, x.comm().size());
}

/// One piece after another into the result, so that little more than input and result is in memory.
DNDarray in_pieces(const DNDarray& x, const LayoutPtr& target, int pencil, const LineTransform& line) {
  const std::int64_t lines = x.shape()[static_cast<std::size_t>(pencil)];
  const std::int64_t step = piece_length(x, pencil);
  at::Tensor out;
  for (std::int64_t begin = 0; begin < lines; begin += step) {
    const std::int64_t length = std::min(step, lines - begin);
    const at::Tensor piece =
        there_and_back(x.local().narrow(pencil, begin, length), cut(x.layout(), pencil, length),
                       cut(*target, pencil, length), pencil, line, x.comm_ptr());
    if (!out.defined()) out = piece.new_empty(sizes(target->lshape(x.comm().rank())));
    out.narrow(pencil, begin, length).copy_(piece);
  }
  return {out, target, x.comm_ptr()};
}

}  // namespace

DNDarray transform_split(const DNDarray& x, const LineTransform& line) {
  const LayoutPtr target = result_layout(x, line.extent());
  const int pencil = pencil_axis(x);
  if (pencil == kNoSplit) return transform_long(x, line, target);
  const bool at_once =
      needs_grad(x.local()) || piece_length(x, pencil) >= x.shape()[static_cast<std::size_t>(pencil)];
  if (!at_once) return in_pieces(x, target, pencil, line);
  return {there_and_back(x.local(), x.layout(), *target, pencil, line, x.comm_ptr()), target, x.comm_ptr()};
}

}  // namespace eh::detail
