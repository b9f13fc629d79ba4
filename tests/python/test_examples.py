# SPDX-License-Identifier: BSD-3-Clause
"""The examples run at every rank count. They check their results; the site runs them once more, with pictures."""

from __future__ import annotations

import pathlib
import runpy
import sys
from typing import Any

import numpy as np
import pytest

import equiheat as ht
from equiheat.ssl.config import load_recipe
from equiheat.ssl.pretrain import run

ROOT = pathlib.Path(__file__).parents[2]
GALLERY = (
    "digits_clusters.py", "fit_parameters.py", "flow_modes.py", "heat_equation.py",
    "image_spectrum.py", "lasso_path.py", "neighbours.py",
)  # fmt: skip


@pytest.fixture
def run_example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What an example leaves behind."""

    def started(name: str, *arguments: str) -> dict[str, Any]:
        path = str(ROOT / "examples" / name)
        monkeypatch.setattr(sys, "argv", [path, *arguments])
        names = runpy.run_path(path, run_name="__main__")
        ht.random.seed(0)
        return names

    return started


def test_first_steps(run_example: Any, capsys: pytest.CaptureFixture[str]) -> None:
    names = run_example("first_steps.py")
    np.testing.assert_allclose(names["weights"].numpy(), [[2], [-1], [0.5]], atol=0.02)
    np.testing.assert_allclose(names["w"].numpy(), names["weights"].numpy(), atol=1e-3)
    assert ("column means" in capsys.readouterr().out) == (ht.get_comm().rank == 0)


@pytest.mark.ranks(1, 2)
@pytest.mark.parametrize("name", GALLERY)
def test_gallery(run_example: Any, name: str) -> None:
    run_example(name)


@pytest.mark.ranks(1)
def test_an_example_that_is_wrong_says_so(run_example: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    right = ht.stencil
    monkeypatch.setattr(ht, "stencil", lambda *given, **options: right(*given, **options | {"boundary": "edge"}))
    with pytest.raises(SystemExit, match="cool"):
        run_example("heat_equation.py")


@pytest.mark.ranks(1)
def test_pictures_are_drawn(run_example: Any, tmp_path: pathlib.Path) -> None:
    run_example("first_steps.py", "--picture", str(tmp_path / "first.png"))
    assert (tmp_path / "first.png").read_bytes().startswith(b"\x89PNG\r\n")


@pytest.mark.ranks(1)
def test_every_picture_is_in_the_gallery() -> None:
    page = (ROOT / "docs" / "gallery.md").read_text()
    for path in (ROOT / "examples").glob("*.py"):
        assert ("--picture" in path.read_text()) == (f"{{example}} {path.stem}\n" in page), path.name


@pytest.mark.ranks(1, 2)
def test_recipe_trains(tmp_path: pathlib.Path) -> None:
    comm = ht.get_comm()
    folder = comm.handle.bcast(tmp_path, 0)
    images = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    if comm.rank == 0:
        np.save(folder / "images.npy", images)
    comm.barrier()
    small = {"batch_size": 4, "steps": 2, "tensorboard": False, "panels": 0, "precision": "fp32"}
    recipe = ROOT / "examples" / "pretrain_ecr.toml"
    last = run(load_recipe(recipe, data=folder / "images.npy", out=folder / "run", **small))
    assert last["step"] == 1 and np.isfinite(last["loss"]) and (folder / "run" / "last.safetensors").exists()


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
def test_torch_distributed(run_example: Any) -> None:
    names = run_example("torch_distributed.py")
    np.testing.assert_allclose(names["replicated"].module.weight.detach().T, names["truth"], atol=1e-3)
    inputs = names["inputs"].numpy()
    np.testing.assert_allclose(names["gram"].numpy(), inputs.T @ inputs, rtol=1e-4)
    np.testing.assert_allclose((names["a"].T @ names["a"]).numpy(), inputs.T @ inputs, rtol=1e-4)
