// SPDX-License-Identifier: BSD-3-Clause
#include "comm/mpi.hpp"

#include <cctype>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "comm/communicator.hpp"

namespace eh {
namespace {

std::string text_of(int code) {
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) return "no text";
  return {text, static_cast<std::size_t>(length)};
}

/// "MPI_Bcast" out of a call's source text such as "EH_LARGE(MPI_Bcast)(data, ...)".
std::string function_name(const std::string& call) {
  const auto begin = call.find("MPI_");
  if (begin == std::string::npos) return call;
  auto end = begin;
  while (end < call.size() && (std::isalnum(static_cast<unsigned char>(call[end])) || call[end] == '_'))
    ++end;
  return call.substr(begin, end - begin);
}

}  // namespace

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS) [[likely]]
    return;
  int error_class = MPI_ERR_UNKNOWN;
  MPI_Error_class(code, &error_class);
  throw CommError(message(function_name(call), " failed: ", text_of(error_class), " (error class ",
                          error_class, "): ", text_of(code)));
}

std::string mpi_library_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  EH_MPI(MPI_Get_library_version(text, &length));
  return {text, static_cast<std::size_t>(length)};
}

std::string mpi_thread_level() {
  int level = MPI_THREAD_SINGLE;
  EH_MPI(MPI_Query_thread(&level));
  if (level == MPI_THREAD_MULTIPLE) return "multiple";
  if (level == MPI_THREAD_SERIALIZED) return "serialized";
  return level == MPI_THREAD_FUNNELED ? "funneled" : "single";
}

bool mpi_initialized() {
  int flag = 0;
  EH_MPI(MPI_Initialized(&flag));
  return flag != 0;
}

bool mpi_finalized() {
  int flag = 0;
  EH_MPI(MPI_Finalized(&flag));
  return flag != 0;
}

int mpi_comm_size_of() { return static_cast<int>(sizeof(MPI_Comm)); }

void mpi_abort(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);  // only if MPI_Abort came back
}

}  // namespace eh
