// SPDX-License-Identifier: BSD-3-Clause
#include "ops/manipulation.hpp"

#include "array/numbers.hpp"
#include "array/redistribute.hpp"
#include "bindings/casters.hpp"
#include "bindings/fast_call.hpp"
#include "bindings/register.hpp"
#include "ops/growing.hpp"
#include "ops/types.hpp"
#include "ops/unsigned.hpp"

namespace eh {
namespace {

/// Python's optional new split: (given, axis or None).
DNDarray reshape_with(const DNDarray& x, const Shape& shape, bool same_split, std::optional<int> split) {
  if (same_split) return reshape(x, shape, std::nullopt);
  const std::string fn = "reshape: new_split";
  return reshape(x, shape, split_from(split, static_cast<int>(shape.size()), fn.c_str()));
}

DNDarray flipped(const DNDarray& x, const std::vector<int>& axes) {
  return moved(x, [&](const DNDarray& bits) { return flip(bits, axes); });
}

DNDarray repeat_rows(const DNDarray& x, const DNDarray& times, int axis) {
  return moved(x, [&](const DNDarray& bits) { return repeat_each(bits, times, axis); });
}

DNDarray tiled(const DNDarray& x, const std::vector<std::int64_t>& times) {
  return moved(x, [&](const DNDarray& bits) { return tile(bits, times); });
}

DNDarray resplit_to(const DNDarray& x, std::optional<int> split) {
  return resplit_copy(x, split_from(split, x.ndim(), "resplit"));
}

using Triple = std::tuple<std::int64_t, std::int64_t, std::int64_t>;

DNDarray move_triples(const DNDarray& x, int axis, std::int64_t extent, const std::vector<Triple>& moves) {
  std::vector<Move> rows;
  for (const auto& [source, target, length] : moves) rows.push_back({source, target, length});
  return move_to(x, axis, extent, rows);
}

DNDarray pad_with(const DNDarray& x, const std::vector<std::pair<std::int64_t, std::int64_t>>& widths,
                  const py::handle& value) {
  const at::ScalarType type = x.local().scalar_type();
  const bool whole = at::isIntegralType(type, /*includeBool=*/true);
  const std::optional<at::Scalar> number =
      fast::number_in(value.ptr(), whole ? fast::Huge::Refused : fast::Huge::Real);
  EH_CHECK(number.has_value(), TypeError, "pad: constant_values must be numbers, is ",
           static_cast<std::string>(py::str(value)));
  check_holds("pad", type, *number);
  py::gil_scoped_release release;
  return pad_constant(x, widths, in_range(*number, type));
}

}  // namespace

void register_manipulation(py::module_& m) {
  m.def("reshape", &reshape_with, py::arg("x"), py::arg("shape"), py::arg("same_split") = true,
        py::arg("split") = py::none(), NoGil());
  m.def("permute", &permute, py::arg("x"), py::arg("axes"), NoGil());
  m.def("expand_dims", &expand_dims, py::arg("x"), py::arg("axes"), NoGil());
  m.def("squeeze", &squeeze, py::arg("x"), py::arg("axes"), NoGil());
  m.def("broadcast_to", &broadcast_to, py::arg("x"), py::arg("shape"), NoGil());
  m.def("flip", &flipped, py::arg("x"), py::arg("axes"), NoGil());
  m.def("roll", &roll, py::arg("x"), py::arg("shifts"), py::arg("axes"), NoGil());
  m.def("roll_flat", &roll_flat, py::arg("x"), py::arg("shift"), NoGil());
  m.def("concatenate", &concatenate, py::arg("arrays"), py::arg("axis"), NoGil());
  m.def("stack", &stack, py::arg("arrays"), py::arg("axis"), NoGil());
  m.def("move_to", &move_triples, py::arg("x"), py::arg("axis"), py::arg("extent"), py::arg("moves"), NoGil(),
        "Rows moved to an axis of `extent` entries, each move (source, target, length); the rest is zero.");
  m.def("attach", &attach, py::arg("before"), py::arg("x"), py::arg("after"), py::arg("axis"), NoGil());
  m.def("pad_constant", &pad_with, py::arg("x"), py::arg("widths"), py::arg("value"));
  m.def("repeat", &repeat, py::arg("x"), py::arg("times"), py::arg("axis"), NoGil());
  m.def("repeat_each", &repeat_rows, py::arg("x"), py::arg("times"), py::arg("axis"), NoGil());
  m.def("tile", &tiled, py::arg("x"), py::arg("times"), NoGil());
  m.def("diagonal", &diagonal, py::arg("x"), py::arg("offset"), py::arg("axis1"), py::arg("axis2"), NoGil());
  m.def("diagonal_matrix", &diagonal_matrix, py::arg("x"), py::arg("offset"), NoGil());
  m.def("windows", &windows, py::arg("x"), py::arg("axis"), py::arg("size"), py::arg("step"), NoGil());
  m.def("resplit", &resplit_to, py::arg("x"), py::arg("split"), NoGil());
  m.def("redistribute", &redistribute_copy, py::arg("x"), py::arg("counts"), NoGil());
}

}  // namespace eh
