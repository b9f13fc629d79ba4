// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/secular.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace eh {
namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();

using Index = std::size_t;
Index at(std::int64_t i) { return static_cast<Index>(i); }

double largest(const std::vector<double>& x) {
  double most = 0;
  for (const double v : x) most = std::max(most, std::abs(v));
  return most;
}

void keep(Merge& merge, std::int64_t column, Half half, double d, double z) {
  merge.kept.push_back(column);
  merge.halves.push_back(half);
  merge.d.push_back(d);
  merge.z.push_back(z);
}

void settle(Merge& merge, std::int64_t column, double value) {
  merge.deflated.push_back(column);
  merge.values.push_back(value);
}

/// One root between poles: sums over the poles up to it (psi) and behind it (phi), with derivatives.
struct Sums {
  double value;  ///< 1 / rho + psi + phi
  double psi_slope;
  double phi_slope;
  double size;  ///< sum of magnitudes, for the rounding error of value
};

class RootFinder {
 public:
  RootFinder(const Merge& merge, std::int64_t j)
      : d_(merge.d), z_(merge.z), j_(at(j)), rho_inverse_(1 / merge.rho) {}

  /// (origin, offset)
  std::pair<std::int64_t, double> find() {
    const bool last = j_ + 1 == d_.size();
    double width = 0;
    if (last) {
      for (const double z : z_) width += z * z;
      width /= rho_inverse_;
    } else {
      width = d_[j_ + 1] - d_[j_];
    }
    origin_ = j_;
    double low = 0;
    double high = width;
    const double middle = width / 2;
    if (sums(middle).value < 0) {
      low = middle;
      if (!last) {  // closer to the next pole: count from there
        origin_ = j_ + 1;
        low = -middle;
        high = 0;
      }
    } else {
      high = middle;
    }
    return {static_cast<std::int64_t>(origin_), iterate(low, high, last)};
  }

 private:
  double delta(Index i) const { return d_[i] - d_[origin_]; }

  Sums sums(double t) const {
    Sums s{rho_inverse_, 0, 0, rho_inverse_};
    const double from = d_[origin_];
    double psi = 0;
    double phi = 0;
    for (Index i = 0; i <= j_; ++i) {
      const double q = z_[i] / ((d_[i] - from) - t);
      psi += z_[i] * q;
      s.psi_slope += q * q;
    }
    for (Index i = j_ + 1; i < d_.size(); ++i) {
      const double q = z_[i] / ((d_[i] - from) - t);
      phi += z_[i] * q;
      s.phi_slope += q * q;
    }
    s.value += psi + phi;
    s.size += std::abs(psi) + std::abs(phi);
    return s;
  }

  /// The zero of c + p / (pole before - x) + q / (pole behind - x) with the value and the slopes of both sums at t
  /// (Bunch, Nielsen, Sorensen, Numer. Math. 31, 1978), as a step from t.
  double step(const Sums& s, double t, bool last) const {
    const double a = delta(j_) - t;
    if (last) {
      const double c = s.value - s.psi_slope * a;
      return a + s.psi_slope * a * a / c;
    }
    const double b = delta(j_ + 1) - t;
    const double c = s.value - s.psi_slope * a - s.phi_slope * b;
    const double linear = c * (a + b) + s.psi_slope * a * a + s.phi_slope * b * b;
    const double constant = a * b * s.value;
    const double root = std::sqrt(std::max(0.0, linear * linear - 4 * c * constant));
    return linear <= 0 ? (linear - root) / (2 * c) : 2 * constant / (linear + root);
  }

  double iterate(double low, double high, bool last) const {
    double t = low + (high - low) / 2;
    for (int trial = 0; trial < 120; ++trial) {
      const Sums s = sums(t);
      if (std::abs(s.value) <= kEps * s.size) break;
      (s.value < 0 ? low : high) = t;
      double next = t + step(s, t, last);
      if (!(next > low && next < high)) next = low + (high - low) / 2;
      if (next == t || next <= low || next >= high) break;
      if (std::abs(next - t) <= kEps / 4 * std::abs(next)) {
        t = next;
        break;
      }
      t = next;
    }
    return t;
  }

  const std::vector<double>& d_;
  const std::vector<double>& z_;
  Index j_;
  double rho_inverse_;
  Index origin_ = 0;
};

/// Numbers of eigenvalues below each of several points.
constexpr Index kLanes = 8;
using Lanes = std::array<double, kLanes>;

Lanes count_below(const std::vector<double>& d, const std::vector<double>& squares, const Lanes& x,
                  double least) {
  Lanes count{};
  Lanes q;
  q.fill(1);
  for (Index i = 0; i < d.size(); ++i) {
    const double square = i == 0 ? 0 : squares[i - 1];
    for (Index lane = 0; lane < kLanes; ++lane) {
      const double pivot = (d[i] - x[lane]) - square / q[lane];
      q[lane] = std::abs(pivot) < least ? -least : pivot;
      count[lane] += q[lane] < 0 ? 1 : 0;
    }
  }
  return count;
}

}  // namespace

