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
      with_keys(p_.value, h, [&](auto x) { pack_panels<T>(x, s_.key_panels); });
      const Word* a = T::kPair == 1 ? kept(h) : s_.score_words;
      multiply<T, true>({part_.rows, plan_.head, ceil_div(p_.keys, T::kPair), a,
                         T::kPair == 1 ? plan_.score_stride : plan_.score_words, s_.key_panels,
                         mixed_ + h * plan_.head, plan_.mixed_stride, residual});
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

  void score(Index h, Real* scores) const {
    with_keys(p_.key, h, [&](auto x) { pack_transposed<T>(x, s_.key_panels); });
    with_queries(p_.query, h * plan_.head, plan_.head,
                 [&](auto x) { pack_words<T>(x, s_.rows_words, plan_.head_words); });
    multiply<T, true>({part_.rows, p_.keys, ceil_div(plan_.head, T::kPair), s_.rows_words, plan_.head_words,
                       s_.key_panels, scores, plan_.score_stride, false});
  }

  void weigh(Index h, Real* scores) const {
    Words<T> out{s_.score_words, plan_.score_words, p_.gradients ? kept(h) : nullptr, plan_.score_stride};
    if constexpr (T::kPair == 1) out = {scores, plan_.score_stride, nullptr, 0};
    softmax_rows<T>(scores, plan_.score_stride, part_.rows, p_.keys, scale_, out);
  }

  /// The gradients of value and of the scores; the latter in s_.scores and, where words are pairs, as words.
  void adjoint_scores(Index h, bool add) const {
    const Rows<Real> gradient{gradient_ + h * plan_.head, plan_.mixed_stride, part_.rows, plan_.head};
    const Index depth = ceil_div(part_.rows, T::kPair), stride = plan_.score_stride;
    if (p_.value_gradient.data != nullptr) {
      pack_panels<T>(gradient, s_.row_panels);
      const Sink sink = key_sink(h, p_.value_gradient, s_.value_part);
      multiply<T, false>(
          {p_.keys, plan_.head, depth, kept(h), stride, s_.row_panels, sink.data, sink.stride, add});
    }
    if (p_.query_gradient.data == nullptr && p_.key_gradient.data == nullptr) return;
    with_keys(p_.value, h, [&](auto x) { pack_transposed<T>(x, s_.key_panels); });
    pack_words<T>(gradient, s_.rows_words, plan_.head_words);
    multiply<T, true>({part_.rows, p_.keys, ceil_div(plan_.head, T::kPair), s_.rows_words, plan_.head_words,
                       s_.key_panels, s_.scores, stride, false});
    Words<T> out{s_.score_words, plan_.score_words, s_.score_pairs, stride};
    if constexpr (T::kPair == 1) out = {s_.scores, stride, nullptr, 0};
    softmax_adjoint_rows<T>(s_.scores, stride, part_.rows, p_.keys, scale_, {kept(h), stride}, out);
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
    with_keys(p_.key, h, [&](auto x) { pack_panels<T>(x, s_.key_panels); });
    multiply<T, true>({part_.rows, plan_.head, ceil_div(p_.keys, T::kPair), score_gradient(true),
                       T::kPair == 1 ? plan_.score_stride : plan_.score_words, s_.key_panels, sink.data,
                       sink.stride, false});
    if (!writes_directly(out))
      write_rows(Rows<Real>{sink.data, sink.stride, part_.rows, plan_.head}, out, offset);
  }

  void key_gradient(Index h, bool add) const {
    with_queries(p_.query, h * plan_.head, plan_.head, [&](auto x) { pack_panels<T>(x, s_.row_panels); });
    const Sink sink = key_sink(h, p_.key_gradient, s_.key_part);
    multiply<T, false>({p_.keys, plan_.head, ceil_div(part_.rows, T::kPair), score_gradient(false),
                        plan_.score_stride, s_.row_panels, sink.data, sink.stride, add});
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
