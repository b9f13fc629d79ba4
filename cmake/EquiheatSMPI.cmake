# SPDX-License-Identifier: BSD-3-Clause
# eh::smpi: comm/ compiled for SimGrid's simulated MPI, where it is: up to a thousand ranks in one process, and messages
# about deadlocks, mismatched calls and leaks that real MPIs do not give.
#
# eh_smpi_program(name SOURCES ...): a library that smpirun loads once per rank.
# eh_smpi_test(name PROGRAM program RANKS n PASS "regular expression" ARGUMENTS ...): runs it.
find_program(SMPICXX smpicxx)
find_program(SMPIRUN smpirun)
set(EQUIHEAT_SMPI OFF)
if(NOT SMPICXX OR NOT SMPIRUN)
  message(STATUS "SMPI: smpicxx and smpirun were not found (Debian: libsimgrid-dev); its tests are skipped")
  return()
endif()
_eh_ask_mpi_wrapper(${SMPICXX} _smpi_includes _)
find_library(SIMGRID_LIBRARY simgrid)
find_file(SMPI_HELPERS smpi/smpi_helpers.h HINTS ${_smpi_includes})
if(NOT SIMGRID_LIBRARY OR NOT SMPI_HELPERS)
  message(STATUS "SMPI: libsimgrid or smpi_helpers.h is missing beside ${SMPICXX}; its tests are skipped")
  return()
endif()
set(EQUIHEAT_SMPI ON)
message(STATUS "SMPI: ${SMPIRUN}")

add_library(eh_smpi INTERFACE)
add_library(eh::smpi ALIAS eh_smpi)
target_include_directories(eh_smpi SYSTEM INTERFACE ${_smpi_includes})
# What smpicxx does: sleep(), getpid() and clocks are the simulated machine's. Memory is each rank's own.
target_compile_options(eh_smpi INTERFACE "SHELL:-include ${SMPI_HELPERS}")
target_compile_definitions(eh_smpi INTERFACE SMPI_NO_OVERRIDE_MALLOC)
target_link_libraries(eh_smpi INTERFACE ${SIMGRID_LIBRARY})

function(eh_smpi_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
  add_library(${name} MODULE ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE eh_comm_smpi eh::smpi)
  eh_options(${name})
  set_target_properties(${name} PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET default)  # smpirun looks for main
endfunction()

function(eh_smpi_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PROGRAM;RANKS;PASS;CHECK" "ARGUMENTS")
  add_test(NAME ${name} COMMAND ${SMPIRUN} -np ${arg_RANKS} -map
    -platform ${PROJECT_SOURCE_DIR}/tests/smpi/cluster.xml -hostfile ${PROJECT_SOURCE_DIR}/tests/smpi/hosts
    --cfg=smpi/pedantic:true --cfg=smpi/list-leaks:5 --cfg=smpi/simulate-computation:no
    --cfg=contexts/stack-size:256 --log=xbt_cfg.thresh:warning --log=smpi_config.thresh:warning
    $<TARGET_FILE:${arg_PROGRAM}> ${arg_ARGUMENTS})
  # A deadlock leaves the exit code 0.
  set_tests_properties(${name} PROPERTIES TIMEOUT 240 LABELS smpi
    PASS_REGULAR_EXPRESSION "${arg_PASS}" ENVIRONMENT "EQUIHEAT_SHM=0;EQUIHEAT_CHECK=${arg_CHECK}")
endfunction()
