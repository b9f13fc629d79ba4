// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "kernels/cross_attention_reconstruction/plan.hpp"
#include "kernels/cross_attention_reconstruction/softmax.hpp"

/// Attention of the rows of one image in a group, forwards and backwards, head by head.
namespace eh::kernels::engine {
namespace {

/// One image's part of a group.
struct Part {
  Index image;      ///< in the batch
  Index slot;       ///< in the group
  Index first_row;  ///< query
  Index rows;
};

template <typename T>
class Attention {
 public:
  using Real = typename T::Real;
  using Word = typename T::Word;

  Attention(const Plan<T>& plan, const Scratch<T>& scratch, const Part& part)
      : plan_(plan), s_(scratch), p_(plan.p), part_(part), scale_(static_cast<Real>(p_.scale)) {
    mixed_ = s_.mixed + part.slot * plan.rows_per_image * plan.mixed_stride;
    gradient_ = s_.mixed_gradient + part.slot * plan.rows_per_image * plan.mixed_stride;
  }

  /// mixed = attention + residual; the weights of all heads are kept. Without `mix` only the latter.
  void forward(bool mix) const {
    const bool residual = p_.residual.data != nullptr;
    if (residual)
      with_queries(p_.residual, 0, p_.width, [&](auto x) { copy_rows(x, mixed_, plan_.mixed_stride); });
    for (Index h = 0; h < p_.heads; ++h) {
      Real* scores = T::kPair == 1 ? reinterpret_cast<Real*>(kept(h)) : s_.scores;
      score(h, scores);
      weigh(h, scores);
      if (!mix) continue;
      const Source values = keys_panels(p_.value, h);
      const Word* a = T::kPair == 1 ? kept(h) : s_.score_words;
      multiply<T, true>({part_.rows, plan_.head, ceil_div(p_.keys, T::kPair), a,
                         T::kPair == 1 ? plan_.score_stride : plan_.score_words, values.data,
                         mixed_ + h * plan_.head, plan_.mixed_stride, residual, values.row});
    }
  }

  /// From the gradient of mixed to those of query, key and value. `first` and `last` block of the image's queries.
  void backward(bool first, bool last) const {
    for (Index h = 0; h < p_.heads; ++h) {
      adjoint_scores(h, !first);
      if (p_.query_gradient.data != nullptr) query_gradient(h);
      if (p_.key_gradient.data != nullptr) key_gradient(h, !first);
      if (!last) continue;
      finish(h, p_.key_gradient, s_.key_part);
      finish(h, p_.value_gradient, s_.value_part);
    }
  }

 private:
  /// A matrix a product reads: words where they lie, or packed. `row` of a B is 0 when it was packed into panels.
  struct Source {
    const Word* data;
    Index row;
  };
  static constexpr Element kOwn = sizeof(Real) == 8 ? Element::f64 : Element::f32;

