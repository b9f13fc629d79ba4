# SPDX-License-Identifier: BSD-3-Clause
# torch::cpu, torch::python and, for a CUDA build of torch, torch::cuda: from the torch of the chosen
# interpreter. find_package(Torch) is not used: for CUDA builds it demands toolkit libraries nobody needs here.
# Sets EQUIHEAT_TORCH_VERSION, EQUIHEAT_TORCH_CUDA (CUDA version or empty), EQUIHEAT_TORCH_DIR, EQUIHEAT_TORCH_LIB.

execute_process(
  COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/find_torch.py
  OUTPUT_VARIABLE _torch OUTPUT_STRIP_TRAILING_WHITESPACE
  ERROR_VARIABLE _torch_error RESULT_VARIABLE _torch_status)
if(NOT _torch_status EQUAL 0)
  message(FATAL_ERROR "torch was not found by ${Python_EXECUTABLE}. Install it there (pip install torch), or "
    "point CMake to another interpreter with -DPython_EXECUTABLE=...\n${_torch_error}")
endif()
list(GET _torch 0 _torch_dir)
list(GET _torch 1 EQUIHEAT_TORCH_VERSION)
list(GET _torch 2 EQUIHEAT_TORCH_CUDA)
if(EQUIHEAT_TORCH_CUDA STREQUAL "none")
  set(EQUIHEAT_TORCH_CUDA "")
endif()
set(EQUIHEAT_TORCH_DIR ${_torch_dir})
set(EQUIHEAT_TORCH_LIB ${_torch_dir}/lib)
if(EQUIHEAT_TORCH_VERSION VERSION_LESS 2.11)
  message(FATAL_ERROR "torch ${EQUIHEAT_TORCH_VERSION} at ${_torch_dir} is too old: equiheat needs 2.11 or newer")
endif()
message(STATUS "torch ${EQUIHEAT_TORCH_VERSION} (CUDA: ${EQUIHEAT_TORCH_CUDA}) at ${_torch_dir}")

function(_eh_torch_target name)
  add_library(torch::${name} INTERFACE IMPORTED)
  target_include_directories(torch::${name} SYSTEM INTERFACE
    ${_torch_dir}/include ${_torch_dir}/include/torch/csrc/api/include)
  foreach(lib IN LISTS ARGN)
    find_library(_torch_${lib} ${lib} PATHS ${EQUIHEAT_TORCH_LIB} NO_DEFAULT_PATH NO_CACHE REQUIRED)
    target_link_libraries(torch::${name} INTERFACE ${_torch_${lib}})
  endforeach()
endfunction()

_eh_torch_target(cpu c10 torch torch_cpu)
_eh_torch_target(python torch_python)
if(EQUIHEAT_TORCH_CUDA)
  _eh_torch_target(cuda c10_cuda torch_cuda)
endif()
