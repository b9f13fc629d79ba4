// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <utility>

#include "comm/communicator.hpp"
#include "layout/layout.hpp"

namespace eh {

using CommPtr = std::shared_ptr<Communicator>;

/// A global array: the block of this rank, who owns what, and over which ranks.
///
/// Cheap to copy (three reference counts); the layout is shared between results of element-wise operations.
/// @pre local.sizes() == layout->lshape(comm->rank())
class DNDarray {
 public:
  DNDarray(at::Tensor local, LayoutPtr layout, CommPtr comm)
      : local_(std::move(local)), layout_(std::move(layout)), comm_(std::move(comm)) {}

  const at::Tensor& local() const { return local_; }
  const Layout& layout() const { return *layout_; }
  const LayoutPtr& layout_ptr() const { return layout_; }
  const Communicator& comm() const { return *comm_; }
  const CommPtr& comm_ptr() const { return comm_; }

  const Shape& shape() const { return layout_->gshape(); }
  int ndim() const { return layout_->ndim(); }
  int split() const { return layout_->split(); }
  /// Split over more than one rank: the only case that needs messages.
  bool is_distributed() const { return layout_->is_split() && comm_->size() > 1; }

  /// The same layout around another local block of the same shape.
  DNDarray with_local(at::Tensor local) const { return {std::move(local), layout_, comm_}; }

 private:
  at::Tensor local_;
  LayoutPtr layout_;
  CommPtr comm_;
};

/// Checks the local shape against the layout; throws ValueError. For arrays made from user input.
DNDarray make_array(at::Tensor local, LayoutPtr layout, CommPtr comm);

inline at::IntArrayRef sizes(const Shape& shape) { return {shape.data(), shape.size()}; }
inline Shape shape_of(const at::Tensor& t) { return {t.sizes().begin(), t.sizes().end()}; }

}  // namespace eh
