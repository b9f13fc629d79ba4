// SPDX-License-Identifier: BSD-3-Clause
#include "ops/indexing.hpp"

#include "base/error.hpp"
#include "bindings/casters.hpp"
#include "bindings/keys.hpp"
#include "bindings/register.hpp"
#include "ops/gather.hpp"
#include "ops/unsigned.hpp"

namespace eh {
namespace {

using Kind = KeyItem::Kind;

KeyItem array_item(const DNDarray& array) {
  const bool mask = array.local().scalar_type() == at::kBool;
  return {mask ? Kind::Mask : Kind::Take, {}, {}, {}, array.shape()};
}

/// Entries: int, slice, None, Ellipsis, or an Array (bool: mask; integers: rows).
Key key_from(const py::tuple& entries) {
  Key key;
  for (const py::handle& entry : entries) {
    if (py::isinstance<DNDarray>(entry)) {
      key.arrays.push_back(entry.cast<DNDarray>());
      key.items.push_back(array_item(key.arrays.back()));
    } else {
      key.items.push_back(item_in(entry.ptr()));
    }
  }
  return key;
}

DNDarray get(const DNDarray& x, const py::tuple& entries) {
  const Key key = key_from(entries);
  py::gil_scoped_release release;
  return moved(x, [&](const DNDarray& bits) { return getitem(bits, key); });
}

/// A value in x's type, with the bits that as_signed(x) takes.
DNDarray bits_for(const DNDarray& x, const DNDarray& value) {
  const at::ScalarType type = x.local().scalar_type();
  return is_wide_unsigned(type) ? as_signed(value.with_local(value.local().to(type))) : value;
}

/// An array as it is; a number (for a real dtype) as a 0-d array of x's.
DNDarray value_from(const DNDarray& x, const py::handle& value) {
  if (py::isinstance<DNDarray>(value)) return value.cast<DNDarray>();
  // Filling float32 itself would refuse what is infinite there; a cast does not.
  const at::Tensor number = x.local().new_full({}, at::Scalar(value.cast<double>()), at::kDouble);
  return {number.to(x.local().scalar_type()), share(Layout::replicated({}, x.comm().size())), x.comm_ptr()};
}

DNDarray set(const DNDarray& x, const py::tuple& entries, const py::handle& given) {
  const Key key = key_from(entries);
  const DNDarray value = value_from(x, given);
  py::gil_scoped_release release;
  return moved(x, [&](const DNDarray& bits) { return setitem(bits, key, bits_for(x, value)); });
}

DNDarray gather(const DNDarray& x, std::vector<int> axes, std::vector<DNDarray> arrays) {
  const IndexArrays indices{std::move(axes), std::move(arrays)};
  return moved(x, [&](const DNDarray& bits) { return gather_at(bits, indices); });
}

DNDarray take_one(const DNDarray& x, const DNDarray& index, int axis) {
  return moved(x, [&](const DNDarray& bits) { return take_along(bits, index, axis); });
}

Write how(bool add) { return add ? Write::Add : Write::Last; }

void put(const DNDarray& x, std::vector<int> axes, std::vector<DNDarray> arrays, const DNDarray& value,
         bool add) {
  put_at(as_signed(x), {std::move(axes), std::move(arrays)}, bits_for(x, value), how(add));
}

void put_one(const DNDarray& x, const DNDarray& index, const DNDarray& value, int axis, bool add) {
  put_along(as_signed(x), index, bits_for(x, value), axis, how(add));
}

/// A tensor that every rank has, as an array.
DNDarray replicate(const DNDarray& x, const at::Tensor& tensor) {
  const LayoutPtr layout = share(Layout::replicated(shape_of(tensor), x.comm().size()));
  return {tensor.to(x.local().device()), layout, x.comm_ptr()};
}

}  // namespace

void register_indexing(py::module_& m) {
  m.def("getitem", &get, py::arg("x"), py::arg("key"));
  m.def("setitem", &set, py::arg("x"), py::arg("key"), py::arg("value"));
  m.def("gather_at", &gather, py::arg("x"), py::arg("axes"), py::arg("arrays"), NoGil(),
        "x indexed by integer arrays on some axes (ascending) together.");
  m.def("put_at", &put, py::arg("x"), py::arg("axes"), py::arg("arrays"), py::arg("value"), py::arg("add"),
        NoGil(), "Writes, or adds, `value` where gather_at reads; it has as many axes as that, or none.");
  m.def("take_along", &take_one, py::arg("x"), py::arg("index"), py::arg("axis"), NoGil());
  m.def("put_along", &put_one, py::arg("x"), py::arg("index"), py::arg("value"), py::arg("axis"),
        py::arg("add"), NoGil());
  m.def("nonzero", &nonzero, py::arg("x"), NoGil());
  m.def("replicated_like", &replicate, py::arg("x"), py::arg("tensor"),
        "A tensor that every rank has, as an array on x's ranks and device.");
}

}  // namespace eh
