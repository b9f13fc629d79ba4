# SPDX-License-Identifier: BSD-3-Clause
"""Option values that make no sense are refused by name, before anything starts."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
import torch
from test_ssl_data import folder  # noqa: F401 (a fixture)
from test_ssl_methods import SMALL, config_of
from test_ssl_train import data, recipe

from equiheat import ssl
from equiheat.communication import get_comm
from equiheat.data import Batch
from equiheat.ssl.augment import AugmentConfig
from equiheat.ssl.build import warn_of_slow_precision
from equiheat.ssl.checkpoint import read_checkpoint, write_checkpoint
from equiheat.ssl.config import OptimConfig
from equiheat.ssl.guard import NotFiniteError
from equiheat.ssl.methods import DINOConfig, ECRConfig, EquiModConfig, IBOTConfig, SIEConfig, TIRConfig, build_method
from equiheat.ssl.methods.tir import pixel_shuffle
from equiheat.ssl.probes import MlpConfig, ProbeConfig
from equiheat.ssl.state import check_same_recipe
from equiheat.ssl.trainer import Trainer
from equiheat.ssl.views import TwoViews, local_view

NAN = float("nan")
NONSENSE = [
    (DINOConfig, "local_crops", -1),
    (DINOConfig, "student_temperature", 0.0),
    (DINOConfig, "teacher_temperature", -0.1),
    (DINOConfig, "warmup", -0.5),
    (DINOConfig, "momentum", 1.5),
    (DINOConfig, "centre_momentum", -0.1),
    (DINOConfig, "local_scale", (0.5, 0.1)),
    (DINOConfig, "local_scale", (0.0, 0.1)),
    (DINOConfig, "out_dim", 0),
    (IBOTConfig, "mask_ratio", (0.1, 1.5)),
    (IBOTConfig, "mask_ratio", (0.5, 0.1)),
    (IBOTConfig, "mask_probability", 2.0),
    (IBOTConfig, "local_crops", -2),
    (ssl.BYOLConfig, "momentum", -0.1),
    (ssl.BYOLConfig, "hidden", 0),
    (ssl.SimCLRConfig, "temperature", 0.0),
    (ssl.SimCLRConfig, "projector", (16, 0)),
    (ssl.SimSiamConfig, "hidden", -1),
    (ssl.BarlowConfig, "redundancy", NAN),
    (ssl.VICRegConfig, "covariance", NAN),
    (ssl.VICRegConfig, "invariance", -1.0),
    (SIEConfig, "equivariance", NAN),
    (SIEConfig, "equi_fraction", 1.0),
    (SIEConfig, "conditions", ()),
    (EquiModConfig, "equi_temperature", 0.0),
    (EquiModConfig, "weight", float("inf")),
    (EquiModConfig, "conditions", ()),
    (ECRConfig, "weight", NAN),
    (ECRConfig, "depth", 0),
    (TIRConfig, "weight", -1.0),
    (TIRConfig, "families", ()),
    (OptimConfig, "lr", -1e-3),
    (OptimConfig, "weight_decay", -0.1),
    (OptimConfig, "final_weight_decay", -0.1),
    (OptimConfig, "warmup_epochs", -1.0),
    (OptimConfig, "clip", -1.0),
    (OptimConfig, "momentum", 1.1),
    (OptimConfig, "betas", (0.9, 1.0)),
    (OptimConfig, "final_lr", NAN),
    (AugmentConfig, "translation", 1.5),
    (AugmentConfig, "rotation", NAN),
    (AugmentConfig, "brightness", float("inf")),
    (AugmentConfig, "blur", (0.1, float("inf"))),
    (AugmentConfig, "crop", 0.5),
    (AugmentConfig, "crop", (0.5,)),
    (OptimConfig, "name", "adam"),
    (OptimConfig, "lr", "fast"),
    (ECRConfig, "query", "pool"),
    (ECRConfig, "target", "v3"),
    (ECRConfig, "mlp", "between"),
    (ECRConfig, "depth", 1.5),
    (ECRConfig, "residual", "no"),
    (EquiModConfig, "source", "second"),
    (TIRConfig, "families", "rotation"),
    (ssl.SimCLRConfig, "projector", 128),
    (MlpConfig, "learning_rate", NAN),
    (MlpConfig, "hidden", (0,)),
    (ProbeConfig, "pairs", 10.5),
]


@pytest.mark.parametrize(("cls", "name", "value"), NONSENSE)
def test_nonsense_is_refused_by_name(cls, name, value):
    with pytest.raises(ValueError, match=f"{cls.__name__}: {name} is "):
        cls(**{name: value})


def test_scale_and_pixels_of_a_recipe():
    with pytest.raises(ValueError, match="data_scale is 0; expected a number above 0"):
        recipe(data_scale=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("method", "mocco"), ("auxiliary", "ecrs"), ("precision", "half"), ("device", "tpu"), ("epochs", 1.5),
     ("batch_size", 4.0), ("pixel_mean", (0.5,)), ("seed", 2**70)],
)  # fmt: skip
def test_values_of_another_kind_are_refused(name, value):
    with pytest.raises(ValueError, match=f"PretrainConfig: {name} is "):
        recipe(**{name: value})


@pytest.mark.parametrize(("method", "auxiliary", "who"), [("vicreg", "ecr", "ECR"), ("ibot", "none", "iBOT")])
def test_tokens_that_do_not_divide_the_image_are_refused(method, auxiliary, who):
    with pytest.raises(ValueError, match=f"{who}: resnet-lite has 4 rows of tokens for images of 30 pixels"):
        Trainer(recipe(method=method, auxiliary=auxiliary, image_size=30), data(size=30))


def test_images_and_crops_of_a_size_that_does_not_fit_are_refused():
    with pytest.raises(ValueError, match="the images have 32 pixels a side, image_size is 16"):
        Trainer(recipe(), data(size=32))
    small = dataclasses.replace(SMALL["dino"], local_crops=2, local_size=2)
    with pytest.raises(ValueError, match=r"dino\.local_size is 2: vit-micro-p4 takes no images of that side"):
        Trainer(recipe(method="dino", encoder="vit-micro-p4", dino=small), data())
    Trainer(recipe(method="dino", encoder="vit-micro-p4", dino=dataclasses.replace(small, local_size=4)), data())


def told_nothing(method, **options):
    config = dataclasses.replace(SMALL[method], **options)
    return recipe(method=method, **{method: config}, batch_size=8)


@pytest.mark.parametrize("method", ["sie", "equimod"])
def test_conditions_must_be_known_and_vary(method):
    with pytest.raises(ValueError, match=f"{method}.conditions: 'rotaton' is known neither .* what varies: .*rotation"):
        Trainer(told_nothing(method, conditions=("rotaton",)), data())
    still = dataclasses.replace(told_nothing(method, conditions=("hue", "blur_sigma")), view2=AugmentConfig(hue=0.1))
    with pytest.raises(ValueError, match=f"{method}.conditions: 'blur_sigma' is the same for all images"):
        Trainer(still, data())
    Trainer(dataclasses.replace(still, **{method: SMALL[method]}), data())  # of the default only some need vary
    flat = dataclasses.replace(told_nothing(method), view1=AugmentConfig(), view2=AugmentConfig())
    with pytest.raises(ValueError, match=rf"{method}.conditions: none of .* what varies: none"):
        Trainer(flat, data())


class Posed:
    """Images of which a pose is known."""

    skipped = ()

    def __len__(self):
        return 64

    def batch(self, indices, epoch):
        images = data().images[indices]
        told = {"quaternion": torch.eye(4)[:1].expand(len(indices), 4)}
        return Batch(images, images, told, told)


def test_conditions_of_the_data_are_known():
    Trainer(told_nothing("sie", conditions=("quaternion", "rotation")), Posed())
    with pytest.raises(ValueError, match=r"'quaternion' is known neither of the views nor of the data"):
        Trainer(told_nothing("sie", conditions=("quaternion",)), data())


def test_tir_needs_a_family_that_the_second_view_does():
    config = recipe(auxiliary="tir", tir=TIRConfig(width=8), view2=AugmentConfig(hue=0.1))
    with pytest.raises(
        ValueError, match=r"tir\.families of a recipe\) is \('rotation', 'translation'\), none of which"
    ):
        Trainer(config, data())


@pytest.mark.ranks(1, 3)
@pytest.mark.parametrize(
    ("method", "auxiliary"), [("vicreg", "tir"), ("dino", "ecr"), ("ibot", "tir"), ("sie", "none"), ("equimod", "none")]
)
def test_ranks_without_images(method, auxiliary):
    config = config_of(method, auxiliary, batch_size=4, accumulate=2)
    trainer = Trainer(config, data(40))
    found = []
    for pieces, _ in zip(trainer._pieces(0, 0), range(2), strict=False):
        found.append(trainer.step(pieces, 0)[0]["loss"])
    assert np.isfinite(found).all()


def test_pixel_shuffle_is_torchs():
    x = torch.rand(2, 12, 3, 5)
    assert torch.equal(pixel_shuffle(x, 2), torch.nn.functional.pixel_shuffle(x, 2))


@pytest.mark.ranks(1, 2)
def test_nan_in_the_data_is_told_with_the_images_number():
    images = data()
    values = images.images.float() / 255
    values[37, 1, 3, 3] = NAN
    trainer = Trainer(recipe(batch_size=64), dataclasses.replace(images, images=values))
    with pytest.raises(NotFiniteError, match="step 0: image 37 of the data holds NaN"):
        trainer.step(next(trainer.batches.epoch(0)), 0)


def test_float16_on_a_processor_is_warned_of():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_slow_precision("fp16", torch.device("cpu"), get_comm())
    assert ["fp16: processors" in str(w.message) for w in caught] == [True] * (get_comm().rank == 0)


def test_a_warmup_longer_than_half_the_run_is_told(folder, capfd):  # noqa: F811
    config = recipe(folder / "run", steps=4, tensorboard=False, optim=OptimConfig(warmup_epochs=5.0))
    Trainer(config, data()).fit()
    told = " ".join(capfd.readouterr().err.split())
    assert ("warm-up takes 2 steps, half the run, not 10 (optim.warmup_epochs)" in told) == (get_comm().rank == 0)


@pytest.mark.parametrize(("method", "auxiliary", "hint"), [
    ("vicreg", "tir", r"TwoViews\(..., middle=2, moved=\('rotation', 'translation'\)\)"),
    ("equimod", "none", r"TwoViews\(..., original=True\)"),
    ("dino", "none", r"TwoViews\(..., local=local_view"),
])  # fmt: skip
def test_views_without_what_a_method_needs(method, auxiliary, hint):
    encoder = ssl.build_encoder("resnet-lite", image_size=16, seed=0)
    options = {"config": SMALL.get(method), "auxiliary_config": TIRConfig(width=8) if auxiliary == "tir" else None}
    model = ssl.Model(encoder, build_method(method, encoder, auxiliary=auxiliary, **options))
    images, numbers = data(8).images, torch.arange(8)
    with pytest.raises(ValueError, match=hint):
        model(TwoViews(ssl.WEAK_VIEW, ssl.STRONG_VIEW)(images, numbers, 0))
    given = {
        "vicreg": {"middle": 2, "moved": ("rotation", "translation")},
        "equimod": {"original": True},
        "dino": {"local": local_view(ssl.WEAK_VIEW, (0.1, 0.4)), "local_crops": 2, "local_size": 8},
    }[method]
    terms, _ = model(TwoViews(ssl.WEAK_VIEW, ssl.STRONG_VIEW, **given)(images, numbers, 0))
    assert bool(torch.isfinite(terms["loss"]))


def test_a_run_from_before_an_option_goes_on(folder):  # noqa: F811
    """Its recipe does not name the option, whose default changes nothing."""
    config = recipe(folder / "run", steps=1, tensorboard=False)
    Trainer(config, data()).fit()
    last = folder / "run" / "last.safetensors"
    old = read_checkpoint(last)
    get_comm().barrier()
    text = "\n".join(line for line in old.meta["recipe"].split("\n") if not line.startswith("pixel_mean"))
    if get_comm().rank == 0:
        write_checkpoint(last, old.tensors, old.meta | {"recipe": text})
    get_comm().barrier()
    check_same_recipe(last, config)
    with pytest.raises(ValueError, match="resume: pixel_mean was None"):
        check_same_recipe(last, dataclasses.replace(config, pixel_mean=(0.5, 0.5, 0.5)))
