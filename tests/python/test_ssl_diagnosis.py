# SPDX-License-Identifier: BSD-3-Clause
"""What a run says of itself: the shuffled reconstruction, the verdict, and what it names when something is wrong."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from test_ssl_data import folder  # noqa: F401 (a fixture)
from test_ssl_train import data, recipe

from equiheat.ssl.augment import AugmentConfig
from equiheat.ssl.collapse import spread_of_features, verdict
from equiheat.ssl.config import OptimConfig
from equiheat.ssl.logging import read_metrics
from equiheat.ssl.trainer import Trainer


@pytest.mark.ranks(1, 2)
@pytest.mark.parametrize("accumulate", [1, 2])
def test_shuffled_keys_of_identical_images_give_the_same_error(folder, accumulate):  # noqa: F811
    """Large steps: by the weights after them the errors would differ by far more than rounding."""
    images = data()
    same = dataclasses.replace(images, images=images.images[:1].expand(64, -1, -1, -1).clone())
    config = recipe(
        folder / "run",
        auxiliary="ecr",
        batch_size=16,
        accumulate=accumulate,
        steps=4,
        diagnose_steps=1,
        panels=0,
        tensorboard=False,
        view1=AugmentConfig(),
        view2=AugmentConfig(rotation=45.0),
        optim=OptimConfig(lr=1e-2),
    )
    Trainer(config, same).fit()
    lines = read_metrics(folder / "run" / "metrics.jsonl")
    assert len(lines) == 4
    for line in lines:
        assert line["reconstruction_shuffled"] == pytest.approx(line["reconstruction"], rel=1e-4)


def test_the_verdict_says_what_the_batch_allows():
    g = torch.Generator().manual_seed(0)
    few = torch.randn(9, 512, generator=g)
    told = verdict(spread_of_features(few), 512, 9)
    assert "of 8, the most that 9 features of this batch can have; 512 dimensions" in told
    assert told.startswith("healthy")
    many = torch.randn(64, 8, generator=g)
    assert "the most" not in verdict(spread_of_features(many), 8, 64)
