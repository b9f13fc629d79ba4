// SPDX-License-Identifier: BSD-3-Clause
#include "bindings/distributed.hpp"
#include "bindings/register.hpp"

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
  m.doc() = "The native core of equiheat.";
  eh::register_errors(m);
  eh::register_comm(m);
  eh::register_diagnostics(m);
  eh::register_distributed(m);
  eh::register_array(m);
  eh::register_creation(m);
  eh::register_linalg(m);
  eh::register_random(m);
  eh::register_ops(m);
  eh::register_manipulation(m);
  eh::register_indexing(m);
  eh::register_views(m);
  eh::register_sorting(m);
  eh::register_statistics(m);
  eh::register_solvers(m);
  eh::register_fft(m);
  eh::register_sparse(m);
  eh::register_io(m);
  eh::register_stencil(m);
  eh::register_estimators(m);
}
