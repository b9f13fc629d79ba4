// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/assign_sums.hpp"
#include "kernels/pairwise_sweep.hpp"
#include "kernels/transpose_block.hpp"

/// `assign` for few centres: a register holds one feature of several rows, so that no lane is padding and none is
/// compared with its neighbours.
namespace eh::kernels {

/// More centres fill the lines of Panels well enough, and need not turn the rows.
inline constexpr std::int64_t kFewCentres = 48;

template <typename T, int Bytes, typename Step>
struct AssignFew {
  typedef T Value __attribute__((vector_size(Bytes), may_alias));
  typedef simd::Integer<T> Number __attribute__((vector_size(Bytes), may_alias));
  static constexpr int kLanes = Bytes / static_cast<int>(sizeof(T));
  static constexpr int kRegisters = static_cast<int>(sweep::kBlock) / kLanes;
  static constexpr int kGroup = std::min(kRegisters, 4);  ///< registers of rows at a time
  static constexpr int kCentres = 8 / kGroup;  ///< and centres: eight sums that do not wait for each other

  const AssignmentSums<T>& sums;
  const T* centres;
  const T* turned;

  /// Distances of a group of rows to C centres from number k on, and which of them are nearer than any before.
  template <int C>
  EH_SIMD_INLINE void compare(const T* rows, std::int64_t k, Value (&best)[kGroup],
                              Number (&label)[kGroup]) const {
    const std::int64_t features = sums.x.features;
    const T* centre = centres + k * features;
    Value sum[C][kGroup] = {};
    for (std::int64_t f = 0; f < features; ++f)
      for (int c = 0; c < C; ++c)
        for (int i = 0; i < kGroup; ++i)
          Step::add(sum[c][i], centre[c * features + f],
                    reinterpret_cast<const Value*>(rows + f * sweep::kBlock)[i]);
    for (int c = 0; c < C; ++c) {
      const T bias = sums.y.bias((k + c) / Panels<T>::kWidth)[(k + c) % Panels<T>::kWidth];
      const auto number = static_cast<simd::Integer<T>>(k + c);
      for (int i = 0; i < kGroup; ++i) {
        const Value d = std::is_same_v<Step, sweep::ProductStep> ? bias - 2 * sum[c][i] : sum[c][i] + bias;
        const auto nearer = d < best[i];
        best[i] = nearer ? d : best[i];
        label[i] = nearer ? Number{} + number : label[i];
      }
    }
  }

  EH_SIMD_INLINE void find(simd::Integer<T>* labels) const {
    for (int first = 0; first < kRegisters; first += kGroup) {
      Value best[kGroup];
      Number label[kGroup] = {};
      for (int i = 0; i < kGroup; ++i) best[i] = Value{} + std::numeric_limits<T>::infinity();
      const T* rows = turned + first * kLanes;
      std::int64_t k = 0;
      for (; k + kCentres <= sums.y.rows(); k += kCentres) compare<kCentres>(rows, k, best, label);
      for (; k < sums.y.rows(); ++k) compare<1>(rows, k, best, label);
      for (int i = 0; i < kGroup; ++i) reinterpret_cast<Number*>(labels)[first + i] = label[i];
    }
  }
};

template <typename Step, int Bytes, typename T>
EH_SIMD_INLINE void assign_few_with(const AssignmentSums<T>& sums, const T* centres, T* turned) {
  const AssignFew<T, Bytes, Step> few{sums, centres, turned};
  alignas(64) simd::Integer<T> labels[sweep::kBlock];
  const std::int64_t features = sums.x.features;
  for (std::int64_t first = 0; first < sums.x.rows; first += sweep::kBlock) {
    const std::int64_t n = std::min(sweep::kBlock, sums.x.rows - first);
    TransposeBlock<T, sweep::kBlock>::run(sums.x.data + first * features, n, features, sums.shift(), turned);
    few.find(labels);
    sums.add(first, n, labels);
  }
}

template <typename T>
void assign_few(const AssignmentSums<T>& sums, const T* centres) {
  std::vector<T> room(static_cast<std::size_t>(sweep::kBlock * sums.x.features) + 64 / sizeof(T));
  const auto past = reinterpret_cast<std::uintptr_t>(room.data()) % 64;
  T* const turned = room.data() + (past == 0 ? 0 : (64 - past) / sizeof(T));
  simd::run([&]<int Bytes, int R>() __attribute__((always_inline)) {
    switch (sums.y.metric()) {
      case Metric::Squared:
        return assign_few_with<sweep::SquaredStep, Bytes>(sums, centres, turned);
      case Metric::Manhattan:
        return assign_few_with<sweep::ManhattanStep, Bytes>(sums, centres, turned);
      case Metric::Expanded:
        return assign_few_with<sweep::ProductStep, Bytes>(sums, centres, turned);
    }
  });
}

}  // namespace eh::kernels
