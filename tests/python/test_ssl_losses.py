# SPDX-License-Identifier: BSD-3-Clause
"""Losses and methods: NumPy transcriptions, rank invariance of values and gradients, the options of ECR."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from equiheat.communication import get_comm
from equiheat.data.sharding import share
from equiheat.ssl.augment import STRONG_VIEW, WEAK_VIEW
from equiheat.ssl.collapse import effective_rank, spread_of_features, verdict
from equiheat.ssl.encoders import ENCODERS, Features, build_encoder
from equiheat.ssl.losses import covariance, global_mean, vicreg_terms
from equiheat.ssl.methods import ECR, ECRConfig, VICReg, VICRegConfig
from equiheat.ssl.methods.ecr import next_image
from equiheat.ssl.model import Model
from equiheat.ssl.views import TwoViews


def rows(x):
    start, stop = share(x.shape[0], get_comm())
    return x[start:stop]


def embeddings(count=9, dim=5):
    g = torch.Generator().manual_seed(0)
    return [torch.randn(count, dim, generator=g) * torch.linspace(0.2, 2, dim) for _ in range(2)]


def vicreg_in_numpy(z1, z2, eps=1e-4):
    dim = z1.shape[1]
    near = ((z1 - z2) ** 2).mean()
    spread, far = 0.0, 0.0
    for z in (z1, z2):
        spread += np.maximum(0, 1 - np.sqrt(z.var(axis=0, ddof=1) + eps)).mean() / 2
        matrix = np.cov(z, rowvar=False)
        far += (matrix**2).sum() / dim - (np.diag(matrix) ** 2).sum() / dim
    return near, spread, far


def test_vicreg_terms_equal_numpy_on_the_global_batch():
    z1, z2 = embeddings()
    terms = vicreg_terms(rows(z1), rows(z2), comm=get_comm())
    np.testing.assert_allclose(
        [x.item() for x in terms], vicreg_in_numpy(z1.double().numpy(), z2.double().numpy()), rtol=1e-5
    )


def test_vicreg_gradient_is_that_of_one_rank():
    z1, z2 = embeddings()
    whole = z1.clone().requires_grad_()
    near = (whole - z2).square().mean()
    spread = sum(torch.relu(1 - (z.var(dim=0) + 1e-4).sqrt()).mean() / 2 for z in (whole, z2))
    far = sum(
        (m.square().sum() - m.diagonal().square().sum()) / m.shape[0] for m in (torch.cov(whole.T), torch.cov(z2.T))
    )
    (2 * near + 3 * spread + far).backward()
    mine = rows(z1).clone().requires_grad_()
    terms = vicreg_terms(mine, rows(z2), comm=get_comm())
    (2 * terms.invariance + 3 * terms.variance + terms.covariance).backward()
    torch.testing.assert_close(mine.grad / get_comm().size, rows(whole.grad), rtol=1e-4, atol=1e-6)


def test_covariance_by_columns_adds_up():
    z = embeddings()[0]
    parts = [covariance(z, part) for part in ((0, 2), (2, 3), (3, 3), (3, 5))]
    torch.testing.assert_close(sum(parts), covariance(z))


def test_vicreg_needs_two_images_and_equal_shapes():
    comm = get_comm()
    one = torch.zeros(1 if comm.rank == 0 else 0, 4)
    with pytest.raises(ValueError, match="the global batch has 1 images"):
        vicreg_terms(one, one, comm=comm)
    with pytest.raises(ValueError, match=r"z1 has shape \(2, 4\), z2 \(2, 3\)"):
        vicreg_terms(torch.zeros(2, 4), torch.zeros(2, 3), comm=comm)


def test_global_mean_weights_ranks_by_their_images():
    comm = get_comm()
    values = torch.arange(7.0)
    mine = rows(values)
    mean = mine.mean() if len(mine) else torch.tensor(0.0)
    torch.testing.assert_close(global_mean(mean, len(mine), comm=comm), values.mean())


def test_next_image_goes_round_the_global_batch():
    x = torch.arange(7.0)[:, None]
    assert torch.equal(next_image(rows(x), get_comm()), rows(x.roll(-1, 0)))


def views_of(count=6, size=16):
    images = torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))
    make = TwoViews(WEAK_VIEW, STRONG_VIEW, seed=0)
    return make(rows(images), rows(torch.arange(count)), 0)


def model_of(ecr: ECRConfig | None, size=16):
    torch.manual_seed(0)
    encoder = build_encoder("resnet-lite", image_size=size)
    vicreg = VICRegConfig(projector=(16, 16))
    if ecr is None:
        return Model(encoder, VICReg(encoder.dim, vicreg))
    return Model(encoder, ECR(VICReg(encoder.dim - ecr.equi_dim(encoder.dim), vicreg), encoder, ecr))


SMALL = ECRConfig(width=16, num_heads=2)
OPTIONS = [
    {},
    {"target": "v1"},
    {"target": "both"},
    {"query": "other"},
    {"query": "position"},
    {"query": "target", "context": "equi"},
    {"query": "target", "context": "all"},
    {"context": "inv", "equi_fraction": 0.25},
    {"context": "all"},
    {"context": "both"},
    {"keys": "none"},
    {"keys": "shuffled"},
    {"keys": "self"},
    {"residual": False},
    {"stop_gradient": True},
    {"depth": 2, "mlp": "after"},
    {"norm_pix": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=[str(o) for o in OPTIONS])
def test_every_option_of_ecr_trains_every_parameter(options):
    model = model_of(dataclasses.replace(SMALL, **options))
    views = views_of()
    terms, (first, second) = model(views)
    torch.testing.assert_close(terms["loss"], terms["base"] + 10 * terms["reconstruction"])
    terms["loss"].backward()
    assert all(p.grad is not None for p in model.parameters())
    pictures = model.method.reconstruct(first, second, views)
    assert pictures.shape == views.second.shape
    assert 0 <= pictures.min() <= pictures.max() <= 1


def test_ecr_splits_the_features():
    model = model_of(SMALL)
    assert (model.method.inv_dim, model.method.dim) == (64, 128)
    first, second = model.embed(views_of())
    kept = first.tokens.detach().clone().requires_grad_()
    model.method.base(Features(kept, kept.mean(1)).part(0, 64), second.part(0, 64), None)["loss"].backward()
    assert kept.grad[..., 64:].abs().max() == 0
    assert kept.grad[..., :64].abs().max() > 0


def test_shuffled_keys_change_the_error_and_none_does_not_have_any():
    views = views_of()
    model = model_of(SMALL)
    features = model.embed(views)
    true, wrong = model.method.reconstruction(*features, views), model.method.shuffled_reconstruction(*features, views)
    assert not torch.allclose(true, wrong)
    names = dict(model_of(dataclasses.replace(SMALL, keys="none")).named_parameters())
    assert not any("attention" in name or "context" in name for name in names)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"equi_fraction": 1.0}, "equi_fraction is 1.0"),
        ({"keys": "none", "residual": False}, "leaves the decoder no input"),
        ({"keys": "self", "query": "other"}, "needs query='target'"),
    ],
)
def test_ecr_options_that_contradict(options, text):
    with pytest.raises(ValueError, match=text):
        ECRConfig(**options)


@pytest.mark.parametrize("name", [name for name in ENCODERS if "micro" in name or "lite" in name])
def test_encoders_give_a_grid_of_tokens(name):
    encoder = build_encoder(name, image_size=32, seed=3)
    tokens, pooled = encoder.eval()(torch.rand(2, 3, 32, 32))
    assert tokens.shape == (2, encoder.grid[0] * encoder.grid[1], encoder.dim)
    torch.testing.assert_close(pooled, tokens.mean(dim=1))
    again = build_encoder(name, image_size=32, seed=3)
    assert all(torch.equal(x, y) for x, y in zip(encoder.parameters(), again.parameters(), strict=True))


def test_encoder_mistakes_are_named():
    with pytest.raises(ValueError, match="unknown encoder 'resnet-huge'"):
        build_encoder("resnet-huge")
    with pytest.raises(ValueError, match="image_size is 30; vit-micro-p4 needs a multiple of 4"):
        build_encoder("vit-micro-p4", image_size=30)
    with pytest.raises(ValueError, match=r"images have shape \(2, 1, 8, 8\)"):
        build_encoder("resnet-lite")(torch.zeros(2, 1, 8, 8))


def test_timm_encoder_or_a_clear_word():
    try:
        import timm  # noqa: F401
    except ImportError:
        with pytest.raises(ImportError, match=r"pip install 'equiheat\[timm\]'"):
            build_encoder("timm:resnet18")
        return
    for name in ("resnet18", "vit_tiny_patch16_224", "convnext_atto"):
        encoder = build_encoder(f"timm:{name}", image_size=64, seed=0)
        assert encoder(torch.rand(2, 3, 64, 64)).tokens.shape == (2, encoder.grid[0] ** 2, encoder.dim)


def test_effective_rank_and_verdict():
    g = torch.Generator().manual_seed(0)
    full = torch.randn(2000, 8, generator=g, dtype=torch.float64)
    assert 7.5 < effective_rank(full) <= 8
    assert verdict(spread_of_features(full), 8).startswith("healthy")
    line = torch.randn(2000, 1, generator=g) @ torch.randn(1, 8, generator=g)
    assert effective_rank(line.double()) == pytest.approx(1, abs=0.01)
    assert verdict(spread_of_features(line), 8).startswith("collapsed")
    narrow = torch.cat((full[:, :2].repeat(1, 4) * 1.0,), dim=1)
    narrow = torch.cat((narrow, torch.zeros(2000, 56)), dim=1)
    assert verdict(spread_of_features(narrow), 64).startswith("at risk")
