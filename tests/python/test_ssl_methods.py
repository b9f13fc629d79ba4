# SPDX-License-Identifier: BSD-3-Clause
"""Every method: NumPy transcriptions of the papers' formulas, gradients, the same training at any rank count."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from mpi4py import MPI
from test_ssl_train import data, losses, recipe

from equiheat.communication import Communicator, get_comm
from equiheat.data.rotations import from_euler, relative_quaternion
from equiheat.data.sharding import share
from equiheat.ssl.augment import AugmentConfig
from equiheat.ssl.encoders import build_encoder
from equiheat.ssl.methods import METHODS, DINOConfig, EquiModConfig, IBOTConfig, SIEConfig, TIRConfig, build_method
from equiheat.ssl.methods.barlow import cross_correlation_terms
from equiheat.ssl.methods.base import update_teacher
from equiheat.ssl.methods.byol import byol_loss
from equiheat.ssl.methods.conditions import relative
from equiheat.ssl.methods.dino import dino_loss
from equiheat.ssl.methods.ibot import patch_loss, random_masks
from equiheat.ssl.methods.sie import SIE, sie_terms
from equiheat.ssl.methods.simclr import nt_xent
from equiheat.ssl.methods.simsiam import simsiam_loss
from equiheat.ssl.model import Model
from equiheat.ssl.trainer import Trainer
from equiheat.ssl.views import TwoViews, Views

ALONE = Communicator(MPI.COMM_SELF)
COUNT, DIM = 7, 4


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def simclr_in_numpy(z1, z2, t=0.3):
    z = unit(np.concatenate((z1, z2)))
    n, total = len(z1), 0.0
    for i in range(2 * n):
        others = [np.exp(z[i] @ z[k] / t) for k in range(2 * n) if k != i]
        total -= np.log(np.exp(z[i] @ z[(i + n) % (2 * n)] / t) / sum(others))
    return total / (2 * n)


def barlow_in_numpy(z1, z2, weight=0.1, eps=1e-5):
    a, b = ((z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + eps) for z in (z1, z2))
    c = a.T @ b / len(z1)
    off = c[~np.eye(len(c), dtype=bool)]
    return ((1 - np.diag(c)) ** 2).sum() + weight * (off**2).sum()


def byol_in_numpy(q1, q2, t1, t2):
    pairs = ((q1, t2), (q2, t1))
    return sum(((unit(q) - unit(t)) ** 2).sum(axis=1).mean() for q, t in pairs)


def simsiam_in_numpy(p1, p2, z1, z2):
    return -sum((unit(p) * unit(z)).sum(axis=1).mean() for p, z in ((p1, z2), (p2, z1))) / 2


def dino_in_numpy(s1, s2, s3, t1, t2, temperature=0.5):
    total = []
    for t, target in enumerate((t1, t2)):
        for s, scores in enumerate((s1, s2, s3)):
            if s != t:
                total.append(-(softmax(target) * np.log(softmax(scores / temperature))).sum(axis=1).mean())
    return np.mean(total)


def sie_in_numpy(i1, i2, e1, e2, p):
    def hinge(z):
        return np.maximum(0, 1 - np.sqrt(z.var(axis=0, ddof=1) + 1e-4)).mean()

    def off(z):
        c = np.cov(z, rowvar=False)
        return (c[~np.eye(len(c), dtype=bool)] ** 2).sum() / len(c)

    whole = [np.concatenate(pair, axis=1) for pair in ((i1, e1), (i2, e2))]
    return (
        10 * ((i1 - i2) ** 2).mean()
        + 4.5 * ((p - e2) ** 2).mean()
        + 10 * sum(hinge(z) for z in whole) / 2
        + 10 * hinge(p)
        + sum(off(z) for z in whole)
    )


def sie(i1, i2, e1, e2, p, comm):
    weights = SIEConfig()
    return sum(getattr(weights, name) * x for name, x in sie_terms((i1, i2), (e1, e2), p, comm=comm).items())


def barlow(z1, z2, comm):
    on, off = cross_correlation_terms(z1, z2, comm=comm)
    return on + 0.1 * off


def dino(s1, s2, s3, t1, t2, comm):
    return dino_loss([s1, s2, s3], [t1.softmax(1), t2.softmax(1)], temperature=0.5, comm=comm)


#: name: the loss, its transcription, inputs, inputs that get a gradient.
LOSSES = {
    "simclr": (lambda *z, comm: nt_xent(*z, temperature=0.3, comm=comm), simclr_in_numpy, 2, 2),
    "barlow": (barlow, barlow_in_numpy, 2, 2),
    "byol": (byol_loss, byol_in_numpy, 4, 2),
    "simsiam": (simsiam_loss, simsiam_in_numpy, 4, 2),
    "dino": (dino, dino_in_numpy, 5, 3),
    "sie": (sie, sie_in_numpy, 5, 5),
}


def inputs(count):
    g = torch.Generator().manual_seed(3)
    return [torch.randn(COUNT, DIM, generator=g, dtype=torch.float64) for _ in range(count)]


def rows(x):
    start, stop = share(len(x), get_comm())
    return x[start:stop]


@pytest.mark.parametrize("name", LOSSES)
def test_losses_equal_numpy_on_the_global_batch(name):
    loss, reference, count, _ = LOSSES[name]
    z = inputs(count)
    found = float(loss(*(rows(x) for x in z), comm=get_comm()))
    assert found == pytest.approx(reference(*(x.numpy() for x in z)), rel=1e-10)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients(name):
    """Gradcheck on one rank; on all ranks together the mean convention gives the same gradient."""
    loss, _, count, trained = LOSSES[name]
    z = inputs(count)
    for x in z[:trained]:
        x.requires_grad_()
    fixed = z[trained:]
    assert torch.autograd.gradcheck(lambda *own: loss(*own, *fixed, comm=ALONE), z[:trained], fast_mode=True)
    whole = torch.autograd.grad(loss(*z, comm=ALONE), z[:trained])
    mine = [rows(x.detach()).clone().requires_grad_(n < trained) for n, x in enumerate(z)]
    parts = torch.autograd.grad(loss(*mine, comm=get_comm()), mine[:trained])
    for part, full in zip(parts, whole, strict=True):
        torch.testing.assert_close(part / get_comm().size, rows(full), rtol=1e-9, atol=1e-12)


def test_no_gradient_where_the_paper_stops_it():
    z = [x.requires_grad_() for x in inputs(4)]
    for loss in (byol_loss, simsiam_loss):
        gradients = torch.autograd.grad(loss(*z, comm=ALONE), z, allow_unused=True)
        assert [g is None for g in gradients] == [False, False, True, True]


def test_patch_loss_is_a_mean_over_hidden_patches():
    g = torch.Generator().manual_seed(0)
    target, scores = torch.rand(3, 5, 4, generator=g).softmax(2), torch.randn(3, 5, 4, generator=g)
    mask = torch.tensor([[1, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], dtype=torch.bool)
    terms = -(target.numpy() * np.log(softmax(scores.numpy() / 0.1))).sum(axis=2)
    wanted = [terms[0, [0, 2]].mean(), 0, terms[2].mean()]
    np.testing.assert_allclose(patch_loss(target, scores, mask, temperature=0.1).numpy(), wanted, rtol=1e-5)


def test_masks_have_the_drawn_ratio():
    config = IBOTConfig(mask_ratio=(0.2, 0.4), mask_probability=0.5)
    shares = random_masks((0, 1), torch.arange(400), 50, config).float().mean(dim=1)
    masked = shares[shares > 0]
    assert 0.4 < len(masked) / 400 < 0.6
    assert masked.min() >= 0.2 - 0.011
    assert masked.max() <= 0.4 + 0.011
    again = random_masks((0, 1), torch.arange(100, 103), 50, config).float().mean(dim=1)
    assert torch.equal(again, shares[100:103])


def test_ibot_hides_patches_in_the_image():
    encoder = build_encoder("vit-micro-p8", image_size=16, seed=0)
    method = build_method("ibot", encoder, config=IBOTConfig(out_dim=8, mask_probability=1.0, mask_ratio=(0.5, 0.5)))
    views = TwoViews(AugmentConfig(), AugmentConfig(), seed=0)(torch.rand(3, 3, 16, 16), torch.arange(3), 0)
    mask = method.masks(views)[0].view(3, 1, 2, 2).repeat_interleave(8, 2).repeat_interleave(8, 3).expand(3, 3, 16, 16)
    hidden = method.student_images(views)[0]
    assert int(mask[:, 0].sum()) == 3 * 2 * 64
    assert torch.equal(hidden[~mask], views.first[~mask])
    torch.testing.assert_close(encoder.normalize(hidden)[mask], torch.zeros(int(mask.sum())), atol=1e-5, rtol=0)


def test_hypernetwork_is_linear_in_the_condition():
    torch.manual_seed(0)
    method = SIE(8, SIEConfig(projector=(6, 3), conditions=("rotation", "hue")))
    e, c = torch.randn(5, 3), torch.randn(5, 2)
    tensor = method.hypernetwork.weight.detach().numpy().reshape(3, 3, 2)
    wanted = np.einsum("ijk,bk,bj->bi", tensor, c.numpy(), e.numpy())
    np.testing.assert_allclose(method.predict(e, c).detach().numpy(), wanted, rtol=1e-5, atol=1e-6)
    assert method.parts(8) == {"inv": (0, 4), "equi": (4, 8)}


def test_conditions_are_differences_and_relative_rotations():
    scipy = pytest.importorskip("scipy.spatial.transform")
    g = torch.Generator().manual_seed(1)
    angles = [(torch.rand(6, 3, generator=g, dtype=torch.float64) - 0.5) * 3 for _ in range(2)]
    first, second = (from_euler(a) for a in angles)
    turns = [scipy.Rotation.from_euler("xyz", a.numpy()) for a in angles]
    np.testing.assert_allclose((scipy.Rotation.from_quat(first.numpy()).inv() * turns[0]).magnitude(), 0, atol=1e-7)
    wanted = (turns[0].inv() * turns[1]).as_quat(canonical=True)
    np.testing.assert_allclose(relative_quaternion(first, second).numpy(), wanted, atol=1e-12)
    images = torch.zeros(6, 3, 2, 2)
    views = Views(images, images, {"quaternion": first}, {"quaternion": second, "brightness": torch.full((6,), 1.5)})
    told = relative(views, ("hue", "quaternion", "brightness"))
    np.testing.assert_allclose(told[:, 1:5].numpy(), wanted, atol=1e-6)
    assert told[:, 0].abs().max() == 0
    assert torch.equal(told[:, 5], torch.full((6,), 0.5))


def test_tir_targets_lie_on_the_way():
    config = AugmentConfig(rotation=40.0, brightness=0.4)
    make = TwoViews(AugmentConfig(), config, seed=0, middle=3, moved=("rotation",))
    images = data(4).images
    views = make(images, torch.arange(4), 0)
    plain = TwoViews(AugmentConfig(), config, seed=0)(images, torch.arange(4), 0)
    assert views.middle.shape == (3, 4, 3, 16, 16)
    start = make.second.apply(images, {"brightness": views.parameters2["brightness"]})
    for k in range(3):
        turned = make.second.apply(start, {"rotation": views.parameters2["rotation"] * (k + 1) / 4})
        torch.testing.assert_close(views.middle[k], turned)
    torch.testing.assert_close(views.parameters2, plain.parameters2)
    torch.testing.assert_close(views.second, plain.second, atol=0.05, rtol=0)  # colour and rotation in another order


def test_tir_loss_is_the_mean_square_over_all_targets():
    encoder = build_encoder("resnet-lite", image_size=16, seed=0)
    torch.manual_seed(0)
    method = build_method("vicreg", encoder, auxiliary="tir", auxiliary_config=TIRConfig(weight=3.0, width=8))
    make = TwoViews(AugmentConfig(), AugmentConfig(rotation=20.0), middle=2, moved=("rotation",))
    views = make(rows(data(6).images), rows(torch.arange(6)), 0)
    model = Model(encoder, method)
    terms, (first, second) = model(views)
    predicted = method._decode(first, second).detach().numpy().astype(np.float64)
    mean, std = (x.numpy().astype(np.float64) for x in (encoder.mean, encoder.std))
    squares = (predicted - (views.middle.numpy() - mean) / std) ** 2
    sums = np.array([squares.sum(), squares.size])
    MPI.COMM_WORLD.Allreduce(MPI.IN_PLACE, sums)
    assert terms["reconstruction"].item() == pytest.approx(sums[0] / sums[1], rel=1e-5)
    assert terms["loss"].item() == pytest.approx(terms["base"].item() + 3 * sums[0] / sums[1], rel=1e-5)


def test_the_teacher_follows():
    student, teacher = torch.nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2)
    student.weight.data.fill_(3.0)
    student.running_mean.fill_(5.0)
    update_teacher(student, teacher, 0.75)
    assert torch.equal(teacher.weight, torch.full((2,), 1.5))
    assert torch.equal(teacher.running_mean, student.running_mean)


SMALL = {
    "dino": DINOConfig(out_dim=16, hidden=16, bottleneck=8, local_crops=2),
    "ibot": IBOTConfig(out_dim=16, hidden=16, bottleneck=8),
    "sie": SIEConfig(projector=(16, 8)),
    "equimod": EquiModConfig(projector=(16, 8)),
}


def config_of(method, auxiliary, **changes):
    small = {name: options for name, options in SMALL.items() if name == method}
    return recipe(method=method, auxiliary=auxiliary, tir=TIRConfig(width=8), **small, **changes)


@pytest.mark.ranks(2, 3)
@pytest.mark.parametrize(
    ("method", "auxiliary"), [*((m, "none") for m in METHODS if m != "vicreg"), ("byol", "ecr"), ("dino", "tir")]
)
def test_twenty_steps_equal_those_of_one_rank(method, auxiliary):
    config = config_of(method, auxiliary, batch_size=13, encoder="vit-micro-p8")  # few collectives in the backbone
    if method == "ibot":  # temperatures of 0.04 amplify rounding errors, most of all where few images share a centre
        config = dataclasses.replace(config, batch_size=25, optim=dataclasses.replace(config.optim, lr=2e-4))
    together = losses(Trainer(config, data(40)), 20)
    alone = losses(Trainer(config, data(40), comm=ALONE), 20)
    assert together == pytest.approx(alone, rel=1e-4, abs=1e-4)
    assert np.isfinite(together).all()


@pytest.mark.filterwarnings("ignore:precision fp16")
@pytest.mark.parametrize("changes", [{"accumulate": 2, "batch_size": 26}, {"precision": "fp16"}])
def test_accumulation_and_scaled_float16(changes):
    config = config_of("simclr", "none", **changes)
    trainer, alone = Trainer(config, data()), Trainer(config, data(), comm=ALONE)
    found = []
    for run in (trainer, alone):
        pieces = next(run._pieces(0, 0))
        found.append([run.step(pieces, 0)[0]["loss"] for _ in range(2)])
    assert found[0] == pytest.approx(found[1], rel=2e-2 if "precision" in changes else 1e-5)
    assert len(pieces) == config.accumulate


def test_accumulated_gradient_is_the_mean_of_the_parts():
    config = config_of("simclr", "none", batch_size=16, accumulate=2, optim=dataclasses.replace(recipe().optim, lr=0.0))
    trainer = Trainer(config, data())
    pieces = next(trainer._pieces(0, 0))
    trainer.step(pieces, 0)
    whole = {name: p.grad.clone() for p, name in trainer.names.items()}
    halves = []
    for piece in pieces:
        trainer.step([piece], 0)
        halves.append({name: p.grad.clone() for p, name in trainer.names.items()})
    for name, gradient in whole.items():
        torch.testing.assert_close(gradient, (halves[0][name] + halves[1][name]) / 2, rtol=1e-3, atol=1e-6)


def test_lars_scales_by_the_ratio_of_norms():
    config = config_of("simclr", "none", optim=dataclasses.replace(recipe().optim, name="lars", lr=0.1))
    assert np.isfinite(losses(Trainer(config, data()), 3)).all()
    from equiheat.optim import LARS

    w, b = (torch.nn.Parameter(torch.tensor(x)) for x in ([3.0, 4.0], [1.0]))
    w.grad, b.grad = torch.tensor([0.0, 2.0]), torch.tensor([1.0])
    groups = [{"params": [w], "weight_decay": 0.5}, {"params": [b], "adapt": False}]
    optimizer = LARS(groups, lr=0.1, momentum=0.9, trust=0.01)
    change = np.array([1.5, 4.0])
    change *= 0.01 * 5 / np.linalg.norm(change)
    optimizer.step()
    np.testing.assert_allclose(w.detach().numpy(), [3, 4] - 0.1 * change, rtol=1e-6)
    assert b.item() == pytest.approx(0.9)


def test_unknown_names_are_told():
    encoder = build_encoder("resnet-lite", image_size=16)
    with pytest.raises(ValueError, match="unknown method 'mocov3'; use one of vicreg, simclr"):
        build_method("mocov3", encoder)
    with pytest.raises(ValueError, match="unknown auxiliary 'x'"):
        build_method("byol", encoder, auxiliary="x")
    features = encoder(torch.rand(2, 3, 16, 16)).halves()
    with pytest.raises(ValueError, match=r"others\.teacher is None"):
        build_method("byol", encoder)(*features, None)
