# SPDX-License-Identifier: BSD-3-Clause
# eh_test(test_layout LINK eh_comm SOURCES layout/test_layout.cpp ...)
#   one program of doctest cases, registered as `test_layout`;
# eh_test(test_comm LINK eh_comm RANKS 1 2 3 SOURCES ...)
#   with a main that initialises MPI, registered as test_comm.n1, test_comm.n2, test_comm.n3.
# A test that hangs fails after 240 s.

find_path(DOCTEST_INCLUDE doctest/doctest.h HINTS ${CMAKE_BINARY_DIR}/doctest)
if(NOT DOCTEST_INCLUDE)
  message(STATUS "doctest/doctest.h is not installed (Debian: doctest-dev); fetching it")
  execute_process(TIMEOUT 60 RESULT_VARIABLE _fetched ERROR_QUIET COMMAND
    git clone --quiet --depth 1 --branch v2.4.11 https://github.com/doctest/doctest ${CMAKE_BINARY_DIR}/doctest)
  find_path(DOCTEST_INCLUDE doctest/doctest.h HINTS ${CMAKE_BINARY_DIR}/doctest)
endif()
if(NOT DOCTEST_INCLUDE)
  # The library is built all the same; the missing tests are one that fails.
  message(WARNING "No C++ tests: doctest/doctest.h was not found and could not be fetched. Debian: apt-get install "
    "doctest-dev; elsewhere pass -DDOCTEST_INCLUDE=/folder/above/doctest.")
  return()
endif()
message(STATUS "doctest at ${DOCTEST_INCLUDE}")

function(eh_doctest target)
  target_include_directories(${target} SYSTEM PUBLIC ${DOCTEST_INCLUDE})
  eh_options(${target})
endfunction()

add_library(eh_test_main STATIC ${PROJECT_SOURCE_DIR}/tests/cpp/main.cpp)
eh_doctest(eh_test_main)
add_library(eh_mpi_test_main STATIC ${PROJECT_SOURCE_DIR}/tests/cpp/mpi_main.cpp)
target_link_libraries(eh_mpi_test_main PUBLIC eh::mpi)
eh_doctest(eh_mpi_test_main)

function(eh_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LINK" "SOURCES;RANKS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} $<IF:$<BOOL:${arg_RANKS}>,eh_mpi_test_main,eh_test_main>)
  eh_doctest(${name})
  # The OpenMP library is named by torch's libraries alone.
  target_link_options(${name} PRIVATE -Wl,--copy-dt-needed-entries)
  if(EQUIHEAT_CUDA)  # libtorch_cuda names libraries that only `import torch` can find
    target_link_options(${name} PRIVATE -Wl,--allow-shlib-undefined)
  endif()
  set(tests ${name})
  if(arg_RANKS)
    set(tests)
    foreach(n IN LISTS arg_RANKS)
      add_test(NAME ${name}.n${n} COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${n} $<TARGET_FILE:${name}>)
      set_tests_properties(${name}.n${n} PROPERTIES PROCESSORS ${n} LABELS ranks${n})
      list(APPEND tests ${name}.n${n})
    endforeach()
  else()
    add_test(NAME ${name} COMMAND ${name})
  endif()
  # AddressSanitizer (preset asan): MPI itself leaks, and memory that is kept to find its use after free looks like a leak
  # to test_comm_leaks.
  set_tests_properties(${tests} PROPERTIES TIMEOUT 240 ENVIRONMENT
    "ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=16;OMP_NUM_THREADS=1;OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe")
  cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
  foreach(n IN LISTS arg_RANKS)
    if(n GREATER cores)  # MPICH: waiting ranks that sleep instead of spinning make such a test 5 times as fast
      set_property(TEST ${name}.n${n} APPEND PROPERTY ENVIRONMENT MPIR_CVAR_ENABLE_HEAVY_YIELD=1)
    endif()
  endforeach()
endfunction()
