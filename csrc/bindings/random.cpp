// SPDX-License-Identifier: BSD-3-Clause
#include "array/random.hpp"

#include "bindings/casters.hpp"
#include "bindings/register.hpp"

namespace eh {
namespace {

/// An array and the counter at which the next stream starts.
using Drawn = std::pair<DNDarray, std::uint64_t>;

Drawn with_counter(DNDarray x, const NewArray& spec, PhiloxStream stream) {
  return {std::move(x), stream.counter + random_blocks(spec.shape, spec.dtype)};
}

Drawn integers(const NewArray& spec, PhiloxStream stream, std::int64_t low, std::uint64_t span) {
  const std::uint64_t blocks = kernels::philox_blocks(numel(spec.shape), kernels::philox_integer_bits(span));
  return {random_integers(spec, stream, low, span), stream.counter + blocks};
}

}  // namespace

void register_random(py::module_& m) {
  py::class_<PhiloxStream>(m, "RandomStream", "Where a counter-based stream of random numbers starts.")
      .def(py::init<std::uint64_t, std::uint64_t>(), py::arg("seed"), py::arg("counter"));
  py::class_<RandomPermutation>(m, "RandomPermutation", "A random permutation, computed entry by entry.")
      .def(py::init<PhiloxStream, std::int64_t>(), py::arg("stream"), py::arg("n"), NoGil())
      .def_static("blocks", &RandomPermutation::blocks, py::arg("n"), "Blocks of the stream it uses up.");
  m.def(
      "random_uniform",
      [](const NewArray& s, PhiloxStream r) { return with_counter(random_uniform(s, r), s, r); },
      py::arg("spec"), py::arg("stream"), NoGil());
  m.def(
      "random_normal",
      [](const NewArray& s, PhiloxStream r) { return with_counter(random_normal(s, r), s, r); },
      py::arg("spec"), py::arg("stream"), NoGil());
  m.def("random_integers", &integers, py::arg("spec"), py::arg("stream"), py::arg("low"), py::arg("span"),
        NoGil());
  m.def("random_permutation", &random_permutation, py::arg("spec"), py::arg("permutation"), NoGil());
  m.def("permute_rows", &permute_rows, py::arg("x"), py::arg("permutation"), NoGil(),
        "Collective when split along 0.");
}

}  // namespace eh
