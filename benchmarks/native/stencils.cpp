// SPDX-License-Identifier: BSD-3-Clause
// What a plain C++/MPI program does, for benchmarks/stencils.py, which compiles this and calls it on the same ranks and
// communicator: an exchange of rows with the neighbours, and the star stencil of the Parallel Research Kernels.
#include <mpi.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace {

constexpr int kRadius = 2;

struct Ranks {
  MPI_Comm comm;
  int rank = 0, size = 1, up = MPI_PROC_NULL, down = MPI_PROC_NULL;

  explicit Ranks(int fortran) : comm(MPI_Comm_f2c(fortran)) {
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    if (rank > 0) up = rank - 1;
    if (rank + 1 < size) down = rank + 1;
  }
  /// `n` floats from the first rows go up, from the last rows down; what comes goes beside the block.
  void exchange(float* block, std::int64_t own, int n) const {
    MPI_Sendrecv(block, n, MPI_FLOAT, up, 0, block + own, n, MPI_FLOAT, down, 0, comm, MPI_STATUS_IGNORE);
    MPI_Sendrecv(block + own - n, n, MPI_FLOAT, down, 1, block - n, n, MPI_FLOAT, up, 1, comm,
                 MPI_STATUS_IGNORE);
  }
};

}  // namespace

/// Seconds of one exchange of `width` rows of `columns` floats with both neighbours.
extern "C" double exchange_seconds(int comm, std::int64_t rows, std::int64_t columns, int width, int loops) {
  const Ranks ranks(comm);
  std::vector<float> memory(static_cast<std::size_t>((rows + 2 * width) * columns), 1.0f);
  float* block = memory.data() + width * columns;
  MPI_Barrier(ranks.comm);
  const double start = MPI_Wtime();
  for (int i = 0; i < loops; ++i) ranks.exchange(block, rows * columns, width * static_cast<int>(columns));
  return (MPI_Wtime() - start) / loops;
}

/// Seconds of one iteration of the star stencil on an n x n grid cut into rows: exchange, out += stencil(in), in += 1.
/// `norm` becomes the mean of out over the interior.
extern "C" double star_seconds(int comm, std::int64_t n, int iterations, double* norm) {
  const Ranks ranks(comm);
  const std::int64_t first = n * ranks.rank / ranks.size;
  const std::int64_t rows = n * (ranks.rank + 1) / ranks.size - first;
  std::vector<float> in_memory(static_cast<std::size_t>((rows + 2 * kRadius) * n));
  std::vector<float> out_memory(static_cast<std::size_t>(rows * n), 0.0f);
  float* __restrict__ in = in_memory.data() + kRadius * n;
  float* __restrict__ out = out_memory.data();
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < n; ++j) in[i * n + j] = static_cast<float>(first + i + j);
  float weight[2 * kRadius + 1] = {};
  for (int k = 1; k <= kRadius; ++k) {
    weight[kRadius + k] = 1.0f / static_cast<float>(2 * k * kRadius);
    weight[kRadius - k] = -weight[kRadius + k];
  }
  const std::int64_t begin = std::max<std::int64_t>(kRadius - first, 0);
  const std::int64_t end = std::min<std::int64_t>(rows, n - kRadius - first);
  double start = 0;
  for (int iteration = 0; iteration <= iterations; ++iteration) {
    if (iteration == 1) {  // the first one warms up, as the kernels have it
      MPI_Barrier(ranks.comm);
      start = MPI_Wtime();
    }
    ranks.exchange(in, rows * n, kRadius * static_cast<int>(n));
    for (std::int64_t i = begin; i < end; ++i) {
      const float* row = in + i * n;
      float* to = out + i * n;
      for (std::int64_t j = kRadius; j < n - kRadius; ++j) {
        float sum = to[j];
        for (int k = -kRadius; k <= kRadius; ++k) sum += weight[kRadius + k] * row[j + k];
        for (int k = 1; k <= kRadius; ++k)
          sum += weight[kRadius + k] * row[j + k * n] + weight[kRadius - k] * row[j - k * n];
        to[j] = sum;
      }
    }
    for (std::int64_t i = 0; i < rows * n; ++i) in[i] += 1.0f;
  }
  const double seconds = (MPI_Wtime() - start) / iterations;
  double sum = 0;
  for (std::int64_t i = begin; i < end; ++i)
    for (std::int64_t j = kRadius; j < n - kRadius; ++j) sum += std::fabs(out[i * n + j]);
  MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, ranks.comm);
  const double entries = static_cast<double>(n - 2 * kRadius);
  *norm = sum / (entries * entries);
  return seconds;
}
