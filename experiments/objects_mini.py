# SPDX-License-Identifier: BSD-3-Clause
"""3DIEBench-mini: what do features tell of the rotation between two views of an object?

Usage: [mpiexec -n 2] python experiments/objects_mini.py --meshes DIR [--out DIR] [--seeds 0 1 2] [--epochs 100]

Renders the meshes once (64 pixels, in 3DIEBench's scene and layout), trains every arm on four of five objects of each
class and most of their views, and regresses rotation, colour and all latents from pairs of views: of the other objects,
and of new views of the objects that were trained on. SIE and EquiMod are told the rotation, and the supervised arm
is trained for nothing else; the other arms are told nothing. A rerun goes on where the last one stopped. Writes one
JSON file for each (arm, seed), and `objects_mini.json` with all of them.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import sys
import time
from typing import Any

import torch
from objects_report import markdown
from objects_supervised import train_supervised

from equiheat.communication import get_comm
from equiheat.data import Objects3D
from equiheat.data.render import RenderCommand, Scene, render
from equiheat.ssl import AugmentConfig, OptimConfig, PretrainConfig, Trainer, build_encoder, load_encoder
from equiheat.ssl.methods import ECRConfig, EquiModConfig, SIEConfig, TIRConfig, VICRegConfig
from equiheat.ssl.probes import FrozenEncoder, ObjectProbeConfig, probe_objects
from equiheat.ssl.probes.command import trained_encoder
from equiheat.ssl.probes.tables import write_atomically
from equiheat.ssl.provenance import provenance

ENCODER, RENDERED = "resnet-lite", 64
TOLD = ("quaternion",)
#: Arms: method and auxiliary; all share encoder, pairs of views, optimiser, steps. Two more are trained on nothing
#: ("random"), and on the rotation itself ("supervised").
ARMS: dict[str, dict[str, Any]] = {
    "vicreg": {"method": "vicreg"},
    "sie": {"method": "sie", "sie": SIEConfig(conditions=TOLD)},
    "equimod": {"method": "equimod", "equimod": EquiModConfig(conditions=TOLD, source="first")},
    "vicreg_ecr": {"method": "vicreg", "auxiliary": "ecr"},
    "vicreg_tir": {"method": "vicreg", "auxiliary": "tir", "tir": TIRConfig(families=("rotation",))},
}


def recipe(arm: str, seed: int, options: argparse.Namespace) -> PretrainConfig:
    """The run of an arm. TIR needs a transformation of its own: a rotation in the plane, of the second view."""
    second = AugmentConfig(rotation=45.0) if arm == "vicreg_tir" else AugmentConfig()
    return PretrainConfig(
        data=options.out / "data",
        out=options.out / f"{arm}-seed{seed}",
        encoder=ENCODER,
        image_size=options.size,
        batch_size=options.batch_size,
        epochs=options.epochs,
        precision=options.precision,
        seed=seed,
        view1=AugmentConfig(),
        view2=second,
        vicreg=VICRegConfig(invariance=10.0, variance=10.0, covariance=1.0),
        ecr=ECRConfig(weight=10.0),
        optim=OptimConfig(warmup_epochs=2.0),
        **ARMS[arm],
    )


def objects(part: str, views: tuple[int, int] | None, seed: int, options: argparse.Namespace) -> Objects3D:
    """Some of the rendered objects."""
    return Objects3D(options.out / "data", part=part, size=options.size, views=views, seed=seed)


def judged(arm: str, seed: int, options: argparse.Namespace) -> FrozenEncoder:
    """The arm's encoder, trained now if it was not before."""
    data = objects("train", (0, options.train_views), seed, options)
    if arm in ("random", "supervised"):
        encoder = build_encoder(ENCODER, image_size=options.size, seed=seed)
        if arm == "supervised":
            train_supervised(encoder, data, epochs=options.epochs, batch_size=options.batch_size, seed=seed)
        return FrozenEncoder(arm, lambda images: encoder(images).pooled, {"all": slice(None)}, encoder)
    config = recipe(arm, seed, options)
    checkpoint = config.out / "last.safetensors"
    Trainer(dataclasses.replace(config, resume=checkpoint.is_file()), data).fit()
    return trained_encoder(load_encoder(checkpoint), checkpoint, arm)


def work(arm: str, seed: int, options: argparse.Namespace) -> None:
    """Train, probe, write."""
    start = time.perf_counter()
    encoder = judged(arm, seed, options)
    trained = objects("train", (0, options.train_views), seed, options)
    config = ObjectProbeConfig(pairs=options.pairs, seed=seed)
    others = {
        "rows": objects("val", None, seed, options),
        "rows, new views": objects("train", (options.train_views, options.views), seed, options),
    }
    scores = {name: probe_objects(encoder, trained, other, config=config) for name, other in others.items()}
    if get_comm().rank == 0:
        rows = {name: [dataclasses.asdict(row) for row in found] for name, found in scores.items()}
        found = {"arm": arm, "seed": seed, **rows, "seconds": time.perf_counter() - start, **provenance()}
        write_atomically(options.out / f"{arm}-seed{seed}.json", json.dumps(found, indent=1) + "\n")
    get_comm().barrier()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--meshes", type=pathlib.Path, help="parametric shapes when omitted")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/objects_mini"))
    parser.add_argument("--arms", nargs="+", default=["random", *ARMS, "supervised"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--size", type=int, default=64, help="side of the images that are trained on, in pixels")
    parser.add_argument("--views", type=int, default=50, help="rendered of each object")
    parser.add_argument("--train-views", type=int, default=40, help="the first of them; the others are judged on")
    parser.add_argument("--pairs", type=int, default=12, help="of views of each object, to probe with")
    parser.add_argument("--limit", type=int, default=0, help="objects; 0: all")
    parser.add_argument("--precision", choices=["bf16", "fp32"], default="bf16")
    parser.add_argument("--results", type=pathlib.Path, help="folder for objects_mini.json and .md (default: --out)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not 2 <= options.train_views <= options.views - 2:
        parser.error(
            f"--train-views: {options.train_views}; of {options.views} views expected 2 to {options.views - 2}"
        )
    scene = Scene(size=RENDERED)
    command = RenderCommand(options.out / "data", options.meshes, views=options.views, limit=options.limit, scene=scene)
    failed = render(command)
    for seed in options.seeds:
        for arm in options.arms:
            if not (options.out / f"{arm}-seed{seed}.json").is_file():
                work(arm, seed, options)
    if get_comm().rank == 0:
        collect(options, failed)


def collect(options: argparse.Namespace, failed: list[str]) -> None:
    """All that `--out` has, as one JSON file and as tables."""
    runs = [json.loads(file.read_text()) for file in sorted(options.out.glob("*-seed*.json"))]
    about = {
        "command": "python " + " ".join(sys.argv),
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "date": time.strftime("%Y-%m-%d"),
        "epochs": options.epochs,
        "batch": options.batch_size,
        "pixels": options.size,
        "views": f"{options.views}, of which {options.train_views} are trained on",
        "probe": f"{options.pairs} pairs of views of each object",
        "precision": options.precision,
        "commit": ", ".join(dict.fromkeys(str(run["project_commit"]) for run in runs)),
        "minutes": round(sum(run["seconds"] for run in runs) / 60),
    }
    folder = options.results or options.out
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"about": about, "not rendered": failed, "runs": runs}
    write_atomically(folder / "objects_mini.json", json.dumps(whole, indent=1) + "\n")
    write_atomically(folder / "objects_mini.md", markdown(runs, ["random", *ARMS, "supervised"], about))


if __name__ == "__main__":
    main()
