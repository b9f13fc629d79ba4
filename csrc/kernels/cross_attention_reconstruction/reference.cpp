// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cross_attention_reconstruction/reference.hpp"

#include <bit>
#include <cmath>
#include <vector>

#include "kernels/cross_attention_reconstruction/gpu/numbers.hpp"

namespace eh::kernels {
namespace {

using Index = std::int64_t;

double element_at(const void* data, Element element, Index i) {
  switch (element) {
    case Element::f32:
      return static_cast<const float*>(data)[i];
    case Element::f64:
      return static_cast<const double*>(data)[i];
    case Element::u8:
      return static_cast<const std::uint8_t*>(data)[i];
    case Element::bf16:
      return std::bit_cast<float>(std::uint32_t{static_cast<const std::uint16_t*>(data)[i]} << 16);
    case Element::f16:
      return static_cast<double>(gpu::from_half(static_cast<const std::uint16_t*>(data)[i]));
  }
  return 0;
}

std::uint16_t to_bf16(double x) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(x));
  if (std::isnan(x)) return 0x7FC0;
  return static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

/// A matrix in double.
struct Table {
  Index rows, columns;
  std::vector<double> data;
  Table(Index r, Index c) : rows(r), columns(c), data(static_cast<std::size_t>(r * c)) {}
  double& operator()(Index i, Index j) { return data[static_cast<std::size_t>(i * columns + j)]; }
  double operator()(Index i, Index j) const { return data[static_cast<std::size_t>(i * columns + j)]; }
};

Table read(const Tokens& x, Index image, Index rows, Index columns) {
  Table table(rows, columns);
  if (x.data == nullptr) return table;
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < columns; ++j)
      table(i, j) = element_at(x.data, x.element, image * x.image + i * x.row + j);
  return table;
}

void write(const TokensOut& x, Index image, const Table& table) {
  if (x.data == nullptr) return;
  for (Index i = 0; i < table.rows; ++i)
    for (Index j = 0; j < table.columns; ++j) {
      const Index at = image * x.image + i * x.row + j;
      if (x.element == Element::f64) static_cast<double*>(x.data)[at] = table(i, j);
      if (x.element == Element::f32) static_cast<float*>(x.data)[at] = static_cast<float>(table(i, j));
      if (x.element == Element::bf16) static_cast<std::uint16_t*>(x.data)[at] = to_bf16(table(i, j));
    }
}

double target_at(const Target& t, Index image, Index token, Index e) {
  if (!t.is_image) return element_at(t.data, t.element, image * t.image + token * t.row + e);
  const Index channel = e % t.channels;
  const Index y = token / t.columns * t.patch_height + e / t.channels / t.patch_width;
  const Index x = token % t.columns * t.patch_width + e / t.channels % t.patch_width;
  const double value =
      element_at(t.data, t.element, image * t.image + channel * t.channel + y * t.line + x * t.pixel);
  return value * t.factor[channel] + t.offset[channel];
}

void read_target(const Target& t, Index image, Index token, std::vector<double>& out) {
  const auto n = static_cast<double>(out.size());
  double mean = 0;
  for (std::size_t e = 0; e < out.size(); ++e)
    mean += out[e] = target_at(t, image, token, static_cast<Index>(e));
  if (!t.normalize_patches) return;
  mean /= n;
  double variance = 0;
  for (const double x : out) variance += (x - mean) * (x - mean);
  for (double& x : out) x = (x - mean) / std::sqrt(variance / (n - 1) + 1e-6);
}

/// Row i of the attention weights of a head whose features start at `f`.
void softmax_row(const Reconstruction& p, const Table& q, const Table& k, Index i, Index f,
                 std::vector<double>& row) {
  const Index size = p.width / p.heads;
  double top = -INFINITY;
  for (Index j = 0; j < p.keys; ++j) {
    double score = 0;
    for (Index c = f; c < f + size; ++c) score += q(i, c) * k(j, c);
    row[static_cast<std::size_t>(j)] = score * p.scale;
    if (!(row[static_cast<std::size_t>(j)] <= top)) top = row[static_cast<std::size_t>(j)];
  }
  double sum = 0;
  for (double& x : row) sum += x = std::exp(x - top);
  for (double& x : row) x /= sum;
}

struct Image {
  Table q, k, v, mixed, d_mixed, dq, dk, dv;
};