  /// Whether `rows` rows of a head, read in columns of a panel, find room in different sets of a small first-level cache
  /// (64 sets, 8 ways, of 64 bytes): packing would only copy them.
  bool reads_in_place(Index row, Index rows) const {
    if (T::kPair != 1 || row == 0 || plan_.head % Plan<T>::lanes != 0) return false;
    Index lines = row * static_cast<Index>(sizeof(Real)) / 64, sets = 64;
    while (sets > 1 && lines % 2 == 0) lines /= 2, sets /= 2;
    return 2 * rows <= 8 * sets;
  }
  /// Features of a head, adjacent for the product's A.
  Source queries_words(Index h) const {
    const Tokens& x = p_.query;
    if constexpr (T::kPair == 1)
      if (x.element == kOwn)
        return {static_cast<const Real*>(x.data) + part_.image * x.image + part_.first_row * x.row +
                    h * plan_.head,
                x.row};
    with_queries(x, h * plan_.head, plan_.head,
                 [&](auto rows) { pack_words<T>(rows, s_.rows_words, plan_.head_words); });
    return {s_.rows_words, plan_.head_words};
  }
  Source gradient_words(Index h) const {
    if constexpr (T::kPair == 1) return {gradient_ + h * plan_.head, plan_.mixed_stride};
    const Rows<Real> gradient{gradient_ + h * plan_.head, plan_.mixed_stride, part_.rows, plan_.head};
    pack_words<T>(gradient, s_.rows_words, plan_.head_words);
    return {s_.rows_words, plan_.head_words};
  }
  /// Rows of a head as the product's B, summed over the rows.
  Source keys_panels(const Tokens& x, Index h) const {
    if constexpr (T::kPair == 1)
      if (x.element == kOwn && reads_in_place(x.row, p_.keys))
        return {static_cast<const Real*>(x.data) + part_.image * x.image + h * plan_.head, x.row};
    with_keys(x, h, [&](auto rows) { pack_panels<T>(rows, s_.key_panels); });
    return {s_.key_panels, 0};
  }
  Source queries_panels(Index h) const {
    const Tokens& x = p_.query;
    if constexpr (T::kPair == 1)
      if (x.element == kOwn && reads_in_place(x.row, part_.rows))
        return {static_cast<const Real*>(x.data) + part_.image * x.image + part_.first_row * x.row +
                    h * plan_.head,
                x.row};
    with_queries(x, h * plan_.head, plan_.head, [&](auto rows) { pack_panels<T>(rows, s_.row_panels); });
    return {s_.row_panels, 0};
  }
  Source gradient_panels(Index h) const {
    const Real* data = gradient_ + h * plan_.head;
    if constexpr (T::kPair == 1)
      if (reads_in_place(plan_.mixed_stride, part_.rows)) return {data, plan_.mixed_stride};
    pack_panels<T>(Rows<Real>{data, plan_.mixed_stride, part_.rows, plan_.head}, s_.row_panels);
    return {s_.row_panels, 0};
  }

  /// A matrix a product writes to: the caller's memory when it can, else scratch.
  struct Sink {
    Real* data;
    Index stride;
  };

  template <typename F>
  EH_FORCE void with_queries(const Tokens& x, Index column, Index columns, const F& f) const {
    with_element<Real>(x.data, x.element, part_.image * x.image + part_.first_row * x.row + column,
                       [&](auto* data) { f(Rows{data, x.row, part_.rows, columns}); });
  }
  template <typename F>
  EH_FORCE void with_keys(const Tokens& x, Index h, const F& f) const {
    with_element<Real>(x.data, x.element, part_.image * x.image + h * plan_.head,
                       [&](auto* data) { f(Rows{data, x.row, p_.keys, plan_.head}); });
  }
  Word* kept(Index h) const {
    const Index matrix = ceil_div(plan_.rows_per_image, T::kPair) * plan_.score_stride;
    return s_.attention + (part_.slot * p_.heads + h) * matrix;
  }
  bool writes_directly(const TokensOut& out) const {
    const Element own = sizeof(Real) == 8 ? Element::f64 : Element::f32;
    return out.element == own && plan_.head % Plan<T>::lanes == 0;
  }
  Sink key_sink(Index h, const TokensOut& out, Real* scratch) const {
    if (!writes_directly(out)) return {scratch + h * p_.keys * plan_.head_padded, plan_.head_padded};
    return {static_cast<Real*>(out.data) + part_.image * out.image + h * plan_.head, out.row};
  }
  void finish(Index h, const TokensOut& out, Real* scratch) const {
    if (out.data == nullptr || writes_directly(out)) return;
    const Rows<Real> x{scratch + h * p_.keys * plan_.head_padded, plan_.head_padded, p_.keys, plan_.head};
    write_rows(x, out, part_.image * out.image + h * plan_.head);
  }

  /// Rows of the head after h, maybe the next image's. Of a block of queries the next one reads the same image again.
  template <typename Operand>
  Ahead ahead(Index h, const Operand& query, const Operand& key, const Operand& value) const {
    Ahead rows;
    const bool turns = h + 1 == p_.heads;
    if (turns && (part_.image + 1 == p_.images || plan_.blocks > 1)) return rows;
    const auto add = [&](const Operand& x, Index first, Index count) {
      const Index column = turns ? x.image : (h + 1) * plan_.head;
      rows.add(x, part_.image * x.image + first * x.row + column, count, plan_.head);
    };
    add(query, part_.first_row, part_.rows);
    add(key, 0, p_.keys);
    add(value, 0, p_.keys);
    return rows;
  }

