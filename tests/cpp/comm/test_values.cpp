// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <limits>
#include <random>

#include "base/error.hpp"
#include "support.hpp"

using namespace eh;
using namespace eh::test;

namespace {

template <typename T>
double as_double(T value) {
  if constexpr (sizeof(T) == 2)
    return static_cast<double>(static_cast<float>(value));
  else
    return static_cast<double>(value);
}

template <typename T>
T real(double value) {
  if constexpr (sizeof(T) == 2)
    return T(static_cast<float>(value));
  else
    return static_cast<T>(value);
}

}  // namespace

TEST_CASE_TEMPLATE("min and max give NaN wherever a rank has one", T, Float16, BFloat16, float, double) {
  const auto& comm = world();
  // Column i has its NaN on rank i; the last column has none.
  const std::int64_t n = comm.size() + 1;
  Array<T> send(n), low(n), high(n), running(n);
  for (std::int64_t i = 0; i < n; ++i) {
    send[i] = real<T>(i == comm.rank() ? std::numeric_limits<double>::quiet_NaN() : comm.rank() - 1.0);
  }
  comm.allreduce(send.buffer(), low.buffer(), ReduceOp::Min);
  comm.allreduce(send.buffer(), high.buffer(), ReduceOp::Max);
  comm.scan(send.buffer(), running.buffer(), ReduceOp::Max);
  for (std::int64_t i = 0; i + 1 < n; ++i) {
    CHECK(std::isnan(as_double(low[i])));
    CHECK(std::isnan(as_double(high[i])));
    CHECK(std::isnan(as_double(running[i])) == (i <= comm.rank()));
  }
  CHECK(as_double(low[n - 1]) == -1.0);
  CHECK(as_double(high[n - 1]) == comm.size() - 2.0);
}

TEST_CASE_TEMPLATE("infinities are ordinary values of min and max", T, Float16, BFloat16, float, double) {
  const auto& comm = world();
  const double inf = std::numeric_limits<double>::infinity();
  Array<T> send(2), low(2), high(2);
  send[0] = real<T>(comm.rank() == 0 ? inf : 1.0);
  send[1] = real<T>(comm.rank() == 0 ? -inf : 1.0);
  comm.allreduce(send.buffer(), low.buffer(), ReduceOp::Min);
  comm.allreduce(send.buffer(), high.buffer(), ReduceOp::Max);
  CHECK(as_double(low[0]) == (comm.size() == 1 ? inf : 1.0));
  CHECK(as_double(low[1]) == -inf);
  CHECK(as_double(high[0]) == inf);
  CHECK(as_double(high[1]) == (comm.size() == 1 ? -inf : 1.0));
}

TEST_CASE_TEMPLATE("half-precision sums agree with float32 to a rounding per rank", T, Float16, BFloat16) {
  const auto& comm = world();
  const std::int64_t n = 500;
  std::mt19937 random(static_cast<unsigned>(comm.rank()) + 1);
  std::normal_distribution<float> normal;
  Array<T> send(n), recv(n);
  Array<float> exact(n), magnitude(n), exact_sum(n), magnitude_sum(n);
  for (std::int64_t i = 0; i < n; ++i) {
    send[i] = T(normal(random));
    exact[i] = static_cast<float>(send[i]);
    magnitude[i] = std::abs(exact[i]);
  }
  comm.allreduce(send.buffer(), recv.buffer(), ReduceOp::Sum);
  comm.allreduce(exact.buffer(), exact_sum.buffer(), ReduceOp::Sum);
  comm.allreduce(magnitude.buffer(), magnitude_sum.buffer(), ReduceOp::Sum);
  const float epsilon = std::is_same_v<T, Float16> ? 0x1p-11f : 0x1p-8f;
  for (std::int64_t i = 0; i < n; ++i) {
    const float bound = epsilon * magnitude_sum[i] * static_cast<float>(comm.size());
    CHECK(std::abs(static_cast<float>(recv[i]) - exact_sum[i]) <= bound);
  }
}

TEST_CASE("every float16 survives the way to float and back") {
  int wrong = 0;
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    Float16 half;
    half.bits = static_cast<std::uint16_t>(bits);
    const auto value = static_cast<float>(half);
    const bool kept =
        std::isnan(value) ? std::isnan(static_cast<float>(Float16(value))) : Float16(value).bits == bits;
    wrong += kept ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("conversions to 16 bits round to nearest even") {
  CHECK(static_cast<float>(Float16(65504.f)) == 65504.f);
  CHECK(static_cast<float>(Float16(65519.996f)) == 65504.f);
  CHECK(std::isinf(static_cast<float>(Float16(65520.f))));
  CHECK(static_cast<float>(Float16(1.f + 0x1p-11f)) == 1.f);
  CHECK(static_cast<float>(Float16(1.f + 3 * 0x1p-11f)) == 1.f + 0x1p-9f);
  CHECK(static_cast<float>(Float16(0x1p-24f)) == 0x1p-24f);
  CHECK(static_cast<float>(Float16(0x1p-25f)) == 0.f);
  CHECK(static_cast<float>(Float16(0x1.8p-25f)) == 0x1p-24f);
  CHECK(static_cast<float>(Float16(-0x1.ff8p-15f)) == -0x1.ff8p-15f);
  CHECK(Float16(-0.f).bits == 0x8000u);
  CHECK(static_cast<float>(BFloat16(1.f + 0x1p-8f)) == 1.f);
  CHECK(static_cast<float>(BFloat16(1.f + 3 * 0x1p-8f)) == 1.f + 0x1p-6f);
  CHECK(std::isinf(static_cast<float>(BFloat16(std::numeric_limits<float>::max()))));
  CHECK(std::isnan(static_cast<float>(BFloat16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST_CASE_TEMPLATE("op(identity, x) is x", T, EH_TEST_TYPES) {
  for (const ReduceOp op : ops_of<T>()) {
    CAPTURE(name_of(op));
    Array<T> identity(3);
    fill_identity(identity.buffer(), op);
    // Logical operations give truth values; these are their own truth.
    for (const int value : {0, 1}) CHECK(same(reduce_two(op, identity[2], make<T>(value)), make<T>(value)));
  }
}

TEST_CASE("identities of min and max are the ends of the type") {
  Array<float> real(1);
  fill_identity(real.buffer(), ReduceOp::Min);
  CHECK(real[0] == std::numeric_limits<float>::infinity());
  Array<std::int8_t> integer(1);
  fill_identity(integer.buffer(), ReduceOp::Max);
  CHECK(integer[0] == -128);
  Array<BFloat16> half(1);
  fill_identity(half.buffer(), ReduceOp::Max);
  CHECK(half[0].bits == 0xff80u);
  CHECK_THROWS_AS(fill_identity(half.buffer(), ReduceOp::BitAnd), TypeError);
}
