// SPDX-License-Identifier: BSD-3-Clause
#include "interop/reduction.hpp"

#include "array/tensor_comm.hpp"
#include "base/error.hpp"

namespace eh {
namespace {

ReduceOp operation_of(const c10d::ReduceOp& asked, const char* fn) {
  switch (asked.op_) {
    case c10d::ReduceOp::SUM:
    case c10d::ReduceOp::AVG:
    case c10d::ReduceOp::PREMUL_SUM:
      return ReduceOp::Sum;
    case c10d::ReduceOp::PRODUCT:
      return ReduceOp::Prod;
    case c10d::ReduceOp::MIN:
      return ReduceOp::Min;
    case c10d::ReduceOp::MAX:
      return ReduceOp::Max;
    case c10d::ReduceOp::BAND:
      return ReduceOp::BitAnd;
    case c10d::ReduceOp::BOR:
      return ReduceOp::BitOr;
    case c10d::ReduceOp::BXOR:
      return ReduceOp::BitXor;
    default:
      throw NotSupported(
          message(fn, ": torch's reduction number ", static_cast<int>(asked.op_),
                  " is unknown; use SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR or PREMUL_SUM"));
  }
}

}  // namespace

Reduction::Reduction(const c10d::ReduceOp& asked, at::ScalarType type, const char* fn)
    : op(operation_of(asked, fn)), is_mean(asked.op_ == c10d::ReduceOp::AVG) {
  const DType dtype = dtype_of(type);
  EH_CHECK(is_defined(op, dtype), TypeError, fn, ": ", name_of(op), " is not defined for ", name_of(dtype));
  const bool scales = is_mean || asked.op_ == c10d::ReduceOp::PREMUL_SUM;
  EH_CHECK(!scales || at::isFloatingType(type) || at::isComplexType(type), TypeError, fn, ": ",
           is_mean ? "AVG" : "PREMUL_SUM", " of ", name_of(dtype),
           " would have to round; use SUM and divide, or a floating type");
  if (asked.op_ == c10d::ReduceOp::PREMUL_SUM) {
    const auto* scale = dynamic_cast<const c10d::PreMulSumSupplement*>(asked.supplement_.get());
    EH_CHECK(scale != nullptr, ValueError, fn, ": PREMUL_SUM came without its factor");
    factor_tensor = scale->tensor_factor;
    factor = scale->double_factor;
  }
}

void Reduction::prepare(const at::Tensor& x) const {
  if (factor_tensor.defined())
    x.mul_(factor_tensor);
  else if (factor != 1)
    x.mul_(factor);
}

void Reduction::complete(const at::Tensor& x, int ranks) const {
  if (is_mean) x.div_(ranks);
}

}  // namespace eh