void attend(const Reconstruction& p, Image& m) {
  std::vector<double> row(static_cast<std::size_t>(p.keys));
  const Index size = p.width / p.heads;
  for (Index f = 0; f < p.width; f += size)
    for (Index i = 0; i < p.queries; ++i) {
      softmax_row(p, m.q, m.k, i, f, row);
      for (Index j = 0; j < p.keys; ++j)
        for (Index c = f; c < f + size; ++c) m.mixed(i, c) += row[static_cast<std::size_t>(j)] * m.v(j, c);
    }
}

void attend_backward(const Reconstruction& p, Image& m) {
  std::vector<double> row(static_cast<std::size_t>(p.keys)), d(row);
  const Index size = p.width / p.heads;
  for (Index f = 0; f < p.width; f += size)
    for (Index i = 0; i < p.queries; ++i) {
      softmax_row(p, m.q, m.k, i, f, row);
      double dot = 0;
      for (Index j = 0; j < p.keys; ++j) {
        const auto s = static_cast<std::size_t>(j);
        d[s] = 0;
        for (Index c = f; c < f + size; ++c) d[s] += m.d_mixed(i, c) * m.v(j, c);
        dot += d[s] * row[s];
      }
      for (Index j = 0; j < p.keys; ++j) {
        const auto s = static_cast<std::size_t>(j);
        const double ds = p.scale * row[s] * (d[s] - dot);
        for (Index c = f; c < f + size; ++c) {
          m.dq(i, c) += ds * m.k(j, c);
          m.dk(j, c) += ds * m.q(i, c);
          m.dv(j, c) += row[s] * m.d_mixed(i, c);
        }
      }
    }
}

/// Prediction and error of all tokens of an image; with gradients also d_mixed and the sums.
double compare(const Reconstruction& p, Index image, const Table& weight, const Table& bias, Image& m,
               WeightGradients sums) {
  Table prediction(p.queries, p.pixels);
  std::vector<double> target(static_cast<std::size_t>(p.pixels));
  double loss = 0;
  for (Index i = 0; i < p.queries; ++i) {
    read_target(p.target, image, i, target);
    const bool counts = p.mask == nullptr || p.mask[image * p.queries + i] != 0;
    for (Index e = 0; e < p.pixels; ++e) {
      double x = bias(0, e);
      for (Index c = 0; c < p.width; ++c) x += m.mixed(i, c) * weight(e, c);
      prediction(i, e) = x;
      if (!counts) continue;
      const double difference = x - target[static_cast<std::size_t>(e)];
      loss += difference * difference;
      if (!p.gradients) continue;
      const double g = p.factor * difference;
      if (sums.bias != nullptr) static_cast<double*>(sums.bias)[e] += g;
      for (Index c = 0; c < p.width; ++c) {
        m.d_mixed(i, c) += g * weight(e, c);
        if (sums.weight != nullptr) static_cast<double*>(sums.weight)[e * p.width + c] += g * m.mixed(i, c);
      }
    }
  }
  write(p.prediction, image, prediction);
  return loss;
}

}  // namespace

double reference_reconstruction(const Reconstruction& p, WeightGradients sums) {
  const Table weight = read(p.weight, 0, p.pixels, p.width);
  const Table bias = read(p.bias, 0, 1, p.pixels);
  for (Index i = 0; sums.weight != nullptr && i < p.pixels * p.width; ++i)
    static_cast<double*>(sums.weight)[i] = 0;
  for (Index i = 0; sums.bias != nullptr && i < p.pixels; ++i) static_cast<double*>(sums.bias)[i] = 0;
  double loss = 0;
  for (Index image = 0; image < p.images; ++image) {
    const Table rows(p.queries, p.width), columns(p.keys, p.width);
    Image m{read(p.query, image, p.queries, p.width),
            read(p.key, image, p.keys, p.width),
            read(p.value, image, p.keys, p.width),
            read(p.residual, image, p.queries, p.width),
            read(p.mixed_gradient, image, p.queries, p.width),
            rows,
            columns,
            columns};
    attend(p, m);
    write(p.mixed, image, m.mixed);
    if (!p.attention_only) loss += compare(p, image, weight, bias, m, sums);
    if (!p.gradients) continue;
    attend_backward(p, m);
    write(p.query_gradient, image, m.dq);
    write(p.key_gradient, image, m.dk);
    write(p.value_gradient, image, m.dv);
    write(p.residual_gradient, image, m.d_mixed);
  }
  return loss;
}

}  // namespace eh::kernels
