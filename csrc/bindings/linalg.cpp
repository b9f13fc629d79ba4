// SPDX-License-Identifier: BSD-3-Clause
#include "array/products.hpp"
#include "bindings/casters.hpp"
#include "bindings/register.hpp"
#include "ops/lstsq.hpp"
#include "ops/matmul.hpp"
#include "ops/matrix.hpp"
#include "ops/qr.hpp"
#include "ops/ridge.hpp"
#include "ops/unsigned.hpp"

namespace eh {
namespace {

using OptionalArray = std::optional<DNDarray>;

DNDarray lower(const DNDarray& x, std::int64_t k) {
  return moved(x, [&](const DNDarray& bits) { return tril(bits, k); });
}
DNDarray upper(const DNDarray& x, std::int64_t k) {
  return moved(x, [&](const DNDarray& bits) { return triu(bits, k); });
}

std::tuple<OptionalArray, DNDarray> qr_tuple(const DNDarray& a, const std::string& mode) {
  QRFactors f = qr(a, mode);
  return {f.q, f.r};
}

std::tuple<DNDarray, DNDarray, std::int64_t, DNDarray> lstsq_tuple(const DNDarray& a, const DNDarray& b,
                                                                   std::optional<double> rcond) {
  LeastSquares f = lstsq(a, b, rcond);
  return {f.x, f.residuals, f.rank, f.s};
}

std::tuple<DNDarray, DNDarray> ridge_tuple(const DNDarray& x, const DNDarray& y,
                                           const std::vector<double>& alphas, bool several,
                                           bool fit_intercept, const std::string& method, bool precise) {
  RidgeFit f = ridge(x, y, alphas, {several, fit_intercept, method, precise});
  return {f.coef, f.intercept};
}

DNDarray norm(const DNDarray& x, double ord, const std::vector<int>& axes, bool keepdims) {
  return vector_norm(x, ord, normalize_axes(axes, x.ndim(), "norm"), keepdims);
}

}  // namespace

void register_linalg(py::module_& m) {
  m.def("matmul", &matmul, py::arg("a"), py::arg("b"), NoGil(), "Collective.");
  m.def("local_product", &matrix_product, py::arg("a"), py::arg("b"), NoGil(), "Of tensors on this rank.");
  m.def("native_linear", &native_linear, py::arg("x"), py::arg("w"), py::arg("bias"), NoGil(),
        "x w^T + bias of matrices without gradients; None where torch's is due.");
  m.def("has_native_products", &has_native_products);
  m.def("matrix_transpose", &matrix_transpose, py::arg("x"), NoGil(), "Local.");
  m.def("adjoint", &adjoint, py::arg("x"), NoGil(), "Local.");
  m.def("outer", &outer, py::arg("a"), py::arg("b"), NoGil(), "Collective.");
  m.def("vecdot", &vecdot, py::arg("a"), py::arg("b"), py::arg("axis"), NoGil(), "Collective.");
  m.def("vdot", &vdot, py::arg("a"), py::arg("b"), NoGil(), "Collective.");
  m.def("trace", &trace, py::arg("x"), py::arg("offset"), py::arg("axis1"), py::arg("axis2"), NoGil(),
        "Collective.");
  m.def("tril", &lower, py::arg("x"), py::arg("k"), NoGil(), "Local.");
  m.def("triu", &upper, py::arg("x"), py::arg("k"), NoGil(), "Local.");
  m.def("vector_norm", &norm, py::arg("x"), py::arg("ord"), py::arg("axes"), py::arg("keepdims"), NoGil(),
        "Collective.");
  m.def("qr", &qr_tuple, py::arg("a"), py::arg("mode"), NoGil(), "(q or None, r). Collective.");
  m.def("lstsq", &lstsq_tuple, py::arg("a"), py::arg("b"), py::arg("rcond"), NoGil(),
        "(x, residuals, rank, s). Collective.");
  m.def("ridge", &ridge_tuple, py::arg("x"), py::arg("y"), py::arg("alphas"), py::arg("several"),
        py::arg("fit_intercept"), py::arg("method"), py::arg("precise"), NoGil(),
        "(coef, intercept). Collective.");
}

}  // namespace eh
