# SPDX-License-Identifier: BSD-3-Clause
"""What comes after a run: a report over several, the encoder for use elsewhere."""

from __future__ import annotations

import json
import re

import pytest
import torch
from safetensors.torch import load_file
from test_ssl_data import folder, write  # noqa: F401 (a fixture)
from test_ssl_train import data, recipe

from equiheat.cli import main
from equiheat.communication import get_comm
from equiheat.ssl.checkpoint import load_encoder
from equiheat.ssl.encoders import build_encoder
from equiheat.ssl.report import build, read_runs
from equiheat.ssl.trainer import Trainer


@pytest.mark.ranks(1, 2)
def test_report_and_export(folder, capfd):  # noqa: F811
    for name, auxiliary in (("plain", "none"), ("ecr", "ecr")):
        config = recipe(folder / name, auxiliary=auxiliary, steps=3, diagnose_steps=2, tensorboard=False)
        Trainer(config, data()).fit()
    rank = get_comm().rank
    if rank == 0:
        rows = [{"encoder": "ecr", "part": "equi", "dims": 64, "top1": 0.5, "r2": {"blur": {"ridge": {"mean": 0.25}}}}]
        (folder / "ecr" / "probe").mkdir()
        (folder / "ecr" / "probe" / "probe.json").write_text(json.dumps({"rows": rows}))
    get_comm().barrier()
    out = folder / "report.html"
    assert main(["report", "--runs", str(folder / "plain"), str(folder / "ecr"), "--out", str(out)]) == 0
    get_comm().barrier()
    text = out.read_text()
    assert text.count("<svg") >= 5
    assert "<td>auxiliary</td><td>none</td><td>ecr</td>" in text
    assert "ecr: ecr, equi</td><td>ridge</td><td>0.250</td><td>50.0</td>" in text
    assert len(re.findall("data:image/png;base64,", text)) == 1  # without reconstruction there is no picture
    assert "effective rank" in text
    assert main(["report", "--runs", str(folder), "--out", str(out)]) == 2
    checkpoint = folder / "ecr" / "last.safetensors"
    weights = folder / "weights.safetensors"
    assert main(["export", "--checkpoint", str(checkpoint), "--out", str(weights)]) == 0
    get_comm().barrier()
    fresh = build_encoder("resnet-lite", image_size=16)
    fresh.backbone.load_state_dict(load_file(weights))
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(fresh.eval()(images).pooled, load_encoder(checkpoint)(images).pooled)
    assert main(["report", "--runs", str(folder / "plain"), "--out", str(folder)]) == 2
    assert main(["export", "--checkpoint", str(checkpoint), "--out", str(folder)]) == 2
    text = capfd.readouterr().err
    assert text.count("is a folder; name the file to write") == 2 * (rank == 0)
    assert main(["export", "--checkpoint", str(checkpoint), "--out", str(weights), "--format", "timm"]) == 2
    assert ("is none of timm's" in capfd.readouterr().err) == (rank == 0)


def test_runs_of_one_name_their_regressors_and_their_objects(folder):  # noqa: F811
    def scores(method, value):
        return {method: {"mean": value, "pooled": value, "per_parameter": [value]}}

    def make():
        for place, method in (("a/run", "ridge"), ("b/run", "mlp"), ("b/other", "ridge")):
            probe = folder / place / "probe"
            probe.mkdir(parents=True)
            (folder / place / "metrics.jsonl").write_text(json.dumps({"step": 0, "loss": 1.0}) + "\n")
            row = {"encoder": "run", "part": "all", "dims": 4}
            rows = [row | {"top1": None, "r2": {"blur": scores(method, 0.25)}}]
            (probe / "probe.json").write_text(json.dumps({"rows": rows}))
            rows = [row | {"scores": {"rotation": scores(method, 0.5), "color": scores(method, 0.75)}}]
            (probe / "objects.json").write_text(json.dumps({"objects": [3, 2], "rows": rows}))

    write(make)
    runs = read_runs([folder / "a" / "run", folder / "b" / "run", folder / "b" / "other"])
    assert [run.name for run in runs] == ["a/run", "b/run", "other"]
    assert [run.name for run in read_runs([folder / "a" / "run"] * 2)] == ["run", "run"]
    text = build(runs)
    assert "a/run: run, all</td><td>ridge</td><td>0.250</td>" in text
    assert "b/run: run, all</td><td>mlp</td><td>0.250</td>" in text
    assert "b/run: run, all</td><td>mlp</td><td>0.500</td><td>0.750</td>" in text
    assert "<th>rotation</th><th>color</th>" in text
