// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/pybind11.h>

namespace eh {

void register_errors(pybind11::module_& m);
void register_comm(pybind11::module_& m);
void register_diagnostics(pybind11::module_& m);
void register_array(pybind11::module_& m);
void register_creation(pybind11::module_& m);
void register_linalg(pybind11::module_& m);
void register_random(pybind11::module_& m);
void register_ops(pybind11::module_& m);
void register_manipulation(pybind11::module_& m);
void register_indexing(pybind11::module_& m);
void register_views(pybind11::module_& m);
void register_sorting(pybind11::module_& m);
void register_statistics(pybind11::module_& m);
void register_solvers(pybind11::module_& m);
void register_fft(pybind11::module_& m);
void register_sparse(pybind11::module_& m);
void register_estimators(pybind11::module_& m);
void register_stencil(pybind11::module_& m);
void register_io(pybind11::module_& m);

}  // namespace eh
