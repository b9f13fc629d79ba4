// SPDX-License-Identifier: BSD-3-Clause
#include "array/redistribute.hpp"
#include "array/rounds.hpp"
#include "array/staging.hpp"
#include "base/error.hpp"
#include "bindings/casters.hpp"
#include "bindings/register.hpp"

namespace eh {
namespace {

using OptionalCounts = std::optional<std::vector<std::int64_t>>;

/// An array from this rank's block and the global facts, which must be the same on every rank.
DNDarray make(at::Tensor local, Shape gshape, std::optional<int> split, const OptionalCounts& counts,
              const CommPtr& comm) {
  const int axis = split_from(split, static_cast<int>(gshape.size()), "array");
  Layout layout = counts ? Layout::with_counts(std::move(gshape), axis, *counts)
                         : Layout::balanced(std::move(gshape), axis, comm->size());
  EH_CHECK(layout.nranks() == comm->size(), ValueError, "array: ", layout.nranks(), " counts for ",
           comm->size(), " ranks; give one per rank");
  return make_array(std::move(local), share(std::move(layout)), comm);
}

OptionalCounts counts_of(const DNDarray& x) {
  return x.layout().is_split() ? OptionalCounts(x.layout().counts()) : std::nullopt;
}

DNDarray redistribute_counts(const DNDarray& x, std::vector<std::int64_t> counts) {
  EH_CHECK(x.layout().is_split(), ValueError, "redistribute: the array has split None; resplit it first");
  EH_CHECK(static_cast<int>(counts.size()) == x.comm().size(), ValueError, "redistribute: ", counts.size(),
           " counts for ", x.comm().size(), " ranks; give one per rank");
  return redistribute(x, share(Layout::with_counts(x.shape(), x.split(), std::move(counts))));
}

/// For arrays whose old block is not read again.
DNDarray consume(const DNDarray& x, std::optional<int> split, const OptionalCounts& counts,
                 bool last_reader) {
  const int axis = split_from(split, x.ndim(), "resplit_");
  Layout layout = counts ? Layout::with_counts(x.shape(), axis, *counts)
                         : Layout::balanced(x.shape(), axis, x.comm().size());
  if (layout == x.layout()) return x;
  return redistribute_consuming(x, share(std::move(layout)), last_reader);
}

py::tuple halo(const DNDarray& x, std::int64_t prev, std::int64_t next, bool periodic) {
  EH_CHECK(prev >= 0 && next >= 0, ValueError, "halo: widths must be non-negative, got ", prev, " and ",
           next);
  Halo result = [&] {
    py::gil_scoped_release release;
    return exchange_halo(x, prev, next, periodic);
  }();
  return py::make_tuple(std::move(result.extended), result.prev, result.next);
}

}  // namespace

void register_array(py::module_& m) {
  install_staging();
  py::class_<DNDarray>(m, "Array", "Local block, layout and communicator of a global array.")
      .def(py::init(&make), py::arg("local"), py::arg("gshape"), py::arg("split"), py::arg("counts"),
           py::arg("comm"))
      .def_property_readonly("local", [](const DNDarray& x) { return x.local(); })
      .def_property_readonly(
          "holders", [](const DNDarray& x) { return x.local().use_count(); },
          "References to the local block's tensor, this array's own included.")
      .def_property_readonly("gshape", [](const DNDarray& x) { return py::tuple(py::cast(x.shape())); })
      .def_property_readonly("ndim", &DNDarray::ndim)
      .def_property_readonly("size", [](const DNDarray& x) { return x.layout().size(); })
      .def_property_readonly("split", [](const DNDarray& x) { return split_to(x.split()); })
      .def_property_readonly("counts", &counts_of, "Extent along the split per rank; None when replicated.")
      .def_property_readonly("comm", &DNDarray::comm_ptr)
      .def_property_readonly("is_balanced", [](const DNDarray& x) { return x.layout().is_balanced(); })
      .def_property_readonly("is_distributed", &DNDarray::is_distributed)
      .def(
          "with_local",
          [](const DNDarray& x, at::Tensor local) {
            return make_array(std::move(local), x.layout_ptr(), x.comm_ptr());
          },
          py::arg("local"), "The same layout around another local block of the same shape.")
      .def(
          "astype",
          [](const DNDarray& x, at::ScalarType dtype) {
            return make_array(x.local().to(dtype, /*non_blocking=*/false, /*copy=*/true), x.layout_ptr(),
                              x.comm_ptr());
          },
          py::arg("dtype"), NoGil(), "A copy with another element type.")
      .def(
          "resplit",
          [](const DNDarray& x, std::optional<int> split) {
            return resplit(x, split_from(split, x.ndim(), "resplit"));
          },
          py::arg("split"), NoGil(), "Balanced along `split`, or replicated. Collective.")
      .def("consume", &consume, py::arg("split"), py::arg("counts"), py::arg("last_reader"), NoGil(),
           "Another layout of an array that is not used again; its memory goes as it is sent. Collective.")
      .def("redistribute", &redistribute_counts, py::arg("counts"), NoGil(),
           "Other extents, same split. Collective.")
      .def("halo", &halo, py::arg("prev"), py::arg("next"), py::arg("periodic"),
           "(local block with halos, rows before, rows behind). Collective.");
}

}  // namespace eh
