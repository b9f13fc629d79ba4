// SPDX-License-Identifier: BSD-3-Clause
#include "array/random.hpp"

#include "array/tensor_comm.hpp"
#include "base/error.hpp"

namespace eh {
namespace {

/// Where the block of this rank lies in the flattened array.
kernels::Runs runs_of(const Layout& layout, int rank) {
  const std::int64_t size = layout.size();
  if (!layout.is_split()) return {0, size, size, 1};
  const auto split = static_cast<std::size_t>(layout.split());
  std::int64_t outer = 1;
  std::int64_t inner = 1;
  for (std::size_t axis = 0; axis < layout.gshape().size(); ++axis)
    (axis < split ? outer : inner) *= axis == split ? 1 : layout.gshape()[axis];
  return {layout.offset(rank) * inner, layout.count(rank) * inner, layout.gshape()[split] * inner, outer};
}

/// An array in T on the host, which fill(runs, pointer) writes, then cast and moved.
template <typename T, typename Fill>
DNDarray filled(const NewArray& spec, const Fill& fill) {
  NewArray host = spec;
  host.dtype = c10::CppTypeToScalarType<T>::value;
  host.device = at::kCPU;
  const DNDarray x = empty(host);
  const int rank = spec.comm->rank();
  if (x.local().numel() > 0) fill(runs_of(x.layout(), rank), x.local().template mutable_data_ptr<T>());
  return x.with_local(x.local().to(spec.device, spec.dtype));
}

void check_real(const NewArray& spec, const char* fn) {
  EH_CHECK(at::isFloatingType(spec.dtype), TypeError, fn, ": dtype ", name_of(dtype_of(spec.dtype)),
           " is not a real floating-point type");
}

/// Significant bits of a type narrower than float.
int significant_bits(at::ScalarType dtype) {
  return dtype == at::kHalf ? 11 : dtype == at::kBFloat16 ? 8 : 24;
}

}  // namespace

DNDarray random_uniform(const NewArray& spec, PhiloxStream stream) {
  check_real(spec, "rand");
  if (spec.dtype == at::kDouble)
    return filled<double>(spec, [&](auto runs, double* out) { kernels::philox_uniform(stream, runs, out); });
  // As few bits as the type can hold: rounding could give 1.
  const int bits = significant_bits(spec.dtype);
  return filled<float>(spec,
                       [&](auto runs, float* out) { kernels::philox_uniform(stream, runs, out, bits); });
}

DNDarray random_normal(const NewArray& spec, PhiloxStream stream) {
  check_real(spec, "randn");
  if (spec.dtype == at::kDouble)
    return filled<double>(spec, [&](auto runs, double* out) { kernels::philox_normal(stream, runs, out); });
  return filled<float>(spec, [&](auto runs, float* out) { kernels::philox_normal(stream, runs, out); });
}

DNDarray random_integers(const NewArray& spec, PhiloxStream stream, std::int64_t low, std::uint64_t span) {
  const auto fill = [&](auto runs, auto* out) { kernels::philox_integers(stream, runs, low, span, out); };
  if (spec.dtype == at::kLong || kernels::philox_integer_bits(span) == 64)
    return filled<std::int64_t>(spec, fill);
  return filled<std::int32_t>(spec, fill);
}

DNDarray random_permutation(const NewArray& spec, const RandomPermutation& permutation) {
  return filled<std::int64_t>(
      spec, [&](auto runs, std::int64_t* out) { permutation.entries(runs.first, runs.length, out); });
}

std::uint64_t random_blocks(const Shape& shape, at::ScalarType dtype) {
  return kernels::philox_blocks(numel(shape), dtype == at::kDouble ? 64 : 32);
}

}  // namespace eh
