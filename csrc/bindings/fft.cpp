// SPDX-License-Identifier: BSD-3-Clause
#include "bindings/register.hpp"

namespace eh {

void register_fft(pybind11::module_& /*m*/) {}

}  // namespace eh
