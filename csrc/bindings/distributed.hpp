// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/pybind11.h>

namespace eh {

/// Process groups of torch.distributed.
void register_distributed(pybind11::module_& m);

}  // namespace eh