Merge deflate(std::vector<double> d, std::vector<double> z, std::int64_t first, double rho) {
  const auto n = static_cast<std::int64_t>(d.size());
  Merge merge;
  merge.rho = 2 * rho;
  for (double& v : z) v *= std::sqrt(0.5);
  std::vector<std::int64_t> order(d.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto i, auto j) { return d[at(i)] < d[at(j)]; });
  const double tolerance = 8 * kEps * std::max(largest(d), largest(z));
  std::vector<Half> half(d.size());
  for (std::int64_t i = 0; i < n; ++i) half[at(i)] = i < first ? Half::First : Half::Second;
  std::int64_t waiting = -1;
  for (const std::int64_t j : order) {
    if (merge.rho * std::abs(z[at(j)]) <= tolerance) {
      settle(merge, j, d[at(j)]);
      continue;
    }
    if (waiting >= 0) {
      const double size = std::hypot(z[at(j)], z[at(waiting)]);
      const double c = z[at(j)] / size;
      const double s = -z[at(waiting)] / size;
      const double gap = d[at(j)] - d[at(waiting)];
      if (std::abs(gap * c * s) <= tolerance) {  // a rotation makes the weight of `waiting` zero
        z[at(j)] = size;
        if (half[at(j)] != half[at(waiting)]) half[at(j)] = Half::Both;
        merge.rotations.push_back({waiting, j, c, s});
        const double value = d[at(waiting)] * c * c + d[at(j)] * s * s;
        d[at(j)] = d[at(waiting)] * s * s + d[at(j)] * c * c;
        settle(merge, waiting, value);
      } else {
        keep(merge, waiting, half[at(waiting)], d[at(waiting)], z[at(waiting)]);
      }
    }
    waiting = j;
  }
  if (waiting >= 0) keep(merge, waiting, half[at(waiting)], d[at(waiting)], z[at(waiting)]);
  return merge;
}

Roots secular_roots(const Merge& merge, std::int64_t begin, std::int64_t end) {
  Roots roots;
  for (std::int64_t j = begin; j < end; ++j) {
    const auto [origin, offset] = RootFinder(merge, j).find();
    roots.origin.push_back(origin);
    roots.offset.push_back(offset);
  }
  return roots;
}

void multiply_weights(const Merge& merge, const Roots& roots, std::int64_t begin, std::int64_t end,
                      std::vector<double>& weights) {
  const std::vector<double>& d = merge.d;
  for (std::int64_t j = begin; j < end; ++j) {
    const double from = d[at(roots.origin[at(j)])];
    const double offset = roots.offset[at(j)];
    for (Index i = 0; i < d.size(); ++i) {
      const double distance = (d[i] - from) - offset;
      weights[i] *= i == at(j) ? distance : distance / (d[i] - d[at(j)]);
    }
  }
}

void secular_vectors(const Merge& merge, const Roots& roots, const std::vector<double>& z, std::int64_t begin,
                     std::int64_t end, double* out) {
  const std::vector<double>& d = merge.d;
  for (std::int64_t j = begin; j < end; ++j, out += d.size()) {
    const double from = d[at(roots.origin[at(j)])];
    const double offset = roots.offset[at(j)];
    double square = 0;
    for (Index i = 0; i < d.size(); ++i) {
      out[i] = z[i] / ((d[i] - from) - offset);
      square += out[i] * out[i];
    }
    const double scale = 1 / std::sqrt(square);
    for (Index i = 0; i < d.size(); ++i) out[i] *= scale;
  }
}

std::vector<double> bisect_eigenvalues(const std::vector<double>& d, const std::vector<double>& e,
                                       std::int64_t begin, std::int64_t end) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (Index i = 0; i < d.size(); ++i) {  // Gershgorin's circles
    const double radius = (i > 0 ? std::abs(e[i - 1]) : 0) + (i + 1 < d.size() ? std::abs(e[i]) : 0);
    low = std::min(low, d[i] - radius);
    high = std::max(high, d[i] + radius);
  }
  const double size = std::max(std::abs(low), std::abs(high));
  if (!(size > 0)) return std::vector<double>(static_cast<Index>(end - begin), 0.0);
  const double margin = 4 * kEps * size + std::numeric_limits<double>::min();
  std::vector<double> squares;
  for (const double v : e) squares.push_back(v * v);
  const double least =
      std::max(std::numeric_limits<double>::min(), largest(squares) * std::numeric_limits<double>::min());
  std::vector<double> values;
  for (std::int64_t first = begin; first < end; first += kLanes) {
    Lanes left;
    Lanes right;
    left.fill(low - margin);
    right.fill(high + margin);
    for (int trial = 0; trial < 110; ++trial) {
      Lanes middle;
      double widest = 0;
      for (Index lane = 0; lane < kLanes; ++lane) {
        middle[lane] = left[lane] + (right[lane] - left[lane]) / 2;
        widest = std::max(widest, right[lane] - left[lane]);
      }
      if (widest <= kEps * size) break;
      const Lanes count = count_below(d, squares, middle, least);
      for (Index lane = 0; lane < kLanes; ++lane) {
        const bool below = count[lane] <= static_cast<double>(first) + static_cast<double>(lane);
        (below ? left : right)[lane] = middle[lane];
      }
    }
    for (Index lane = 0; lane < kLanes && first + static_cast<std::int64_t>(lane) < end; ++lane) {
      values.push_back(left[lane] + (right[lane] - left[lane]) / 2);
    }
  }
  return values;
}

}  // namespace eh
