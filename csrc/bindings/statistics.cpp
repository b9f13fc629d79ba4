// SPDX-License-Identifier: BSD-3-Clause
#include "bindings/register.hpp"

namespace eh {

void register_statistics(pybind11::module_& /*m*/) {}

}  // namespace eh
