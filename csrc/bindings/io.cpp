// SPDX-License-Identifier: BSD-3-Clause
#include <ATen/core/Tensor.h>

#include <memory>

#include "base/error.hpp"
#include "bindings/casters.hpp"
#include "bindings/register.hpp"
#include "kernels/csv.hpp"

namespace py = pybind11;

namespace eh {
namespace {

/// Bytes of any object that has some, and a hold on them.
struct Text {
  explicit Text(const py::buffer& buffer) : info(buffer.request()) {}
  std::string_view view() const {
    return {static_cast<const char*>(info.ptr), static_cast<std::size_t>(info.size * info.itemsize)};
  }
  py::buffer_info info;
};

/// What a Python function makes of a field's text, as text again: that keeps integers and floats exact.
std::string converted(const py::object& function, const std::string& text, const std::string& encoding) {
  const py::object value = function(py::reinterpret_steal<py::object>(
      PyUnicode_Decode(text.data(), static_cast<py::ssize_t>(text.size()), encoding.c_str(), "strict")));
  if (value.is_none()) return "";
  const bool is_integer = PyIndex_Check(value.ptr()) != 0;
  return py::str(is_integer ? py::object(py::int_(value)) : py::repr(py::float_(value)));
}

class CsvReader {
 public:
  CsvReader(std::string separator, std::string comment)
      : dialect_{std::move(separator), std::move(comment)} {}

  void choose(kernels::TableColumns columns, std::vector<py::object> converters,
              const std::string& encoding) {
    columns_ = std::move(columns);
    for (const auto& function : converters) columns_.converted.push_back(!function.is_none());
    columns_.convert = [converters = std::move(converters), encoding](std::int64_t j,
                                                                      const std::string& text) {
      const py::gil_scoped_acquire hold;
      return converted(converters[static_cast<std::size_t>(j)], text, encoding);
    };
  }

  kernels::RowScan scan(const py::buffer& buffer, bool inside) const {
    const Text text(buffer);
    const py::gil_scoped_release release;
    return kernels::scan_rows(text.view(), dialect_, inside);
  }

  kernels::RowSkip skip(const py::buffer& buffer, std::int64_t rows) const {
    const Text text(buffer);
    const py::gil_scoped_release release;
    return kernels::skip_rows(text.view(), dialect_, rows);
  }

  py::tuple split(const py::buffer& buffer) const {
    const kernels::RowSplit row = kernels::split_row(Text(buffer).view(), dialect_);
    py::list fields;
    for (const std::string& field : row.fields) fields.append(py::bytes(field));
    return py::make_tuple(fields, row.consumed);
  }

  kernels::TableRows parse(const py::buffer& buffer, const at::Tensor& out, std::int64_t skip,
                           std::int64_t step) const {
    EH_CHECK(out.dim() == 2 && out.size(1) == columns_.width() && out.is_contiguous(), ValueError,
             "CsvReader.parse: out must be contiguous and have ", columns_.width(), " columns");
    const Text text(buffer);
    const py::gil_scoped_release release;
    if (out.scalar_type() == at::kFloat)
      return parse_into(text, out, skip, step, out.mutable_data_ptr<float>());
    if (out.scalar_type() == at::kDouble)
      return parse_into(text, out, skip, step, out.mutable_data_ptr<double>());
    if (out.scalar_type() == at::kUInt64)
      return parse_into(text, out, skip, step, out.mutable_data_ptr<std::uint64_t>());
    return parse_into(text, out, skip, step, out.mutable_data_ptr<std::int64_t>());
  }

 private:
  template <typename T>
  kernels::TableRows parse_into(const Text& text, const at::Tensor& out, std::int64_t skip, std::int64_t step,
                                T* to) const {
    return kernels::parse_table(text.view(), dialect_, columns_, out.size(0), skip, step, to);
  }

