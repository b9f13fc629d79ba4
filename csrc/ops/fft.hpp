// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "array/dndarray.hpp"

/// Discrete Fourier transforms over any axes of split arrays. Differentiable.
///
/// The split is kept, with the input's extents unless its length changes (then balanced). Axes that are not split
/// are transformed where they lie. Along the split, with another axis at least as long as there are ranks: one
/// alltoallv makes the split axis local and one brings it back, in pieces of bounded size when no gradient is
/// recorded. Without such an axis: Bailey's six-step algorithm (J. Supercomputing 4, 1990), that is three
/// transpositions, for lengths with two factors of at least as many as ranks; for others Bluestein's convolution
/// (IEEE Trans. Audio 18, 1970) through transforms of such a length.
namespace eh {

/// What a transform is divided by, per axis of length n.
enum class FftScale : std::int64_t { None = 0, RootN = 1, N = 2 };

struct FftAxes {
  std::vector<int> axes;  ///< distinct, not negative
  std::vector<std::int64_t>
      lengths;  ///< of the transforms, > 0: longer axes are cut, shorter ones padded with 0
};

/// Complex transform of real or complex data.
DNDarray fft_complex(const DNDarray& x, const FftAxes& axes, FftScale scale, bool forward);
/// Forward transform of real data: of the last of `axes` only the non-negative half, length / 2 + 1.
/// @throws TypeError for complex data
DNDarray fft_from_real(const DNDarray& x, const FftAxes& axes, FftScale scale);
/// Backward transform to real data; of the last of `axes` the non-negative half is given, its length is the output's.
DNDarray fft_to_real(const DNDarray& x, const FftAxes& axes, FftScale scale);

namespace detail {

/// A transform along one axis, of a local tensor.
struct LineTransform {
  enum class Kind : std::uint8_t { Complex, FromReal, ToReal };
  Kind kind;
  std::int64_t n;
  FftScale scale;
  bool forward;

  /// Extent of the result along the axis.
  std::int64_t extent() const { return kind == Kind::FromReal ? n / 2 + 1 : n; }
  at::Tensor operator()(const at::Tensor& x, std::int64_t axis) const;
};

/// Cut, or padded with zeros, to `length`.
at::Tensor resized(const at::Tensor& x, std::int64_t axis, std::int64_t length);
/// Unscaled complex transform along axes of a local tensor, in their present lengths.
at::Tensor plain_fft(const at::Tensor& x, const std::vector<std::int64_t>& axes, FftScale scale,
                     bool forward);

/// `line` along the split axis of a distributed array. Collective.
DNDarray transform_split(const DNDarray& x, const LineTransform& line);
/// The same without another axis to split.
DNDarray transform_long(const DNDarray& x, const LineTransform& line, const LayoutPtr& target);

}  // namespace detail
}  // namespace eh
