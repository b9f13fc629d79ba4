# SPDX-License-Identifier: BSD-3-Clause
"""The demonstration's parts, small."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from equiheat.communication import get_comm
from equiheat.demo.arrays import run_arrays
from equiheat.demo.figures import loss_curves, picture_grid, score_bars
from equiheat.demo.images import _crops, photo_crops
from equiheat.demo.progress import Stages
from equiheat.demo.report import Line, Page, picture, table, text

PNG = b"\x89PNG\r\n"


def test_array_program_agrees_with_numpy() -> None:
    told: list[str] = []
    steps = run_arrays(get_comm(), lambda done, of, what: told.append(what))
    assert [step.name for step in steps if not step.good] == []
    assert [what.lower() for what in told] == [
        "moments of every pixel",
        "k-means",
        "nearest neighbours",
        "least squares",
    ]
    assert "98.8" in steps[2].result  # leave-one-out accuracy of one neighbour on the digits


def test_photo_crops_keep_scoring_apart_and_are_the_same_everywhere() -> None:
    one, other = photo_crops(size=24, count=60), photo_crops(size=24, count=60)
    assert torch.equal(one.train.images, other.train.images)
    assert one.train.images.shape[1:] == (3, 24, 24)
    assert one.train.classes == ()
    assert not torch.equal(one.train.images[:5], one.test.images[:5])


def test_no_crop_to_train_on_shares_a_pixel_with_one_to_score_on() -> None:
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (96, 144, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:96, :144] // 24
    photo[..., 0] = np.where((rows + columns) % 3 == 0, 255, 0)  # red marks the tiles that are for scoring
    for scoring in (False, True):
        crops = _crops(photo, 50, 12, rng, scoring=scoring)
        assert crops.shape == (50, 3, 12, 12)
        assert set(crops[:, 0].unique().tolist()) == {255 if scoring else 0}


def test_figures_are_png() -> None:
    steps = [{"step": n, "invariance": 1.0 / n, "variance": 0.5, "covariance": 0.1} for n in range(1, 30)]
    ecr = [{**line, "reconstruction": 0.3} for line in steps]
    ecr[-1]["reconstruction_shuffled"] = 0.4
    assert loss_curves({"VICReg": steps, "VICReg + ECR": ecr}).startswith(PNG)
    assert score_bars({"VICReg": {"rotation": 0.4, "mean": -0.1}}).startswith(PNG)
    assert picture_grid({"v1": torch.rand(3, 3, 8, 8)}, {"v1": "first view"}).startswith(PNG)


def test_page_is_self_contained_and_escaped() -> None:
    page = Page("a < b", "lead & text")
    page.cards([("1", "figure", "good")])
    page.section("part", text("x < y"), picture(PNG, "dots"), table(("n", "v"), [Line(("<i>", "2"), frozenset({1}))]))
    html = page.render("end")
    assert "a &lt; b" in html
    assert "x &lt; y" in html
    assert "&lt;i&gt;" in html
    assert re.findall(r'(?:src|href)="(?!data:)', html) == []


def test_progress_says_what_and_how_long(capsys: pytest.CaptureFixture[str]) -> None:
    with Stages({"first": 10.0, "second": 30.0}, visible=True) as stages:
        stages.begin("first")
        stages.begin("second")
        stages.advance(1, 2, "half")
        assert stages.seconds_left() < 15.1
        stages.say("kept")
    out = capsys.readouterr().out
    assert "25 %" in out
    assert "second" in out
    assert "left" in out
    assert "100 %" in out
    with Stages({"first": 1.0}, visible=False) as stages:
        stages.begin("first")
    assert capsys.readouterr().out == ""
