# SPDX-License-Identifier: BSD-3-Clause
"""timm's models, by a stand-in for the package: what their configuration says of pixels is what they are given."""

from __future__ import annotations

import sys
import types

import pytest
import torch
from test_ssl_data import folder  # noqa: F401 (a fixture)
from test_ssl_train import data, recipe
from torch import nn

from equiheat.communication import get_comm
from equiheat.ssl.build import build_model
from equiheat.ssl.checkpoint import load_encoder
from equiheat.ssl.encoders import MEAN, STD, build_encoder
from equiheat.ssl.probes.command import random_encoder
from equiheat.ssl.trainer import Trainer

CONFIGS = {
    "half": {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.25, 0.5)},
    "object": types.SimpleNamespace(mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 1.0)),
    "grey": {"mean": (0.1,), "std": (0.3,)},
    "silent": None,
}


class Patches(nn.Module):
    """What of a vision transformer of timm is used."""

    num_prefix_tokens = 0

    def __init__(self, name):
        super().__init__()
        self.embed = nn.Conv2d(3, 8, 8, 8)
        self.pretrained_cfg = CONFIGS[name]

    def forward_features(self, x):
        return self.embed(x).flatten(2).transpose(1, 2)


@pytest.fixture(autouse=True)
def timm(monkeypatch):
    """A module with two functions of timm's."""
    module = types.ModuleType("timm")
    module.is_model = lambda name: name in CONFIGS
    module.create_model = lambda name, **_: Patches(name)
    monkeypatch.setitem(sys.modules, "timm", module)


def statistics(encoder):
    return [tuple(round(v, 4) for v in x.flatten().tolist()) for x in (encoder.mean, encoder.std)]


def test_pixels_are_normalised_as_the_models_configuration_says():
    assert statistics(build_encoder("timm:half", image_size=16)) == [(0.5, 0.5, 0.5), (0.5, 0.25, 0.5)]
    assert statistics(build_encoder("timm:object", image_size=16)) == [(0.1, 0.2, 0.3), (1.0, 1.0, 1.0)]
    for name in ("timm:grey", "timm:silent", "resnet-lite"):
        assert statistics(build_encoder(name, image_size=16)) == [MEAN, STD]
    given = build_encoder("timm:half", image_size=16, mean=(0.4, 0.4, 0.4))
    assert statistics(given) == [(0.4, 0.4, 0.4), (0.5, 0.25, 0.5)]
    with pytest.raises(ValueError, match=r"std is \(0\.0, 1\.0, 1\.0\); expected three positive"):
        build_encoder("timm:half", image_size=16, std=(0.0, 1.0, 1.0))


@pytest.mark.ranks(1, 2)
def test_a_run_keeps_them_in_its_checkpoint(folder):  # noqa: F811
    config = recipe(folder / "run", encoder="timm:half", steps=1, tensorboard=False, pixel_std=(0.3, 0.3, 0.3))
    Trainer(config, data()).fit()
    kept = load_encoder(folder / "run" / "last.safetensors")
    assert statistics(kept) == [(0.5, 0.5, 0.5), (0.3, 0.3, 0.3)]
    assert statistics(random_encoder(kept, seed=0).module) == statistics(kept)
    again = recipe(encoder="timm:half", init=folder / "run" / "last.safetensors")
    assert statistics(build_model(again).encoder) == statistics(kept)
    other = recipe(encoder="timm:half", init=folder / "run" / "last.safetensors", pixel_mean=(0.0, 0.0, 0.0))
    assert statistics(build_model(other).encoder) == [(0.0, 0.0, 0.0), (0.3, 0.3, 0.3)]
    get_comm().barrier()


def test_the_normalised_pixels_are_those_of_timm():
    encoder = build_encoder("timm:half", image_size=16, seed=0)
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    wanted = (images - 0.5) / torch.tensor([0.5, 0.25, 0.5]).view(3, 1, 1)
    torch.testing.assert_close(encoder.normalize(images), wanted)
