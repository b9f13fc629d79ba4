// SPDX-License-Identifier: BSD-3-Clause
// The same cases run on every rank. Rank 0 prints what passes, every rank prints what fails, with its number
// in front; the exit code is the largest of all ranks.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <mpi.h>

#include <algorithm>
#include <iostream>
#include <sstream>
#include <string>

namespace {

// One write per rank, so that lines of ranks do not mix.
void print_with_rank(int rank, const std::string& text) {
  std::istringstream lines(text);
  std::ostringstream out;
  for (std::string line; std::getline(lines, line);) out << "[rank " << rank << "] " << line << '\n';
  std::cout << out.str() << std::flush;
}

}  // namespace

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);

  doctest::Context context(argc, argv);
  std::ostringstream log;
  context.setCout(&log);
  // A case that fails on one rank may leave the others waiting in a collective: print at once and end the job.
  context.setOption("abort-after", 1);
  const int failed = context.run();
  if (rank == 0 || failed != 0) print_with_rank(rank, log.str());
  if (failed != 0) MPI_Abort(MPI_COMM_WORLD, failed);
  MPI_Finalize();
  return 0;
}