  void score(Index h, Real* scores) const {
    with_keys(p_.key, h, [&](auto x) { pack_transposed<T>(x, s_.key_panels); });
    const Source queries = queries_words(h);
    multiply<T, true>({part_.rows, p_.keys, ceil_div(plan_.head, T::kPair), queries.data, queries.row,
                       s_.key_panels, scores, plan_.score_stride, false});
  }

  void weigh(Index h, Real* scores) const {
    Words<T> out{s_.score_words, plan_.score_words, p_.gradients ? kept(h) : nullptr, plan_.score_stride};
    if constexpr (T::kPair == 1) out = {scores, plan_.score_stride, nullptr, 0};
    softmax_rows<T>(scores, plan_.score_stride, part_.rows, p_.keys, scale_, out,
                    ahead(h, p_.query, p_.key, p_.value));
  }

  /// The gradients of value and of the scores; the latter in s_.scores and, where words are pairs, as words.
  void adjoint_scores(Index h, bool add) const {
    const Index depth = ceil_div(part_.rows, T::kPair), stride = plan_.score_stride;
    if (p_.value_gradient.data != nullptr) {
      const Source rows = gradient_panels(h);
      const Sink sink = key_sink(h, p_.value_gradient, s_.value_part);
      multiply<T, false>(
          {p_.keys, plan_.head, depth, kept(h), stride, rows.data, sink.data, sink.stride, add, rows.row});
    }
    if (p_.query_gradient.data == nullptr && p_.key_gradient.data == nullptr) return;
    with_keys(p_.value, h, [&](auto x) { pack_transposed<T>(x, s_.key_panels); });
    const Source rows = gradient_words(h);
    multiply<T, true>({part_.rows, p_.keys, ceil_div(plan_.head, T::kPair), rows.data, rows.row,
                       s_.key_panels, s_.scores, stride, false});
    Words<T> out{s_.score_words, plan_.score_words, s_.score_pairs, stride};
    if constexpr (T::kPair == 1) out = {s_.scores, stride, nullptr, 0};
    softmax_adjoint_rows<T>(s_.scores, stride, part_.rows, p_.keys, scale_, {kept(h), stride}, out,
                            ahead(h, p_.query_gradient, p_.key_gradient, p_.value_gradient));
  }

  const Word* score_gradient(bool along) const {
    if constexpr (T::kPair == 1) return s_.scores;
    return along ? s_.score_words : s_.score_pairs;
  }

  void query_gradient(Index h) const {
    const TokensOut& out = p_.query_gradient;
    const Index offset = part_.image * out.image + part_.first_row * out.row + h * plan_.head;
    Sink sink{s_.query_part, plan_.head_padded};
    if (writes_directly(out)) sink = {static_cast<Real*>(out.data) + offset, out.row};
    const Source keys = keys_panels(p_.key, h);
    multiply<T, true>({part_.rows, plan_.head, ceil_div(p_.keys, T::kPair), score_gradient(true),
                       T::kPair == 1 ? plan_.score_stride : plan_.score_words, keys.data, sink.data,
                       sink.stride, false, keys.row});
    if (!writes_directly(out))
      write_rows(Rows<Real>{sink.data, sink.stride, part_.rows, plan_.head}, out, offset);
  }

  void key_gradient(Index h, bool add) const {
    const Source queries = queries_panels(h);
    const Sink sink = key_sink(h, p_.key_gradient, s_.key_part);
    multiply<T, false>({p_.keys, plan_.head, ceil_div(part_.rows, T::kPair), score_gradient(false),
                        plan_.score_stride, queries.data, sink.data, sink.stride, add, queries.row});
  }

  const Plan<T>& plan_;
  const Scratch<T>& s_;
  const Reconstruction& p_;
  Part part_;
  Real scale_;
  Real *mixed_, *gradient_;
};

}  // namespace
}  // namespace eh::kernels::engine
