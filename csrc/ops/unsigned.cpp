// SPDX-License-Identifier: BSD-3-Clause
#include "ops/unsigned.hpp"

#include <ATen/core/Tensor.h>

#include <limits>
#include <numeric>
#include <string_view>

namespace eh {
namespace {

constexpr std::int64_t kTop = std::numeric_limits<std::int64_t>::min();

at::Tensor unchanged(const at::Tensor& x) { return x.clone(); }
at::Tensor is_positive(const at::Tensor& x) { return x.ne(0).to(at::kLong); }
at::Tensor never(const at::Tensor& x) { return x.ne(x); }

at::Tensor less(const at::Tensor& a, const at::Tensor& b) { return to_ordered(a).lt(to_ordered(b)); }
at::Tensor less_equal(const at::Tensor& a, const at::Tensor& b) { return to_ordered(a).le(to_ordered(b)); }
at::Tensor greater(const at::Tensor& a, const at::Tensor& b) { return less(b, a); }
at::Tensor greater_equal(const at::Tensor& a, const at::Tensor& b) { return less_equal(b, a); }
at::Tensor least(const at::Tensor& a, const at::Tensor& b) { return a.where(less(a, b), b); }
at::Tensor greatest(const at::Tensor& a, const at::Tensor& b) { return a.where(less(b, a), b); }

/// x >> bits with zeros moving in; 0 from 64 bits on.
at::Tensor shifted(const at::Tensor& x, const at::Tensor& bits) {
  const at::Tensor far = to_ordered(bits).ge(64 + kTop);  // 64 and above, unsigned
  const at::Tensor by = bits.masked_fill(far, 0);
  // All bits after the first shift of one are below the sign bit.
  const at::Tensor once = x.bitwise_right_shift(1).bitwise_and(~kTop);
  const at::Tensor rest = once.bitwise_right_shift(by.sub(1).clamp_min(0));
  return x.where(by.eq(0), rest).masked_fill(far, 0);
}

/// Quotient of halves, doubled, is at most one too small (Warren, Hacker's Delight, 9-3). 0 for a divisor of 0.
at::Tensor quotient(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor large = b.lt(0);  // 2^63 and above: the quotient is 0 or 1
  const at::Tensor divisor = b.masked_fill(b.le(0), 1);
  const at::Tensor half = a.bitwise_right_shift(1).bitwise_and(~kTop);
  const at::Tensor below = half.div(divisor, "floor").mul(2);
  const at::Tensor one_more = less_equal(divisor, a.sub(below.mul(divisor)));
  const at::Tensor ratio = below.add(one_more.to(at::kLong));
  return less_equal(b, a).to(at::kLong).where(large, ratio).masked_fill(b.eq(0), 0);
}

at::Tensor rest(const at::Tensor& a, const at::Tensor& b) {
  return a.sub(quotient(a, b).mul(b)).masked_fill(b.eq(0), 0);
}

/// Modulo 2^64 an odd number to the power of 2^63 is 1, an even one 0; the rest of the exponent is positive as int64.
at::Tensor power(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor gone = b.lt(0).logical_and(a.bitwise_and(1).eq(0));
  return a.pow(b.bitwise_and(~kTop)).masked_fill(gone, 0);
}

/// One pair after the other, on the host.
template <typename F>
at::Tensor pairwise(const at::Tensor& a, const at::Tensor& b, const F& combine) {
  const at::Tensor left = a.add(b.mul(0)).cpu().contiguous();
  const at::Tensor right = b.add(a.mul(0)).cpu().contiguous();
  const at::Tensor out = left.clone();
  const auto* x = left.const_data_ptr<std::int64_t>();
  const auto* y = right.const_data_ptr<std::int64_t>();
  auto* result = out.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    result[i] = static_cast<std::int64_t>(
        combine(static_cast<std::uint64_t>(x[i]), static_cast<std::uint64_t>(y[i])));
  }
  return out.to(a.device());
}

at::Tensor common_divisor(const at::Tensor& a, const at::Tensor& b) {
  return pairwise(a, b, [](std::uint64_t x, std::uint64_t y) { return std::gcd(x, y); });
}
at::Tensor common_multiple(const at::Tensor& a, const at::Tensor& b) {
  return pairwise(a, b, [](std::uint64_t x, std::uint64_t y) {
    return x == 0 || y == 0 ? std::uint64_t{0} : x / std::gcd(x, y) * y;
  });
}

struct NamedUnary {
  std::string_view name;
  UnaryKernel kernel;
};
constexpr NamedUnary kUnsignedUnary[] = {{"absolute", unchanged}, {"sign", is_positive}, {"signbit", never}};

struct NamedBinary {
  std::string_view name;
  BinaryKernel kernel;
};
constexpr NamedBinary kBinary[] = {
    {"floor_divide", quotient}, {"fmax", greatest},    {"fmin", least},          {"fmod", rest},
    {"gcd", common_divisor},    {"ge", greater_equal}, {"gt", greater},          {"lcm", common_multiple},
    {"le", less_equal},         {"lt", less},          {"maximum", greatest},    {"minimum", least},
    {"power", power},           {"remainder", rest},   {"right_shift", shifted},
};

/// The signed type of the same width; others unchanged.
at::ScalarType signed_type(at::ScalarType type) {
  switch (type) {
    case at::ScalarType::UInt16:
      return at::ScalarType::Short;
    case at::ScalarType::UInt32:
      return at::ScalarType::Int;
    case at::ScalarType::UInt64:
      return at::ScalarType::Long;
    default:
      return type;
  }
}

}  // namespace

