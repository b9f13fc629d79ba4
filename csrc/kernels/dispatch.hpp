// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/// Loops compiled once for the baseline and once for AVX2, chosen at run time. Without contraction to fused
/// multiply-adds (set in CMakeLists.txt) both give the same bits.
namespace eh::kernels {

#ifndef EH_INLINE
#define EH_INLINE inline __attribute__((always_inline))
#endif

#if defined(__x86_64__) && defined(__GNUC__)
/// Calls Loop::run, whose functions must all be EH_INLINE to become part of either version.
template <typename Loop, typename... Args>
__attribute__((target("avx2"), noinline)) void run_avx2(Args... args) {
  Loop::run(args...);
}
inline bool has_avx2() {
  static const bool value = __builtin_cpu_supports("avx2") != 0;
  return value;
}
#endif

template <typename Loop, typename... Args>
__attribute__((noinline)) void run_baseline(Args... args) {
  Loop::run(args...);
}

template <typename Loop, typename... Args>
void dispatch(Args... args) {
#if defined(__x86_64__) && defined(__GNUC__)
  if (has_avx2()) return run_avx2<Loop>(args...);
#endif
  run_baseline<Loop>(args...);
}

}  // namespace eh::kernels
