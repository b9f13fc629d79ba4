// SPDX-License-Identifier: BSD-3-Clause
#include "array/autograd.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include "array/movers.hpp"
#include "array/tensor_comm.hpp"
#include "base/error.hpp"

namespace eh {
namespace {

bool has_tangent(const at::Tensor& tensor) { return tensor._fw_grad(/*level=*/0).defined(); }

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

/// What a backward needs beside tensors: any C++ value, kept alive by the graph.
template <typename Plan>
struct PlanHolder : torch::CustomClassHolder {
  explicit PlanHolder(Plan value) : plan(std::move(value)) {}
  Plan plan;
};

template <typename Plan>
void keep(AutogradContext* ctx, Plan plan) {
  ctx->saved_data["plan"] = c10::IValue::make_capsule(c10::make_intrusive<PlanHolder<Plan>>(std::move(plan)));
}

template <typename Plan>
const Plan& kept(AutogradContext* ctx) {
  return static_cast<PlanHolder<Plan>&>(*ctx->saved_data["plan"].toCapsule()).plan;
}

// A backward uses the gradient of a replicated result beside own blocks: it enters there, for the gradient's gradient.

struct SumPartials : torch::autograd::Function<SumPartials> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& partial, const CommPtr& comm) {
    keep(ctx, comm);
    return allreduce(partial, ReduceOp::Sum, *comm);
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grad) {
    return {enter_partial(grad[0], kept<CommPtr>(ctx)), at::Tensor()};
  }
};

struct EnterPartial : torch::autograd::Function<EnterPartial> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& replicated, const CommPtr& comm) {
    keep(ctx, comm);
    return replicated.view_as(replicated);
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grad) {
    return {sum_partials(grad[0], kept<CommPtr>(ctx)), at::Tensor()};
  }
};

struct ExtremePartials : torch::autograd::Function<ExtremePartials> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& partial, int op, const CommPtr& comm) {
    keep(ctx, comm);
    at::Tensor extreme = allreduce(partial, static_cast<ReduceOp>(op), *comm);
    // NaN attains a NaN extreme.
    const at::Tensor attains = partial.eq(extreme).logical_or_(partial.ne(partial)).to(partial.scalar_type());
    ctx->save_for_backward({attains.div(allreduce(attains, ReduceOp::Sum, *comm))});
    return extreme;
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grad) {
    const at::Tensor entered = enter_partial(grad[0], kept<CommPtr>(ctx));
    return {entered.mul(ctx->get_saved_variables()[0]), at::Tensor(), at::Tensor()};
  }
};

struct StackPartials : torch::autograd::Function<StackPartials> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& partial, const CommPtr& comm) {
    keep(ctx, comm);
    return allgather(partial.unsqueeze(0), 0, Counts(static_cast<std::size_t>(comm->size()), 1), *comm);
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grad) {
    const CommPtr& comm = kept<CommPtr>(ctx);
    return {enter_partial(grad[0], comm).select(0, comm->rank()), at::Tensor()};
  }
};

struct RowPlan {
  int axis;
  std::vector<std::int64_t> from;
  std::vector<std::int64_t> to;
  std::vector<Move> moves;
  bool reverse;
  CommPtr comm;
};
using RowPlanPtr = std::shared_ptr<const RowPlan>;

at::Tensor run_row_plan(const at::Tensor& local, RowPlan plan);

struct MoveRows : torch::autograd::Function<MoveRows> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& local, const RowPlanPtr& plan) {
    keep(ctx, plan);
    return movers::move_rows(local.detach(), plan->axis, plan->from, plan->to, plan->moves, plan->reverse,
                             *plan->comm);
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grad) {
    RowPlan back = *kept<RowPlanPtr>(ctx);
    back.reverse = !back.reverse;
    return {run_row_plan(grad[0], std::move(back)), at::Tensor()};
  }
};

at::Tensor run_row_plan(const at::Tensor& local, RowPlan plan) {
  if (needs_grad(local))
    return MoveRows::apply(without_tangent(local), std::make_shared<const RowPlan>(std::move(plan)));
  return movers::move_rows(local, plan.axis, plan.from, plan.to, plan.moves, plan.reverse, *plan.comm);
}

struct LayoutChange {
  LayoutPtr from;
  LayoutPtr to;
  CommPtr comm;
};

struct Redistribute : torch::autograd::Function<Redistribute> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& local, const LayoutChange& change) {
    keep(ctx, change);
    // The clone keeps a slice of a replicated array from being returned as a view of the input.
    const at::Tensor moved = movers::redistribute(local.detach(), change.from, change.to, *change.comm);
    return change.from->is_split() ? moved : moved.clone();
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grad) {
    const LayoutChange& change = kept<LayoutChange>(ctx);
    return {redistribute_local(grad[0], change.to, change.from, change.comm), at::Tensor()};
  }
};

}  // namespace

bool needs_grad(const at::Tensor& tensor) {
  return (at::GradMode::is_enabled() && tensor.requires_grad()) || has_tangent(tensor);
}

const at::Tensor& without_tangent(const at::Tensor& tensor) {
  EH_CHECK(
      !has_tangent(tensor), NotSupported,
      "a dual number (torch.func.jvp, torch.autograd.forward_ad) reaches an operation between ranks or a "
      "kernel that only has a derivative backwards; use backward() or torch.autograd.grad");
  return tensor;
}

at::Tensor sum_partials(const at::Tensor& partial, const CommPtr& comm) {
  if (comm->size() == 1) return partial;
  return needs_grad(partial) ? SumPartials::apply(without_tangent(partial), comm)
                             : allreduce(partial, ReduceOp::Sum, *comm);
}

at::Tensor enter_partial(const at::Tensor& replicated, const CommPtr& comm) {
  if (comm->size() == 1 || !needs_grad(replicated)) return replicated;
  return EnterPartial::apply(without_tangent(replicated), comm);
}

at::Tensor extreme_partials(const at::Tensor& partial, ReduceOp op, const CommPtr& comm) {
  if (comm->size() == 1) return partial;
  if (!needs_grad(partial)) return allreduce(partial, op, *comm);
  return ExtremePartials::apply(without_tangent(partial), static_cast<int>(op), comm);
}

at::Tensor stack_partials(const at::Tensor& partial, const CommPtr& comm) {
  if (comm->size() == 1) return partial.unsqueeze(0);
  if (needs_grad(partial)) return StackPartials::apply(without_tangent(partial), comm);
  return allgather(partial.unsqueeze(0), 0, Counts(static_cast<std::size_t>(comm->size()), 1), *comm);
}

at::Tensor move_rows(const at::Tensor& local, int axis, const std::vector<std::int64_t>& from,
                     const std::vector<std::int64_t>& to, const std::vector<Move>& moves,
                     const CommPtr& comm) {
  return run_row_plan(local, {axis, from, to, moves, false, comm});
}

at::Tensor redistribute_local(const at::Tensor& local, const LayoutPtr& from, const LayoutPtr& to,
                              const CommPtr& comm) {
  if (from->same_distribution(*to)) return local;
  if (needs_grad(local)) return Redistribute::apply(without_tangent(local), LayoutChange{from, to, comm});
  return movers::redistribute(local, from, to, *comm);
}

}  // namespace eh
