// SPDX-License-Identifier: BSD-3-Clause
#include "nn/fused_problem.hpp"

#include <ATen/ops/empty_ops.h>
#include <ATen/ops/sum_ops.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <string>

namespace eh::nn {
namespace {

using kernels::Arithmetic;
using kernels::Element;

Element element_of(at::ScalarType dtype) {
  switch (dtype) {
    case at::kBFloat16:
      return Element::bf16;
    case at::kDouble:
      return Element::f64;
    case at::kByte:
      return Element::u8;
    case at::kHalf:
      return Element::f16;
    default:
      return Element::f32;
  }
}

Arithmetic arithmetic_of(const char* name, const at::Tensor& query, std::string_view wanted) {
  if (query.scalar_type() == at::kDouble) return Arithmetic::f64;
  if (wanted == "float32") return Arithmetic::f32;
  if (wanted == "bfloat16") return Arithmetic::bf16;
  if (wanted == "float16" && query.is_cuda()) return Arithmetic::f16;
  TORCH_CHECK_VALUE(wanted.empty(), name, ": arithmetic is '", std::string(wanted),
                    "'; expected 'float32', 'bfloat16' or '' (on GPUs 'float16' too)");
  if (query.scalar_type() == at::kHalf) return Arithmetic::f16;
  return query.scalar_type() == at::kBFloat16 ? Arithmetic::bf16 : Arithmetic::f32;
}

}  // namespace

at::Tensor empty(at::IntArrayRef shape, at::ScalarType dtype, c10::Device device) {
  return at::_ops::empty_memory_format::call(c10::fromIntArrayRefSlow(shape), dtype, at::kStrided, device,
                                             false, std::nullopt);
}

Operands::Operands(const char* name, const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                   std::int64_t heads, double scale, std::string_view arithmetic)
    : name_(name), device_(query.device()), arithmetic_(arithmetic_of(name, query, arithmetic)) {
  check_kind("query", query);
  TORCH_CHECK_VALUE(query.dim() == 3, name, ": query has shape ", query.sizes(), "; expected 3 axes");
  TORCH_CHECK_VALUE(key.dim() == 3, name, ": key has shape ", key.sizes(), "; expected 3 axes");
  p_.images = query.size(0), p_.queries = query.size(1), p_.width = query.size(2), p_.keys = key.size(1);
  check_shape("key", key, {p_.images, p_.keys, p_.width});
  check_shape("value", value, {p_.images, p_.keys, p_.width});
  TORCH_CHECK_VALUE(p_.keys > 0, name, ": key has shape ", key.sizes(),
                    "; expected at least one key per image");
  TORCH_CHECK_VALUE(heads >= 1 && p_.width % heads == 0 && p_.width > 0, name, ": num_heads is ", heads,
                    "; it must divide the width ", p_.width, " of query");
  p_.heads = heads;
  p_.scale = scale;
  p_.query = tokens(query), p_.key = tokens(key), p_.value = tokens(value);
}

at::ScalarType Operands::real() const { return arithmetic_ == Arithmetic::f64 ? at::kDouble : at::kFloat; }

void Operands::check_kind(const char* argument, const at::Tensor& x) const {
  const at::ScalarType dtype = x.scalar_type();
  const at::ScalarType third = device_.is_cuda() ? at::kHalf : at::kDouble;
  TORCH_CHECK_TYPE(dtype == at::kFloat || dtype == at::kBFloat16 || dtype == third, name_, ": ", argument,
                   " has dtype ", dtype, "; expected float32, bfloat16 or ", third, " on ", device_);
  TORCH_CHECK_VALUE(x.device() == device_ && x.layout() == at::kStrided, name_, ": ", argument, " is on ",
                    x.device(), " but query is on ", device_, "; expected one device, and dense tensors");
}

void Operands::check_shape(const char* argument, const at::Tensor& x, at::IntArrayRef expected) const {
  check_kind(argument, x);
  TORCH_CHECK_VALUE(x.sizes() == expected, name_, ": ", argument, " has shape ", x.sizes(), "; expected ",
                    expected);
}

at::Tensor Operands::readable(const at::Tensor& x) {
  const at::ScalarType dtype = x.scalar_type();
  const bool read = arithmetic_ == Arithmetic::f64 ? dtype == at::kDouble : dtype != at::kDouble;
  held_.push_back(read ? x : x.to(real()));
  const std::int64_t last = x.dim() - 1;
  if (x.size(last) > 1 && held_.back().stride(last) != 1) held_.back() = held_.back().contiguous();
  return held_.back();
}

kernels::Tokens Operands::tokens(const at::Tensor& x) {
  const at::Tensor r = readable(x);
  const bool images = r.dim() == 3;
  return {r.const_data_ptr(), element_of(r.scalar_type()), images ? r.stride(0) : 0,
          r.dim() > 1 ? r.stride(r.dim() - 2) : 0};
}

kernels::TokensOut Operands::tokens_out(const at::Tensor& x) {
  return {x.data_ptr(), element_of(x.scalar_type()), x.stride(0), x.stride(1)};
}

// ------------------------------------------------------------------ the loss

Problem::Problem(const ReconstructionInputs& inputs, const ReconstructionOptions& options)
    : Operands(kLossName, inputs.query, inputs.key, inputs.value, options.heads, options.scale,
               options.arithmetic),
      inputs_(inputs),
      options_(options) {
  TORCH_CHECK_VALUE(inputs.weight.dim() == 2, name_, ": weight has shape ", inputs.weight.sizes(),
                    "; expected 2 axes");
  p_.pixels = inputs.weight.size(0);
  TORCH_CHECK_VALUE(p_.pixels > 0, name_, ": weight has shape ", inputs.weight.sizes(),
                    "; expected some pixels");
  check_shape("weight", inputs.weight, {p_.pixels, p_.width});
  p_.weight = tokens(inputs.weight);
  if (inputs.bias) {
    check_shape("bias", *inputs.bias, {p_.pixels});
    p_.bias = tokens(*inputs.bias);
  }
  if (inputs.residual) {
    check_shape("residual", *inputs.residual, {p_.images, p_.queries, p_.width});
    p_.residual = tokens(*inputs.residual);
  }
  set_target();
  set_mask();
}

void Problem::set_target() {
  const at::Tensor& target = inputs_.target;
  p_.target.normalize_patches = options_.normalize_patches;
  TORCH_CHECK_VALUE(!options_.normalize_patches || p_.pixels > 1, name_,
                    ": normalize_patches needs patches of more than one value");
  if (!options_.grid.empty()) return set_image(target);
  check_shape("target", target, {p_.images, p_.queries, p_.pixels});
  const kernels::Tokens rows = tokens(target);
  p_.target.data = rows.data, p_.target.element = rows.element;
  p_.target.image = rows.image, p_.target.row = rows.row;
}

void Problem::set_image(const at::Tensor& target) {
  TORCH_CHECK_VALUE(options_.grid.size() == 2 && options_.grid[0] > 0 && options_.grid[1] > 0, name_,
                    ": grid is ", options_.grid, "; expected two positive numbers");
  const std::int64_t rows = options_.grid[0], columns = options_.grid[1];
  TORCH_CHECK_VALUE(rows * columns == p_.queries, name_, ": grid ", options_.grid, " has not the ",
                    p_.queries, " cells of query");
  TORCH_CHECK_VALUE(target.dim() == 4 && target.size(0) == p_.images, name_, ": target has shape ",
                    target.sizes(), "; expected images (", p_.images, ", channels, height, width)");
  const std::int64_t channels = target.size(1), height = target.size(2), width = target.size(3);
  TORCH_CHECK_VALUE(
      height % rows == 0 && width % columns == 0 && channels * height * width == p_.queries * p_.pixels,
      name_, ": target has shape ", target.sizes(), "; it does not divide into a grid of ", rows, " x ",
      columns, " patches of ", p_.pixels, " values");
  const auto count = static_cast<std::size_t>(channels);
  TORCH_CHECK_VALUE(options_.factor.size() == count && options_.offset.size() == count, name_,
                    ": factor and offset have ", options_.factor.size(), " and ", options_.offset.size(),
                    " entries; expected one per channel, ", channels);
  const at::ScalarType dtype = target.scalar_type();
  if (dtype != at::kByte) check_kind("target", target);
  const bool wide = arithmetic_ == Arithmetic::f64;
  held_.push_back(dtype == at::kByte || wide == (dtype == at::kDouble) ? target : target.to(real()));
  const at::Tensor& image = held_.back();
  p_.target.data = image.const_data_ptr();
  p_.target.element = element_of(image.scalar_type());
  p_.target.is_image = true;
  p_.target.image = image.stride(0), p_.target.channel = image.stride(1);
  p_.target.line = image.stride(2), p_.target.pixel = image.stride(3);
  p_.target.columns = columns, p_.target.channels = channels;
  p_.target.patch_height = height / rows, p_.target.patch_width = width / columns;
  p_.target.factor = where_read(options_.factor), p_.target.offset = where_read(options_.offset);
}

const double* Problem::where_read(at::ArrayRef<double> numbers) {
  if (device_.is_cpu()) return numbers.data();
  const at::Tensor here = empty({static_cast<std::int64_t>(numbers.size())}, at::kDouble, at::kCPU);
  std::copy(numbers.begin(), numbers.end(), here.mutable_data_ptr<double>());
  held_.push_back(here.to(device_));
  return held_.back().const_data_ptr<double>();
}

void Problem::set_mask() {
  double counted = static_cast<double>(p_.images * p_.queries);
  if (inputs_.mask) {
    const at::Tensor& mask = *inputs_.mask;
    TORCH_CHECK_TYPE(mask.scalar_type() == at::kBool, name_, ": mask has dtype ", mask.scalar_type(),
                     "; expected bool");
    const bool fits = mask.device() == device_ && mask.sizes() == at::IntArrayRef({p_.images, p_.queries});
    TORCH_CHECK_VALUE(fits, name_, ": mask has shape ", mask.sizes(), " on ", mask.device(), "; expected (",
                      p_.images, ", ", p_.queries, ") on ", device_);
    held_.push_back(mask.contiguous());
    p_.mask = static_cast<const std::uint8_t*>(held_.back().const_data_ptr());
    if (device_.is_cuda()) {
      held_.push_back(at::_ops::sum::call(mask, std::nullopt));  // int64; the GPU need not be waited for
      p_.counted = held_.back().const_data_ptr<std::int64_t>();
      return;
    }
    counted = 0;
    for (std::int64_t i = 0; i < p_.images * p_.queries; ++i) counted += p_.mask[i] != 0;
  }
  per_element_ = counted > 0 ? 1 / (counted * static_cast<double>(p_.pixels)) : 0;
  p_.factor = 2 * per_element_;
}

ReconstructionOutputs Problem::outputs(const Needs& needs) {
  ReconstructionOutputs out;
  const auto like = [&](const at::Tensor& x, bool wanted) {
    return empty(wanted ? x.sizes() : at::IntArrayRef({0}), dtype_of_gradient(x.scalar_type()), device_);
  };
  const auto point = [&](int i, const at::Tensor& x, kernels::TokensOut& to) {
    const auto at = static_cast<std::size_t>(i);
    out.gradients[at] = like(x, needs[at]);
    if (needs[at]) to = tokens_out(out.gradients[at]);
  };
  point(0, inputs_.query, p_.query_gradient);
  point(1, inputs_.key, p_.key_gradient);
  point(2, inputs_.value, p_.value_gradient);
  point(5, inputs_.residual.value_or(inputs_.query), p_.residual_gradient);
  out.gradients[3] = like(inputs_.weight, false);
  out.gradients[4] = like(inputs_.weight, false);
  for (const bool need : needs) p_.gradients |= need;
  out.prediction = empty(
      options_.return_prediction ? at::IntArrayRef({p_.images, p_.queries, p_.pixels}) : at::IntArrayRef({0}),
      inputs_.query.scalar_type(), device_);
  if (options_.return_prediction) p_.prediction = tokens_out(out.prediction);
  return out;
}

// ------------------------------------------------------------------ attention alone

AttentionProblem::AttentionProblem(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                                   const AttentionOptions& options)
    : Operands(kAttentionName, query, key, value, options.heads, options.scale, options.arithmetic),
      query_(query),
      key_(key),
      value_(value) {
  p_.attention_only = true;
}

at::Tensor AttentionProblem::forward() {
  at::Tensor mixed = empty(query_.sizes(), query_.scalar_type(), device_);
  p_.mixed = tokens_out(mixed);
  return mixed;
}

std::array<at::Tensor, 3> AttentionProblem::backward(const at::Tensor& gradient,
                                                     const std::array<bool, 3>& needs) {
  check_shape("gradient", gradient, query_.sizes());
  p_.mixed_gradient = tokens(gradient);
  p_.gradients = true;
  std::array<at::Tensor, 3> out;
  const at::Tensor* inputs[3] = {&query_, &key_, &value_};
  kernels::TokensOut* places[3] = {&p_.query_gradient, &p_.key_gradient, &p_.value_gradient};
  for (std::size_t i = 0; i < 3; ++i) {
    out[i] = empty(needs[i] ? inputs[i]->sizes() : at::IntArrayRef({0}), inputs[i]->scalar_type(), device_);
    if (needs[i]) *places[i] = tokens_out(out[i]);
  }
  return out;
}

}  // namespace eh::nn
