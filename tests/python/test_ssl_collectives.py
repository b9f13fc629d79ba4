# SPDX-License-Identifier: BSD-3-Clause
"""Differentiable collectives, global-batch normalisation and gradient averaging against one rank with all the data."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from equiheat.communication import get_comm
from equiheat.data.sharding import share
from equiheat.nn.batchnorm import BatchNorm, share_statistics
from equiheat.nn.functional import all_gather, all_reduce
from equiheat.optim import average_gradients
from equiheat.optim.gradients import buckets


def rows(x: Tensor) -> Tensor:
    """This rank's part of a global tensor."""
    start, stop = share(x.shape[0], get_comm())
    return x[start:stop]


def uneven(x: Tensor) -> Tensor:
    """The first rank gets one row, the last all the others, those between none."""
    comm = get_comm()
    bounds = [0, *([1] * (comm.size - 1)), x.shape[0]]
    return x[bounds[comm.rank] : bounds[comm.rank + 1]]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("cut", [rows, uneven])
def test_all_gather_and_its_adjoint(cut):
    comm = get_comm()
    whole = random(7, 3)
    weight = random(7, 3, seed=1)
    mine = cut(whole).clone().requires_grad_()
    gathered = all_gather(mine)
    assert torch.equal(gathered, whole)
    (gathered * weight).sum().backward()
    # Every rank computes the same loss: each holds `size` times its share of the gradient.
    torch.testing.assert_close(mine.grad, comm.size * cut(weight))


def test_all_reduce_and_its_adjoint():
    comm = get_comm()
    mine = random(4, seed=comm.rank).requires_grad_()
    total = all_reduce(mine)
    torch.testing.assert_close(total, sum(random(4, seed=rank) for rank in range(comm.size)))
    ((comm.rank + 1) * total).sum().backward()
    torch.testing.assert_close(mine.grad, torch.full((4,), sum(range(1, comm.size + 1)), dtype=torch.float64))


def test_gradients_of_gradients():
    comm = get_comm()
    mine = random(4, seed=comm.rank).requires_grad_()
    total = all_reduce(mine)
    (first,) = torch.autograd.grad((total**3).sum(), mine, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), mine)
    torch.testing.assert_close(second, 6 * comm.size**2 * total.detach())
    mine = uneven(random(7, 3)).clone().requires_grad_()
    (first,) = torch.autograd.grad((all_gather(mine) ** 3).sum(), mine, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), mine)
    torch.testing.assert_close(second, 6 * comm.size * mine.detach())


def test_all_gather_refuses_a_scalar():
    with pytest.raises(ValueError, match="all_gather: x is a scalar"):
        all_gather(torch.tensor(1.0))


@pytest.mark.parametrize("cut", [rows, uneven])
@pytest.mark.parametrize("shape", [(11, 5), (11, 5, 3, 2)])
def test_batch_norm_equals_torch_on_the_global_batch(cut, shape):
    whole = random(*shape) * 3 + 1
    upstream = random(*shape, seed=1)
    ours, reference = BatchNorm(5).double(), nn.BatchNorm2d(5).double()
    for layer in (ours, reference):
        with torch.no_grad():
            layer.weight.copy_(random(5, seed=2))
            layer.bias.copy_(random(5, seed=3))
    x, y = cut(whole).clone().requires_grad_(), whole.clone().requires_grad_()
    out = ours(x)
    expected = reference(y.reshape(*shape, *(1,) * (4 - len(shape))))
    torch.testing.assert_close(out, cut(expected).reshape(out.shape))
    torch.testing.assert_close(ours.running_mean, reference.running_mean)
    torch.testing.assert_close(ours.running_var, reference.running_var)
    assert int(ours.num_batches_tracked) == 1

    # The loss of the global batch, on every rank.
    all_reduce((out * cut(upstream)).sum()).backward()
    (expected.reshape(shape) * upstream).sum().backward()
    average_gradients(ours.parameters())
    torch.testing.assert_close(x.grad / get_comm().size, cut(y.grad))
    torch.testing.assert_close(ours.weight.grad, reference.weight.grad)
    torch.testing.assert_close(ours.bias.grad, reference.bias.grad)
    torch.testing.assert_close(
        ours.eval()(x), cut(reference.eval()(y.reshape(*shape, *(1,) * (4 - len(shape)))).reshape(shape))
    )


def test_batch_norm_names_the_shape_it_cannot_take():
    with pytest.raises(ValueError, match=r"shape \(2, 4\); expected \(B, 5"):
        BatchNorm(5)(torch.zeros(2, 4))


def test_share_statistics_keeps_names_and_values():
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU())
    state = {name: x.clone() for name, x in module.state_dict().items()}
    share_statistics(module)
    assert type(module[1]) is BatchNorm
    assert all(torch.equal(x, state[name]) for name, x in module.state_dict().items())
    assert set(module.state_dict()) == set(state)


def test_average_gradients_in_buckets_and_with_unused_parameters():
    comm = get_comm()
    parameters = [nn.Parameter(torch.zeros(shape)) for shape in ((3, 2), (5,), (1,), (4,))]
    parameters[0].grad = torch.full((3, 2), float(comm.rank))
    if comm.rank == 0:
        parameters[1].grad = torch.ones(5)
    parameters[2].grad = torch.full((1,), 2.0)
    average_gradients(parameters, bucket_bytes=24)
    mean = (comm.size - 1) / 2
    assert torch.allclose(parameters[0].grad, torch.full((3, 2), mean))
    assert torch.allclose(parameters[1].grad, torch.full((5,), 1 / comm.size))
    assert torch.allclose(parameters[2].grad, torch.full((1,), 2.0))
    assert parameters[3].grad is None


def test_buckets_respect_size_and_dtype():
    tensors = [torch.zeros(4), torch.zeros(4), torch.zeros(100), torch.zeros(2, dtype=torch.float64)]
    assert [len(bucket) for bucket in buckets(tensors, 32)] == [2, 1, 1]
