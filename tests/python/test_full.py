# SPDX-License-Identifier: BSD-3-Clause
"""What only the second environment has: timm's backbones, torchvision, and the core compiled with CUDA."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mpi4py import MPI
from PIL import Image
from test_ssl_train import data, losses, recipe

from equiheat import _build_info
from equiheat.communication import Communicator
from equiheat.data import load_images
from equiheat.ssl.config import OptimConfig
from equiheat.ssl.encoders import build_encoder
from equiheat.ssl.trainer import Trainer

pytestmark = pytest.mark.full

NAMES = ["timm:resnet18", "timm:vit_tiny_patch16_224", "timm:convnext_atto"]


@pytest.mark.skipif(not shutil.which("nvcc"), reason="no nvcc on this machine: compiled without CUDA")
def test_the_core_is_compiled_with_cuda() -> None:
    assert torch.version.cuda is not None
    assert _build_info.CUDA.split(".")[0] == torch.version.cuda.split(".")[0]


@pytest.mark.parametrize("name", NAMES)
def test_tokens_of_timm_models(name: str) -> None:
    encoder = build_encoder(name, image_size=64, seed=0)
    features = encoder(torch.rand(2, 3, 64, 64))
    assert features.tokens.shape == (2, encoder.grid[0] * encoder.grid[1], encoder.dim)


@pytest.mark.parametrize("name", ["timm:vit_tiny_patch16_224", "timm:convnext_atto"])
def test_timm_models_train_the_same_on_all_ranks(name: str) -> None:
    """Without batch statistics of their own in the backbone; a small rate, since these models start far from flat."""
    config = recipe(auxiliary="ecr", encoder=name, image_size=32, batch_size=6)
    config = dataclasses.replace(config, optim=OptimConfig(lr=1e-5, warmup_epochs=0.0))
    images = data(count=12, size=32)
    together = losses(Trainer(config, images), 3)
    alone = losses(Trainer(config, images, comm=Communicator(MPI.COMM_SELF)), 3)
    assert together == pytest.approx(alone, rel=1e-4)


@pytest.mark.ranks(1)
def test_classes_and_labels_are_torchvisions(tmp_path: Path) -> None:
    torchvision = pytest.importorskip("torchvision")
    rng = np.random.default_rng(0)
    for label, name in enumerate(("cat", "ant", "bee")):
        (tmp_path / name).mkdir()
        for number in range(label + 1):
            pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    ours, theirs = load_images(tmp_path, size=8), torchvision.datasets.ImageFolder(tmp_path)
    assert list(ours.classes) == theirs.classes
    assert ours.labels.tolist() == theirs.targets
    for image, (other, _) in zip(ours.images, theirs, strict=True):
        assert np.array_equal(image.permute(1, 2, 0).numpy(), np.asarray(other))
