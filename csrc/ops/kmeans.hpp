// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "array/dndarray.hpp"

/// Clustering around centres. x (n, f) as in as_samples(); centres are replicated, (k, f), in x's type.
namespace eh {

struct KMeansOptions {
  using Visit = std::function<void(std::int64_t iteration, double shift)>;
  std::int64_t max_iter;
  /// Stop when the centres moved by less, as a sum of squares, relative to the mean variance of x.
  double tol;
  Visit visit = {};  ///< called after every iteration with what the centres moved by
};

struct KMeansFit {
  DNDarray centers;
  DNDarray labels;  ///< (n,) int64, split as the rows: the nearest of `centers`
  double inertia;   ///< weighted sum of squared distances to them
  std::int64_t iterations;
};

/// Lloyd's algorithm from these centres. Every iteration is one pass over x, which finds the nearest centre of a row
/// and adds the row to that centre's sum, and one allreduce of (k, f + 1) numbers in double precision; distances are
/// taken from x minus its mean, so that an offset costs no digits. A centre without rows is moved to the row farthest
/// from its own. Memory beyond x and the labels: O(k f) per thread.
/// @throws ValueError for NaN or infinity in x (on all ranks)
KMeansFit kmeans(const DNDarray& x, const DNDarray& centers, const std::optional<DNDarray>& weights,
                 const KMeansOptions& options);

struct Assigned {
  DNDarray labels;
  double total;  ///< weighted sum of the distances, squared for "euclidean"
};
/// The nearest centre of each row: metric "euclidean" or "manhattan". One allreduce of one number.
Assigned assign_rows(const DNDarray& x, const DNDarray& centers, const std::optional<DNDarray>& weights,
                     const std::string& metric);

/// k rows of x by greedy k-means++ (Arthur and Vassilvitskii 2007; the best of 2 + log k candidates each, as in
/// scikit-learn): a row is drawn with a probability in proportion to its weight and squared distance to the rows
/// drawn before ("manhattan": distance). Depends on the seed, not on the number of ranks. Two collectives per row.
/// @throws ValueError if there are fewer than k rows
DNDarray plus_plus_centers(const DNDarray& x, std::int64_t k, const std::optional<DNDarray>& weights,
                           const std::string& metric, std::uint64_t seed);

/// k-means|| (Bahmani et al. 2012): rounds draws of about `expected` rows each with a probability in proportion to
/// the cost, then the drawn rows, replicated, and the number of rows nearest to each. One allgather per round.
struct Candidates {
  DNDarray rows;
  DNDarray weights;
};
Candidates oversample(const DNDarray& x, double expected, std::int64_t rounds, const std::string& metric,
                      std::uint64_t seed);

}  // namespace eh
