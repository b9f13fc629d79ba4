// SPDX-License-Identifier: BSD-3-Clause
#include "bindings/register.hpp"

namespace eh {

void register_solvers(pybind11::module_& /*m*/) {}

}  // namespace eh
