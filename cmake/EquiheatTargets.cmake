# SPDX-License-Identifier: BSD-3-Clause
# How a library of the core is declared: sources by folder, warnings, sanitizers.

# eh_sources(eh_core a.cpp b.cpp): the files of this folder that `target` is built from.
function(eh_sources target)
  foreach(file IN LISTS ARGN)
    set_property(GLOBAL APPEND PROPERTY ${target}_sources ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  endforeach()
endfunction()

# Warnings, assertions and sanitizers of our own code. Third-party headers are SYSTEM.
function(eh_options target)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual -Wundef>
    $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${EQUIHEAT_WERROR}>>:-Werror>)
  # Torch's checks print the file they stand in: from torch/ on, wherever the package was built.
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-fmacro-prefix-map=${EQUIHEAT_TORCH_DIR}/include/=>)
  if(EQUIHEAT_ASSERTS)
    target_compile_definitions(${target} PRIVATE EH_ASSERTS _GLIBCXX_ASSERTIONS)
  endif()
  if(EQUIHEAT_SANITIZE)
    list(JOIN EQUIHEAT_SANITIZE "," sanitizers)
    set(flags -fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${flags}>)
    target_link_options(${target} PUBLIC -fsanitize=${sanitizers})
  endif()
endfunction()

# A static library from what eh_sources() gathered. Without sources it carries its dependencies only.
function(eh_library target)
  get_property(sources GLOBAL PROPERTY ${target}_sources)
  if(sources)
    add_library(${target} STATIC ${sources})
    target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/csrc)
    target_link_libraries(${target} PUBLIC ${ARGN})
    eh_options(${target})
  else()
    message(STATUS "${target}: no sources yet")
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${PROJECT_SOURCE_DIR}/csrc)
    target_link_libraries(${target} INTERFACE ${ARGN})
  endif()
endfunction()
