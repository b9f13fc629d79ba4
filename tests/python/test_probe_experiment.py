# SPDX-License-Identifier: BSD-3-Clause
"""The experiment's summary: paired differences, and tables that show what the files hold."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Any:
    if not (EXPERIMENTS / "augmentation_report.py").is_file():
        pytest.skip("experiments/ is not part of an installation")
    monkeypatch.setattr(sys, "path", [str(EXPERIMENTS), *sys.path])
    import augmentation_report

    return augmentation_report


def study_of(name: str) -> Any:
    """With `report`, which makes it importable."""
    import studies

    return studies.STUDIES[name]


def run_of(arm: str, seed: int, r2: float, top1: float) -> dict[str, Any]:
    score = {"mean": r2, "pooled": r2, "rotation": r2}
    row = {"encoder": arm, "part": "all", "dims": 128, "top1": top1, "mean_r2": {"ridge": r2, "mlp": r2}}
    row["r2"] = {"rotation": {"ridge": score, "mlp": score}}
    about = {
        "commit": "abc",
        "machine": {"cpu": "x", "cores": 2},
        "versions": {"torch": "2"},
        "date": "d",
        "command": "c",
    }
    recipe = {
        "encoder": "e",
        "image_size": 32,
        "epochs": 1,
        "batch_size": 2,
        "precision": "fp32",
        "ecr": {"weight": 10.0},
    }
    training = {} if arm == "random" else {"recipe": recipe, "last_step": {}, "seconds": {"cpu": 1.0}, **about}
    return {"arm": arm, "seed": seed, "rows": [row], "training": training, "seconds": {"cpu": 1.0}, **about}


def test_differences_are_paired_over_the_seeds(report: Any) -> None:
    runs = [run_of("vicreg", 0, 0.1, 0.40), run_of("vicreg", 1, 0.5, 0.50)]
    runs += [run_of("ecr", 0, 0.3, 0.41), run_of("ecr", 1, 0.7, 0.51), run_of("ecr", 2, 0.0, 0.0)]
    found = report.differences(runs, study_of("ecr"))["ecr - vicreg"]
    assert found["mean/mlp"]["n"] == 2
    assert found["mean/mlp"]["mean"] == pytest.approx(0.2)
    assert found["mean/mlp"]["sd"] == pytest.approx(0.0, abs=1e-12)
    assert found["top1"]["mean"] == pytest.approx(1.0)


def test_collect_writes_both_files(report: Any, tmp_path: Path) -> None:
    for run in (run_of("random", 0, 0.1, 0.3), run_of("ecr", 0, 0.3, 0.41), run_of("ecr", 1, 0.4, 0.42)):
        (tmp_path / f"{run['arm']}-seed{run['seed']}.json").write_text(json.dumps(run))
    report.collect(tmp_path, tmp_path / "results", study_of("ecr"), "ecr_cifar10")
    page = (tmp_path / "results" / "ecr_cifar10.md").read_text()
    assert "| VICReg + ECR | 0.350 ± 0.071 |" in page
    assert "| random initialisation | 0.100 |" in page
    assert len(json.loads((tmp_path / "results" / "ecr_cifar10.json").read_text())["runs"]) == 3


def test_collect_keeps_what_was_there_and_takes_the_new(report: Any, tmp_path: Path) -> None:
    def write(*runs: dict[str, Any]) -> None:
        for file in tmp_path.glob("*-seed*.json"):
            file.unlink()
        for run in runs:
            (tmp_path / f"{run['arm']}-seed{run['seed']}.json").write_text(json.dumps(run))
        report.collect(tmp_path, tmp_path, study_of("ecr"), "ecr_x")

    write(run_of("random", 0, 0.1, 0.3), run_of("ecr", 0, 0.3, 0.41))
    write(run_of("ecr", 0, 0.5, 0.41), run_of("vicreg", 0, 0.2, 0.4))
    runs = json.loads((tmp_path / "ecr_x.json").read_text())["runs"]
    assert [(run["arm"], run["rows"][0]["mean_r2"]["mlp"]) for run in runs] == [
        ("random", 0.1), ("vicreg", 0.2), ("ecr", 0.5)
    ]  # fmt: skip


def test_runs_of_one_study_are_taken_over_by_the_other(report: Any, tmp_path: Path) -> None:
    for run in (run_of("vicreg", 0, 0.1, 0.3), run_of("random", 0, 0.05, 0.2), run_of("ecr", 1, 0.4, 0.42)):
        (tmp_path / f"{run['arm']}-seed{run['seed']}.json").write_text(json.dumps(run))
    report.collect(tmp_path, tmp_path / "results", study_of("ecr"), "ecr_x")
    folder = tmp_path / "methods"
    folder.mkdir()
    report.take_over(tmp_path / "results" / "ecr_x.json", folder, study_of("methods"))
    assert sorted(file.name for file in folder.iterdir()) == ["random-seed0.json", "vicreg-seed0.json"]
    (folder / "vicreg_ecr-seed0.json").write_text(json.dumps(run_of("vicreg_ecr", 0, 0.3, 0.41)))
    report.collect(folder, tmp_path / "results", study_of("methods"), "methods_x")
    page = (tmp_path / "results" / "methods_x.md").read_text()
    assert "| VICReg + ECR − VICReg | +0.200 |" in page