UnaryKernel unsigned_kernel(const UnaryOp& op, at::ScalarType type) {
  if (type != at::ScalarType::UInt64) return nullptr;
  for (const auto& [name, kernel] : kUnsignedUnary) {
    if (name == op.name) return kernel;
  }
  return nullptr;
}

BinaryKernel unsigned_kernel(const BinaryOp& op, at::ScalarType type) {
  // Smaller numbers are positive as int64, too; only their common multiples are not.
  const bool multiple = type == at::ScalarType::UInt32 && std::string_view(op.name) == "lcm";
  if (type != at::ScalarType::UInt64 && !multiple) return nullptr;
  for (const auto& [name, kernel] : kBinary) {
    if (name == op.name) return kernel;
  }
  return nullptr;
}

bool is_uint64_beside_signed(at::ScalarType a, at::ScalarType b) {
  const at::ScalarType other = a == at::ScalarType::UInt64 ? b : a;
  const bool has_signed = at::isIntegralType(other, /*includeBool=*/false) && at::isSignedType(other);
  return (a == at::ScalarType::UInt64 || b == at::ScalarType::UInt64) && has_signed;
}

at::Tensor compare_with_uint64(const BinaryOp& op, const at::Tensor& a, const at::Tensor& b) {
  const bool first = a.scalar_type() == at::ScalarType::UInt64;
  const at::Tensor x = a.to(at::kLong);
  const at::Tensor y = b.to(at::kLong);
  const at::Tensor large = (first ? x : y).lt(0);  // 2^63 and above: greater than whatever is signed
  const at::Tensor zero = x.new_zeros({});
  const at::Tensor decided = first ? op.local(zero.add(1), zero) : op.local(zero, zero.add(1));
  return decided.where(large, op.local(x, y));
}

at::Tensor to_ordered(const at::Tensor& x) { return x.bitwise_xor(kTop); }
at::Tensor from_ordered(const at::Tensor& ordered) { return ordered.bitwise_xor(kTop); }

DNDarray as_signed(const DNDarray& x) { return with_type(x, signed_type(x.local().scalar_type())); }

DNDarray with_type(const DNDarray& x, at::ScalarType type) {
  return x.local().scalar_type() == type ? x : x.with_local(x.local().view(type));
}

}  // namespace eh
