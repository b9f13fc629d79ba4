// SPDX-License-Identifier: BSD-3-Clause
#include "ops/ridge.hpp"

#include <ATen/core/IListRef.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat_ops.h>
#include <ATen/ops/cholesky_solve_ops.h>
#include <ATen/ops/linalg_cholesky_ex_ops.h>
#include <ATen/ops/linalg_svd_ops.h>
#include <ATen/ops/stack_ops.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "array/autograd.hpp"
#include "array/products.hpp"
#include "array/redistribute.hpp"
#include "array/tensor_comm.hpp"
#include "base/dtype.hpp"
#include "base/error.hpp"
#include "ops/gram.hpp"
#include "ops/matmul.hpp"
#include "ops/qr.hpp"

namespace eh {
namespace {

/// Elements of x that are widened and multiplied at a time.
constexpr std::int64_t kChunkElements = std::int64_t{1} << 21;

/// The samples of this rank, the facts about all, and the type to compute in.
struct Samples {
  at::Tensor x;
  at::Tensor y;
  LayoutPtr rows;  ///< of x
  CommPtr comm;
  at::ScalarType type;
};

/// Means over all samples, in the type to compute in; zero without an intercept.
struct Means {
  at::Tensor x;
  at::Tensor y;
};

at::Tensor concatenate(const std::vector<at::Tensor>& parts, int axis) {
  return at::_ops::cat::call(at::ITensorListRef(parts), axis);
}

void check(const DNDarray& x, const DNDarray& y, const std::vector<double>& alphas,
           const RidgeOptions& options) {
  EH_CHECK(x.ndim() == 2, ValueError, "ridge: x must be 2-dimensional, has shape ", to_string(x.shape()));
  EH_CHECK((y.ndim() == 1 || y.ndim() == 2) && y.shape()[0] == x.shape()[0], ValueError, "ridge: y must be (",
           x.shape()[0], ",) or (", x.shape()[0], ", targets) to match x, has shape ", to_string(y.shape()));
  EH_CHECK(x.shape()[0] > 0, ValueError, "ridge: x has no rows; at least one sample is needed");
  EH_CHECK(x.comm_ptr() == y.comm_ptr(), ValueError, "ridge: x and y live on different communicators");
  EH_CHECK(!alphas.empty(), ValueError, "ridge: alpha is empty; give a number or several");
  EH_CHECK(options.method == "cholesky" || options.method == "qr", ValueError, "ridge: unknown method '",
           options.method, "'; choose 'cholesky' or 'qr'");
  for (const double alpha : alphas) {
    EH_CHECK(alpha >= 0 && std::isfinite(alpha), ValueError,
             "ridge: alpha must be finite and not negative, is ", alpha);
  }
}

at::ScalarType compute_type(const DNDarray& x, const DNDarray& y, bool precise) {
  const DType type = promote(dtype_of(to_factorable(x).local().scalar_type()),
                             dtype_of(to_factorable(y).local().scalar_type()));
  if (!precise) return scalar_type_of(type);
  return is_complex(type) ? at::kComplexDouble : at::kDouble;
}

/// Rows of x and of y on the same ranks.
Samples align_samples(const DNDarray& x, const DNDarray& y, bool precise) {
  LayoutPtr rows = x.layout_ptr();
  if (x.split() == 1) rows = share(Layout::balanced(x.shape(), 0, x.comm().size()));
  if (!x.layout().is_split() && y.layout().is_split()) {
    rows = y.split() == 0 ? share(y.layout().with_shape(x.shape(), 0))
                          : share(Layout::balanced(x.shape(), 0, x.comm().size()));
  }
  const LayoutPtr targets = share(rows->with_shape(y.shape(), rows->split()));
  const at::Tensor local = redistribute(y, targets).local();
  return {redistribute(x, rows).local(), y.ndim() == 1 ? local.unsqueeze(1) : local, rows, x.comm_ptr(),
          compute_type(x, y, precise)};
}

/// A sum over the samples of all ranks; replicated samples are complete already.
at::Tensor total(const at::Tensor& partial, const Samples& samples) {
  return samples.rows->is_split() ? sum_partials(partial, samples.comm) : partial;
}

/// A replicated tensor for use beside this rank's samples.
at::Tensor beside_samples(const at::Tensor& x, const Samples& samples) {
  return samples.rows->is_split() ? enter_partial(x, samples.comm) : x;
}

Means means_of(const Samples& samples, bool wanted) {
  const std::int64_t d = samples.x.size(1);
  const std::int64_t t = samples.y.size(1);
  if (!wanted) return {samples.x.new_zeros({d}, samples.type), samples.y.new_zeros({t}, samples.type)};
  const auto sum = [&](const at::Tensor& z) { return z.sum(at::IntArrayRef{0}, false, samples.type); };
  const at::Tensor sums = total(concatenate({sum(samples.x), sum(samples.y)}, 0), samples);
  const at::Tensor mean = sums.div(samples.rows->gshape()[0]);
  return {mean.narrow(0, 0, d), mean.narrow(0, d, t)};
}

/// x^H [x y] of the centred samples: (d, d + t), replicated. Chunks of rows, so that widening costs little memory.
at::Tensor gram(const Samples& samples, const Means& means) {
  const std::int64_t d = samples.x.size(1);
  const std::int64_t t = samples.y.size(1);
  const at::Tensor mean = beside_samples(concatenate({means.x, means.y}, 0), samples);
  if (samples.type == at::kDouble && !needs_grad(samples.x) && !needs_grad(samples.y))
    return total(gram_of_rows(samples.x, samples.y, mean).narrow(0, 0, d), samples);
  const std::int64_t step = std::max<std::int64_t>(256, kChunkElements / std::max<std::int64_t>(1, d + t));
  at::Tensor sum = samples.x.new_zeros({d, d + t}, samples.type);
  for (std::int64_t begin = 0; begin < samples.x.size(0); begin += step) {
    const std::int64_t rows = std::min(step, samples.x.size(0) - begin);
    const at::Tensor both = concatenate({samples.x.narrow(0, begin, rows).to(samples.type),
                                         samples.y.narrow(0, begin, rows).to(samples.type)},
                                        1)
                                .sub(mean);
    sum = sum.add(matrix_product(both.narrow(1, 0, d).mH(), both));
  }
  return total(sum, samples);
}

/// (g + alpha) w = c by Cholesky; the verdict on definiteness is rank 0's, so that all ranks fail or none.
at::Tensor solve_gram(const at::Tensor& g, const at::Tensor& c, double alpha, const Communicator& comm) {
  at::Tensor shifted = g.clone();
  shifted.diagonal().add_(alpha);
  const auto [factor, info] =
      at::_ops::linalg_cholesky_ex::call(shifted, /*upper=*/false, /*check_errors=*/false);
  bcast(info, 0, comm);
  EH_CHECK(info.item<std::int64_t>() == 0, ValueError, "ridge: with alpha = ", alpha,
           " the Gram matrix is not positive definite; give a larger alpha or method='qr'");
  return at::_ops::cholesky_solve::call(c, factor, /*upper=*/false);
}

std::vector<at::Tensor> by_cholesky(const Samples& samples, const Means& means,
                                    const std::vector<double>& alphas) {
  const at::Tensor both = gram(samples, means);
  const std::int64_t d = samples.x.size(1);
  std::vector<at::Tensor> coefs;
  for (const double alpha : alphas) {
    coefs.push_back(
        solve_gram(both.narrow(1, 0, d), both.narrow(1, d, samples.y.size(1)), alpha, *samples.comm));
  }
  return coefs;
}

/// With x = q r and r = u s v^H: w = v s / (s^2 + alpha) u^H q^H y for every alpha; least norm at alpha = 0.
std::vector<at::Tensor> by_qr(const Samples& samples, const Means& means, const std::vector<double>& alphas) {
  const auto centred = [&](const at::Tensor& z, const at::Tensor& mean) {
    const at::Tensor local = z.to(samples.type).sub(beside_samples(mean, samples));
    return DNDarray(
        local, share(samples.rows->with_shape({samples.rows->gshape()[0], z.size(1)}, samples.rows->split())),
        samples.comm);
  };
  const DNDarray x = centred(samples.x, means.x);
  const QRFactors f = qr(x, "reduced");
  const auto [u, s, vh] = at::_ops::linalg_svd::call(f.r.local(), /*full_matrices=*/false, std::nullopt);
  const LayoutPtr whole =
      share(Layout::replicated({f.q->shape()[1], samples.y.size(1)}, samples.comm->size()));
  const at::Tensor c = u.mH().matmul(matmul_to(adjoint(*f.q), centred(samples.y, means.y), whole).local());
  const double eps = s.scalar_type() == at::kDouble ? std::numeric_limits<double>::epsilon()
                                                    : std::numeric_limits<float>::epsilon();
  const double least = eps * static_cast<double>(std::max(x.shape()[0], x.shape()[1]));
  const at::Tensor negligible = s.numel() > 0 ? s.le(s.narrow(0, 0, 1).mul(least)) : s.lt(0);
  std::vector<at::Tensor> coefs;
  for (const double alpha : alphas) {
    const at::Tensor gain = s.div(s.square().add(alpha)).masked_fill(negligible, 0);
    coefs.push_back(vh.mH().matmul(c.mul(gain.unsqueeze(1))));
  }
  return coefs;
}

}  // namespace

RidgeFit ridge(const DNDarray& x, const DNDarray& y, const std::vector<double>& alphas,
               const RidgeOptions& options) {
  check(x, y, alphas, options);
  const Samples samples = align_samples(x, y, options.precise);
  const Means means = means_of(samples, options.fit_intercept);
  const std::vector<at::Tensor> coefs =
      options.method == "qr" ? by_qr(samples, means, alphas) : by_cholesky(samples, means, alphas);
  const at::ScalarType type = compute_type(x, y, /*precise=*/false);
  const at::Tensor coef = at::_ops::stack::call(coefs, 0);
  const auto wrap = [&](at::Tensor z) {
    if (y.ndim() == 1) z = z.squeeze(-1);
    if (!options.several) z = z.squeeze(0);
    return DNDarray(z.to(type), share(Layout::replicated(shape_of(z), samples.comm->size())), samples.comm);
  };
  return {wrap(coef), wrap(means.y.sub(means.x.matmul(coef)))};
}

}  // namespace eh
