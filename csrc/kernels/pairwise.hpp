// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

/// All pairs of rows of two matrices, without a matrix of their distances unless that is asked for.
///
/// T is float or double. Rows are contiguous. Functions read any part of the rows of x, so that threads can share the
/// work; nothing here allocates more than a few lines per call.
namespace eh::kernels {

enum class Metric : std::uint8_t {
  Squared,    ///< sum of (x - y)^2, from the differences: exact zeros, no cancellation
  Manhattan,  ///< sum of |x - y|
  Expanded,   ///< |y|^2 - 2 x y: the squared distance but for |x|^2; half the work of Squared
};

/// Consecutive rows of a matrix.
template <typename T>
struct RowBlock {
  const T* data;
  std::int64_t rows;
  std::int64_t features;
  std::int64_t first = 0;  ///< number of the first row, for results that are addressed by rows
};

/// The rows of y, regrouped so that one line of 64 bytes holds a feature of 16 (8 for double) of them.
template <typename T>
class Panels {
 public:
  Panels(const RowBlock<T>& y, Metric metric);

  Metric metric() const { return metric_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t features() const { return features_; }
  std::int64_t count() const { return static_cast<std::int64_t>(bias_.size()) / kWidth; }
  const T* panel(std::int64_t p) const { return data_.get() + p * features_ * kWidth; }
  /// Added to the sums of a panel: |y|^2 for Expanded, infinity for the rows that pad the last panel.
  const T* bias(std::int64_t p) const { return bias_.data() + p * kWidth; }

  static constexpr int kWidth = 64 / static_cast<int>(sizeof(T));

 private:
  struct Free {
    void operator()(T* data) const;
  };
  Metric metric_;
  std::int64_t rows_;
  std::int64_t features_;
  std::unique_ptr<T[], Free> data_;
  std::vector<T> bias_;
};

/// out[i * pitch + j] = distance of rows i and j: Euclidean for Squared, Manhattan; Expanded with |x|^2 added, clamped
/// at zero, and its root taken. `squared` leaves the root out.
template <typename T>
void distances(const RowBlock<T>& x, const Panels<T>& y, bool squared, T* out, std::int64_t pitch);

/// The k nearest rows of y per row of x, nearest first, ties by number.
///
/// `best` and `index` are (x.first + x.rows, k); on entry they hold the k nearest of the rows of y seen before
/// (infinity where there are fewer). Rows of y are numbered by `number` (y.rows() entries). Squared or Manhattan.
template <typename T>
void nearest(const RowBlock<T>& x, const Panels<T>& y, const std::int64_t* number, std::int64_t k, T* best,
             std::int64_t* index);

/// sums[i * groups + group[j]] += distance of rows i and j (Squared: Euclidean), for the rows j of y.
template <typename T>
void sum_by_group(const RowBlock<T>& x, const Panels<T>& y, const std::int64_t* group, std::int64_t groups,
                  double* sums);

/// What `assign` adds up over rows.
template <typename T>
struct Assignment {
  std::int64_t* labels = nullptr;  ///< read and written: the nearest row of y
  std::int64_t changed = 0;        ///< labels that are other than before
  double total = 0;         ///< weighted sum of distances (Squared, Expanded: squared ones, from differences)
  bool with_total = false;  ///< costs a second look at each row
  const T* weights = nullptr;  ///< per row, like labels; null: 1
  const T* shift = nullptr;    ///< subtracted from the rows of x before all else
  double* sums = nullptr;    ///< (y.rows(), features) weighted sums of the shifted rows per label; null: none
  double* counts = nullptr;  ///< (y.rows()) their weights
  T* distance = nullptr;     ///< per row, as in total; null: none. Needs with_total
};
/// The nearest row of y for each row of x, and the sums that k-means needs, in one pass.
/// `y_rows` are the rows of y unpacked, and shifted as those of x are to be. Ties go to the first.
template <typename T>
void assign(const RowBlock<T>& x, const Panels<T>& y, const T* y_rows, Assignment<T>& result);

/// closest[i] = min(closest[i], distance to the nearest row of y); potential[j] += weighted min(closest[i], distance
/// to row j alone), with the closest of before. Squared distances for Squared. `update` false leaves closest alone,
/// null `potential` is left out; weights are per row (null: 1).
template <typename T>
void cover(const RowBlock<T>& x, const Panels<T>& y, const T* weights, bool update, T* closest,
           double* potential);

}  // namespace eh::kernels
