// SPDX-License-Identifier: BSD-3-Clause
#include "ops/solvers.hpp"

#include "array/contraction.hpp"
#include "bindings/casters.hpp"
#include "bindings/register.hpp"
#include "ops/krylov.hpp"
#include "ops/matmul.hpp"
#include "ops/qr.hpp"
#include "ops/spectral.hpp"
#include "ops/stacks.hpp"
#include "ops/vectors.hpp"

namespace eh {
namespace {

void translate_linalg(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const LinAlgError& e) {
    const py::object type = py::module_::import("numpy.linalg").attr("LinAlgError");
    PyErr_SetString(type.ptr(), e.what());
  }
}

DNDarray solve_triangular_with(const DNDarray& a, const DNDarray& b, bool upper, bool unit) {
  return solve_triangular(a, b, {upper, unit});
}

std::tuple<DNDarray, DNDarray> slogdet_tuple(const DNDarray& a) {
  SignLog parts = slogdet(a);
  return {parts.sign, parts.logabsdet};
}

using Tuning = std::tuple<std::int64_t, std::int64_t, std::int64_t>;

std::tuple<std::optional<DNDarray>, DNDarray, std::optional<DNDarray>> svd_tuple(const DNDarray& a, bool full,
                                                                                 bool vectors) {
  SVDFactors f = svd(a, full, vectors);
  return {f.u, f.s, f.vh};
}

std::tuple<DNDarray, std::optional<DNDarray>> eigh_tuple(const DNDarray& a, bool upper, bool vectors) {
  EigenPairs pairs = eigh(a, upper, vectors);
  return {pairs.values, pairs.vectors};
}

std::tuple<DNDarray, std::optional<DNDarray>> eig_tuple(const DNDarray& a, bool vectors) {
  EigenPairs pairs = eig(a, vectors);
  return {pairs.values, pairs.vectors};
}

/// The product under a balanced layout. @pre both have one inexact dtype
DNDarray matmul_to_split(const DNDarray& a, const DNDarray& b, std::optional<int> split) {
  Shape shape = broadcast_shapes({a.shape().begin(), a.shape().end() - 2},
                                 {b.shape().begin(), b.shape().end() - 2}, "matmul");
  shape.insert(shape.end(), {a.shape()[a.shape().size() - 2], b.shape().back()});
  const int axis = split_from(split, static_cast<int>(shape.size()), "matmul");
  return matmul_to(a, b, share(Layout::balanced(std::move(shape), axis, a.comm().size())));
}

/// Sets what is not negative; the settings before.
Tuning tune(std::int64_t small, std::int64_t width, std::int64_t leaf) {
  LinalgTuning& t = linalg_tuning();
  const Tuning before = {t.small, t.width, t.leaf};
  if (small >= 0) t.small = small;
  if (width > 0) t.width = width;
  if (leaf > 0) t.leaf = leaf;
  return before;
}

void bind_iterations(py::module_& m) {
  m.def("conjugate_gradients", &conjugate_gradients, py::arg("a"), py::arg("b"), py::arg("start"),
        py::arg("rtol"), py::arg("steps"), NoGil(), "Vectors are whole on every rank. Collective.");
  py::class_<KrylovSpace>(m, "KrylovSpace", "Lanczos' basis of a Hermitian matrix, growing.")
      .def(py::init<const DNDarray&, std::int64_t>(), py::arg("a"), py::arg("vectors"), NoGil(),
           "Collective.")
      .def("append", &KrylovSpace::append, py::arg("whole"), NoGil(),
           "The next vector, made orthogonal and normalised. Collective.")
      .def("grow", &KrylovSpace::grow, NoGil(),
           "Until all vectors are there; False if the space ends before. Collective.")
      .def("basis", &KrylovSpace::basis, NoGil(), "Local.")
      .def("tridiagonal", &KrylovSpace::tridiagonal, NoGil(), "Local.");
}

}  // namespace

void register_solvers(py::module_& m) {
  py::register_exception_translator(&translate_linalg);
  bind_iterations(m);
  m.def(
      "linalg_tuning", &tune, py::arg("small") = -1, py::arg("width") = -1, py::arg("leaf") = -1,
      "Sizes of matrices that are gathered, of panels and of undivided tridiagonal matrices; the same on all "
      "ranks. Negative ones stay. Returns those before. Local.");
  m.def("solve", &solve, py::arg("a"), py::arg("b"), NoGil(), "Collective.");
  m.def("solve_triangular", &solve_triangular_with, py::arg("a"), py::arg("b"), py::arg("upper"),
        py::arg("unit"), NoGil(), "Collective.");
  m.def("inv", &inv, py::arg("a"), NoGil(), "Collective.");
  m.def("det", &det, py::arg("a"), NoGil(), "Collective.");
  m.def("slogdet", &slogdet_tuple, py::arg("a"), NoGil(), "(sign, logabsdet). Collective.");
  m.def("svd", &svd_tuple, py::arg("a"), py::arg("full_matrices"), py::arg("vectors"), NoGil(),
        "(u or None, s, vh or None). Collective.");
  m.def("is_large_svd", &is_large_svd, py::arg("a"), "Local.");
  m.def(
      "is_large_matrix", [](const DNDarray& a) { return is_large_matrix(a, whole_up_to(Work::Factors, a)); },
      py::arg("a"), "Local.");
  m.def("eigh", &eigh_tuple, py::arg("a"), py::arg("upper"), py::arg("vectors"), NoGil(),
        "(values, vectors or None). Collective.");
  m.def("eig", &eig_tuple, py::arg("a"), py::arg("vectors"), NoGil(),
        "(values, vectors or None). Collective.");
  m.def("matrix_exp", &matrix_exp, py::arg("a"), NoGil(), "Collective.");
  m.def(
      "check_square", [](const DNDarray& x, const std::string& fn) { check_square(x, fn.c_str()); },
      py::arg("x"), py::arg("fn"), "LinAlgError unless the last two axes have one extent. Local.");
  m.def("matrix_diagonal", &matrix_diagonal, py::arg("x"), py::arg("offset"), NoGil(), "Local.");
  m.def("cross", &cross, py::arg("a"), py::arg("b"), py::arg("axis"), NoGil(), "Collective.");
  m.def("matmul_to", &matmul_to_split, py::arg("a"), py::arg("b"), py::arg("split"), NoGil(), "Collective.");
  m.def("to_factorable", &to_factorable, py::arg("x"), NoGil(), "Local.");
  m.def("cholesky", &cholesky, py::arg("a"), py::arg("upper"), NoGil(), "Collective.");
}

}  // namespace eh
