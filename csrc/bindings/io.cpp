// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_ops.h>

#include <algorithm>

#include "base/error.hpp"
#include "bindings/casters.hpp"
#include "bindings/register.hpp"
#include "kernels/csv.hpp"

namespace py = pybind11;

namespace eh {
namespace {

at::Tensor new_table(const kernels::TableShape& shape, at::ScalarType type) {
  const std::int64_t extents[] = {shape.rows, shape.columns};
  return at::_ops::empty_memory_format::call(c10::fromIntArrayRefSlow(extents), type, std::nullopt, at::kCPU,
                                             std::nullopt, std::nullopt);
}

kernels::TableFault parse_into(std::string_view text, std::string_view separator, const at::Tensor& out) {
  const std::int64_t columns = out.size(1);
  if (out.scalar_type() == at::kFloat)
    return kernels::parse_table(text, separator, columns, out.mutable_data_ptr<float>());
  if (out.scalar_type() == at::kDouble)
    return kernels::parse_table(text, separator, columns, out.mutable_data_ptr<double>());
  return kernels::parse_table(text, separator, columns, out.mutable_data_ptr<std::int64_t>());
}

/// The field or line that is wrong, as text of bearable length.
std::string culprit(std::string_view text, std::string_view separator, const kernels::TableFault& fault) {
  const std::string_view rest = text.substr(static_cast<std::size_t>(fault.offset));
  const std::string_view line = rest.substr(0, rest.find('\n'));
  const std::string_view part = fault.is_length ? line : line.substr(0, line.find(separator));
  return std::string(part.substr(0, std::min<std::size_t>(part.size(), 60)));
}

at::Tensor parse(const py::bytes& bytes, const std::string& separator, at::ScalarType type) {
  const auto text = static_cast<std::string_view>(bytes);
  const py::gil_scoped_release release;
  const kernels::TableShape shape = kernels::table_shape(text, separator);
  const at::Tensor out = new_table(shape, type);
  const kernels::TableFault fault = parse_into(text, separator, out);
  if (fault.offset < 0) return out;
  const std::string part = culprit(text, separator, fault);
  EH_CHECK(!fault.is_length, ValueError, "load_csv: the line \"", part, "\" has not ", shape.columns,
           " fields");
  throw ValueError("load_csv: \"" + part + "\" is no " + (type == at::kLong ? "integer" : "number"));
}

py::bytes format(const at::Tensor& x, const std::string& separator, int decimals) {
  std::string text;
  {
    const py::gil_scoped_release release;
    const at::Tensor t = x.contiguous();
    if (t.scalar_type() == at::kFloat)
      text = kernels::format_table(t.const_data_ptr<float>(), t.size(0), t.size(1), separator, decimals);
    else if (t.scalar_type() == at::kDouble)
      text = kernels::format_table(t.const_data_ptr<double>(), t.size(0), t.size(1), separator, decimals);
    else
      text =
          kernels::format_table(t.const_data_ptr<std::int64_t>(), t.size(0), t.size(1), separator, decimals);
  }
  return py::bytes(text);
}

}  // namespace

void register_io(py::module_& m) {
  m.def("csv_parse", &parse, py::arg("text"), py::arg("separator"), py::arg("dtype"),
        "(rows, columns) of float32, float64 or int64 numbers. Local.");
  m.def("csv_format", &format, py::arg("x"), py::arg("separator"), py::arg("decimals"),
        "Lines of a (rows, columns) table of float32, float64 or int64 numbers. Local.");
}

}  // namespace eh
