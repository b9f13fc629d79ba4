// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/IListRef.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat_ops.h>

#include "array/autograd.hpp"  // first: cat_ops.h needs Tensor.h
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"
#include "layout/joining.hpp"
#include "ops/manipulation.hpp"

namespace eh {
namespace {

void check_joinable(const std::vector<DNDarray>& arrays, int axis) {
  const Shape& first = arrays[0].shape();
  for (std::size_t i = 1; i < arrays.size(); ++i) {
    const Shape& other = arrays[i].shape();
    EH_CHECK(other.size() == first.size(), ValueError,
             "concatenate: all arrays must have the same number of "
             "dimensions, but array 0 has ",
             first.size(), " and array ", i, " has ", other.size());
    for (std::size_t a = 0; a < first.size(); ++a) {
      EH_CHECK(a == at(axis) || other[a] == first[a], ValueError, "concatenate: all dimensions except axis ",
               axis, " must match, but along axis ", a, " array 0 has ", first[a], " and array ", i, " has ",
               other[a]);
    }
    EH_CHECK(arrays[i].comm_ptr() == arrays[0].comm_ptr(), NotSupported,
             "concatenate: the arrays live on different communicators");
  }
}

at::ScalarType common_type(const std::vector<DNDarray>& arrays) {
  DType dtype = dtype_of(arrays[0].local().scalar_type());
  for (const DNDarray& x : arrays) dtype = promote(dtype, dtype_of(x.local().scalar_type()));
  return scalar_type_of(dtype);
}

Shape joined_shape(const std::vector<DNDarray>& arrays, int axis) {
  Shape shape = arrays[0].shape();
  shape[at(axis)] = 0;
  for (const DNDarray& x : arrays) shape[at(axis)] += x.shape()[at(axis)];
  return shape;
}

/// The first split array: it decides.
const DNDarray* leader(const std::vector<DNDarray>& arrays) {
  for (const DNDarray& x : arrays) {
    if (x.layout().is_split()) return &x;
  }
  return nullptr;
}

at::Tensor join_local(const std::vector<at::Tensor>& blocks, int axis) {
  return at::_ops::cat::call(at::TensorList(blocks), axis);
}

/// Joined across the split: blocks behind one another here, then every array to its place.
DNDarray join_along_split(const std::vector<DNDarray>& arrays, int axis, at::ScalarType dtype) {
  std::vector<at::Tensor> blocks;
  std::vector<std::vector<std::int64_t>> counts;
  for (const DNDarray& x : arrays) {
    const DNDarray there = x.split() == axis ? x : resplit(x, axis);
    blocks.push_back(there.local().to(dtype));
    counts.push_back(there.layout().counts());
  }
  const CommPtr& comm = arrays[0].comm_ptr();
  at::Tensor local = join_local(blocks, axis);
  const RowPlan plan = plan_join(counts);
  if (comm->size() > 1) local = move_rows(local, axis, plan.from, plan.to, plan.moves, comm);
  return {std::move(local), share(Layout::with_counts(joined_shape(arrays, axis), axis, plan.to)), comm};
}

/// Joined beside the split (or without one): every array takes the leader's layout.
DNDarray join_beside_split(const std::vector<DNDarray>& arrays, int axis, const Layout& lead,
                           at::ScalarType dtype) {
  std::vector<at::Tensor> blocks;
  for (const DNDarray& x : arrays) {
    const LayoutPtr to = share(lead.with_shape(x.shape(), lead.split()));
    blocks.push_back(redistribute(x, to).local().to(dtype));
  }
  return {join_local(blocks, axis), share(lead.with_shape(joined_shape(arrays, axis), lead.split())),
          arrays[0].comm_ptr()};
}

}  // namespace

DNDarray concatenate(const std::vector<DNDarray>& arrays, int axis) {
  EH_CHECK(!arrays.empty(), ValueError, "concatenate: need at least one array to concatenate");
  EH_CHECK(arrays[0].ndim() > 0, ValueError, "concatenate: zero-dimensional arrays cannot be concatenated");
  axis = normalize_axis(axis, arrays[0].ndim(), "concatenate");
  check_joinable(arrays, axis);
  const at::ScalarType dtype = common_type(arrays);
  const DNDarray* lead = leader(arrays);
  if (lead != nullptr && lead->split() == axis) return join_along_split(arrays, axis, dtype);
  return join_beside_split(arrays, axis, lead != nullptr ? lead->layout() : arrays[0].layout(), dtype);
}

DNDarray stack(const std::vector<DNDarray>& arrays, int axis) {
  EH_CHECK(!arrays.empty(), ValueError, "stack: need at least one array to stack");
  axis = normalize_axis(axis, arrays[0].ndim() + 1, "stack");
  std::vector<DNDarray> rows;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    EH_CHECK(arrays[i].shape() == arrays[0].shape(), ValueError,
             "stack: all arrays must have the same shape, but "
             "array 0 has ",
             to_string(arrays[0].shape()), " and array ", i, " has ", to_string(arrays[i].shape()));
    rows.push_back(expand_dims(arrays[i], {axis}));
  }
  return concatenate(rows, axis);
}

}  // namespace eh
