// SPDX-License-Identifier: BSD-3-Clause
#include "ops/fft.hpp"

#include <utility>

#include "base/error.hpp"
#include "bindings/casters.hpp"
#include "bindings/register.hpp"
#include "ops/convolve.hpp"

namespace eh {
namespace {

using AxisList = std::vector<int>;
using Lengths = std::vector<std::int64_t>;

/// "complex" (forward or not), "from_real", "to_real"; scale: 0 none, 1 root of n, 2 n.
DNDarray fft(const DNDarray& x, const std::string& kind, const AxisList& axes, const Lengths& lengths,
             int scale, bool forward) {
  const FftAxes spec = {axes, lengths};
  const auto by = static_cast<FftScale>(scale);
  if (kind == "from_real") return fft_from_real(x, spec, by);
  if (kind == "to_real") return fft_to_real(x, spec, by);
  return fft_complex(x, spec, by, forward);
}

/// boundary: "fill", "wrap" or "symm".
DNDarray convolution(const DNDarray& a, const DNDarray& v, Lengths offset, Lengths lengths, Lengths stride,
                     const std::string& boundary, double fill) {
  const Boundary kind = boundary == "wrap"   ? Boundary::Wrap
                        : boundary == "symm" ? Boundary::Symm
                                             : Boundary::Fill;
  return convolve(a, v, {std::move(offset), std::move(lengths), std::move(stride), kind, fill});
}

}  // namespace

void register_fft(pybind11::module_& m) {
  m.def("fft", &fft, py::arg("x"), py::arg("kind"), py::arg("axes"), py::arg("lengths"), py::arg("scale"),
        py::arg("forward"), NoGil(), "Collective.");
  m.def("convolve", &convolution, py::arg("a"), py::arg("v"), py::arg("offset"), py::arg("lengths"),
        py::arg("stride"), py::arg("boundary"), py::arg("fill"), NoGil(), "Collective.");
}

}  // namespace eh