  kernels::Dialect dialect_;
  kernels::TableColumns columns_;
};

py::bytes format(const at::Tensor& x, const std::string& separator, int decimals) {
  std::string text;
  {
    const py::gil_scoped_release release;
    const at::Tensor t = x.contiguous();
    if (t.scalar_type() == at::kFloat)
      text = kernels::format_table(t.const_data_ptr<float>(), t.size(0), t.size(1), separator, decimals);
    else if (t.scalar_type() == at::kDouble)
      text = kernels::format_table(t.const_data_ptr<double>(), t.size(0), t.size(1), separator, decimals);
    else if (t.scalar_type() == at::kUInt64)
      text =
          kernels::format_table(t.const_data_ptr<std::uint64_t>(), t.size(0), t.size(1), separator, decimals);
    else
      text =
          kernels::format_table(t.const_data_ptr<std::int64_t>(), t.size(0), t.size(1), separator, decimals);
  }
  return py::bytes(text);
}

void bind_results(py::module_& m) {
  py::class_<kernels::RowScan>(m, "CsvScan", "Rows that begin in a text, and where.")
      .def_readonly("rows", &kernels::RowScan::rows)
      .def_readonly("first", &kernels::RowScan::first)
      .def_readonly("last", &kernels::RowScan::last)
      .def_readonly("inside", &kernels::RowScan::inside);
  py::class_<kernels::TableRows>(m, "CsvRows", "What was parsed, and what is wrong with the row behind it.")
      .def_readonly("rows", &kernels::TableRows::rows)
      .def_readonly("consumed", &kernels::TableRows::consumed)
      .def_readonly("skip", &kernels::TableRows::skip)
      .def_property_readonly("fault",
                             [](const kernels::TableRows& r) { return static_cast<int>(r.fault.kind); })
      .def_property_readonly("offset", [](const kernels::TableRows& r) { return r.fault.offset; })
      .def_property_readonly("column", [](const kernels::TableRows& r) { return r.fault.column; })
      .def_property_readonly("text", [](const kernels::TableRows& r) { return py::bytes(r.fault.text); });
}

}  // namespace

void register_io(py::module_& m) {
  bind_results(m);
  py::class_<CsvReader>(m, "CsvReader", "Rows and numbers of delimited text. All methods are local.")
      .def(py::init([](const py::bytes& separator, const py::bytes& comment) {
             return CsvReader(std::string(separator), std::string(comment));
           }),
           py::arg("separator"), py::arg("comment"))
      .def(
          "choose",
          [](CsvReader& reader, std::vector<std::int64_t> place, const std::vector<py::bytes>& missing,
             std::string fill, std::pair<std::int64_t, std::int64_t> range,
             std::vector<py::object> converters, const std::string& encoding) {
            reader.choose({std::move(place),
                           {missing.begin(), missing.end()},
                           std::move(fill),
                           range.first,
                           range.second,
                           {},
                           {}},
                          std::move(converters), encoding);
          },
          py::arg("place"), py::arg("missing"), py::arg("fill"), py::arg("range"), py::arg("converters"),
          py::arg("encoding"), "Which fields parse() wants, and what stands for those without a value.")
      .def("scan", &CsvReader::scan, py::arg("text"), py::arg("inside"))
      .def(
          "skip",
          [](const CsvReader& reader, const py::buffer& text, std::int64_t rows) {
            const kernels::RowSkip skip = reader.skip(text, rows);
            return std::make_pair(skip.rows, skip.consumed);
          },
          py::arg("text"), py::arg("rows"), "How many whole rows were passed over, and their bytes.")
      .def("split", &CsvReader::split, py::arg("text"), "Fields of the first row, and its bytes.")
      .def("parse", &CsvReader::parse, py::arg("text"), py::arg("out"), py::arg("skip"), py::arg("step"),
           "Every step-th row into float32, float64, int64 or uint64 numbers.");
  m.def("csv_format", &format, py::arg("x"), py::arg("separator"), py::arg("decimals"),
        "Lines of a (rows, columns) table of float32, float64, int64 or uint64 numbers. Local.");
}

}  // namespace eh
