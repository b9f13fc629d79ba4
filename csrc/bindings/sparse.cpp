// SPDX-License-Identifier: BSD-3-Clause
#include "ops/sparse.hpp"

#include "base/error.hpp"
#include "bindings/casters.hpp"
#include "bindings/register.hpp"
#include "kernels/compressed.hpp"

namespace eh {
namespace {

using OptionalCounts = std::optional<std::vector<std::int64_t>>;

LayoutPtr layout_from(Shape shape, std::optional<int> split, const OptionalCounts& counts,
                      const CommPtr& comm) {
  const int axis = split ? *split : kNoSplit;
  return share(counts ? Layout::with_counts(std::move(shape), axis, *counts)
                      : Layout::balanced(std::move(shape), axis, comm->size()));
}

/// From this rank's block, whose columns may be in any order and repeated.
SparseMatrix from_block(const at::Tensor& begin, const at::Tensor& columns, const at::Tensor& values,
                        const Shape& shape, std::optional<int> split, const OptionalCounts& counts,
                        const CommPtr& comm) {
  const LayoutPtr layout = layout_from(shape, split, counts, comm);
  return sparse_from_block(canonical({begin.contiguous(), columns.contiguous(), values, shape[1]}), layout,
                           comm);
}

/// @pre begin: contiguous int64, ascending from 0 to the number of columns
std::optional<SparseMatrix> from_whole(const at::Tensor& begin, const at::Tensor& columns,
                                       const at::Tensor& values, const Shape& shape, const CommPtr& comm) {
  return sparse_from_whole({begin, columns, values, shape[1]}, layout_from(shape, 0, std::nullopt, comm),
                           comm);
}

SparseMatrix from_entries(const at::Tensor& rows, const at::Tensor& columns, const at::Tensor& values,
                          const Shape& shape, std::optional<int> split, bool spread, const CommPtr& comm) {
  return sparse_from_entries(rows.contiguous(), columns.contiguous(), values,
                             layout_from(shape, split, std::nullopt, comm), spread, comm);
}

SparseMatrix redistribute_matrix(const SparseMatrix& a, std::optional<int> split,
                                 const OptionalCounts& counts) {
  return sparse_redistribute(a, layout_from(a.shape(), split, counts, a.comm_ptr()));
}

void check_comm(const CommPtr& a, const CommPtr& b, const char* fn) {
  EH_CHECK(a == b, ValueError, fn, ": the operands live on different communicators");
}

DNDarray times_checked(const SparseMatrix& a, const DNDarray& x, bool transposed) {
  check_comm(a.comm_ptr(), x.comm_ptr(), "matmul");
  return sparse_times_dense(a, x, transposed);
}

template <SparseMatrix (*op)(const SparseMatrix&, const SparseMatrix&)>
SparseMatrix checked(const SparseMatrix& a, const SparseMatrix& b) {
  check_comm(a.comm_ptr(), b.comm_ptr(), "sparse");
  return op(a, b);
}

/// @pre a contiguous int64 vector, one begin at least
bool are_begins(const at::Tensor& begin, std::int64_t entries) {
  return kernels::are_begins(begin.const_data_ptr<std::int64_t>(), begin.numel() - 1, entries);
}

/// @pre a contiguous int64 vector
bool are_within(const at::Tensor& indices, std::int64_t extent) {
  return kernels::are_within(indices.const_data_ptr<std::int64_t>(), indices.numel(), extent);
}

}  // namespace

void register_sparse(py::module_& m) {
  py::class_<SparseMatrix>(m, "SparseMatrix", "Rows compressed; split along the rows or replicated.")
      .def_property_readonly("begin", [](const SparseMatrix& a) { return a.local().begin; })
      .def_property_readonly("columns", [](const SparseMatrix& a) { return a.local().columns; })
      .def_property_readonly("values", [](const SparseMatrix& a) { return a.local().values; })
      .def_property_readonly("gshape", [](const SparseMatrix& a) { return py::tuple(py::cast(a.shape())); })
      .def_property_readonly("split", [](const SparseMatrix& a) { return split_to(a.layout().split()); })
      .def_property_readonly("counts",
                             [](const SparseMatrix& a) {
                               return a.is_split() ? OptionalCounts(a.layout().counts()) : std::nullopt;
                             })
      .def_property_readonly("entries", &SparseMatrix::entries,
                             "Per rank; of a replicated matrix one number.")
      .def_property_readonly("comm", &SparseMatrix::comm_ptr)
      .def_property_readonly("is_balanced", [](const SparseMatrix& a) { return a.layout().is_balanced(); })
      .def_property_readonly("is_distributed", &SparseMatrix::is_distributed)
      .def("with_values", &SparseMatrix::with_values, py::arg("values"), "Other values at the same places.")
      .def("redistribute", &redistribute_matrix, py::arg("split"), py::arg("counts"), NoGil(), "Collective.")
      .def("transposed", &sparse_transposed, NoGil(), "Rows and columns exchanged. Collective.")
      .def("to_dense", &sparse_to_dense, NoGil())
      .def("add", &checked<sparse_add>, py::arg("other"), NoGil(), "Collective.")
      .def("multiply", &checked<sparse_multiply>, py::arg("other"), NoGil(), "Collective.")
      .def("times", &checked<sparse_times_sparse>, py::arg("other"), NoGil(), "Collective.")
      .def("times_dense", &times_checked, py::arg("x"), py::arg("transposed"), NoGil(), "Collective.");
  m.def("sparse_from_block", &from_block, py::arg("begin"), py::arg("columns"), py::arg("values"),
        py::arg("shape"), py::arg("split"), py::arg("counts"), py::arg("comm"), NoGil(), "Collective.");
  m.def("sparse_from_entries", &from_entries, py::arg("rows"), py::arg("columns"), py::arg("values"),
        py::arg("shape"), py::arg("split"), py::arg("spread"), py::arg("comm"), NoGil(), "Collective.");
  m.def("sparse_from_whole", &from_whole, py::arg("begin"), py::arg("columns"), py::arg("values"),
        py::arg("shape"), py::arg("comm"), NoGil(),
        "Own rows of what every rank has; None on all where a column lies outside. Collective.");
  m.def("sparse_are_begins", &are_begins, py::arg("begin"), py::arg("entries"), NoGil(),
        "Begins ascend from 0 to the number of entries. Local.");
  m.def("sparse_are_within", &are_within, py::arg("indices"), py::arg("extent"), NoGil(),
        "All of them lie in [0, extent). Local.");
  m.def("sparse_from_dense", &sparse_from_dense, py::arg("x"), NoGil(), "Collective.");
}

}  // namespace eh
