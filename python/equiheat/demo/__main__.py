# SPDX-License-Identifier: BSD-3-Clause
"""``mpiexec -n 2 python -m equiheat.demo --out runs/demo``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import torch
from mpi4py import MPI

import equiheat as ht
from equiheat.communication import Communicator, get_comm
from equiheat.demo.arrays import Step, run_arrays
from equiheat.demo.images import Source, find_images
from equiheat.demo.progress import Stages
from equiheat.demo.story import Results, write_page
from equiheat.demo.training import ARMS, Trained, has_bf16, probe, recipe, reconstruct, train
from equiheat.ssl.probes import ProbeRow
from equiheat.ssl.probes.tables import as_summary, summary_table, write_atomically

ARRAYS, IMAGES, PROBES, REPORT = "arrays against NumPy", "images", "probes", "report"
#: Expected seconds on two cores of 2023; relative lengths are what counts.
STAGES = {ARRAYS: 6.0, IMAGES: 3.0, **dict.fromkeys(ARMS, 75.0), PROBES: 50.0, REPORT: 4.0}
#: Training images, their side in pixels, epochs: about four minutes on two cores with bfloat16, and on two without.
LONG, SHORT = (2560, 48, 12), (1920, 40, 7)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m equiheat.demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help="folder for report.html and metrics.json")
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"), help="folder that may hold image sets")
    words = "{} or {}, as the processor multiplies bfloat16 or not".format
    parser.add_argument("--images", type=int, help="training images at most; " + words(LONG[0], SHORT[0]))
    parser.add_argument("--size", type=int, help="side of the images in pixels; " + words(LONG[1], SHORT[1]))
    parser.add_argument("--epochs", type=int, help=words(LONG[2], SHORT[2]))
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def fill(options: argparse.Namespace, bf16: bool) -> None:
    """Give the sizes that were left open."""
    for name, value in zip(("images", "size", "epochs"), LONG if bf16 else SHORT, strict=True):
        if getattr(options, name) is None:
            setattr(options, name, value)


def main() -> int:
    """Run both halves; 0 if everything agreed."""
    options, comm = parse(), get_comm()
    start = time.perf_counter()
    fill(options, has_bf16(comm))
    _fresh(options.out, comm)
    with Stages(STAGES, visible=comm.rank == 0) as stages:
        steps = _arrays(stages, comm)
        stages.begin(IMAGES)
        source = find_images(options.shared, size=options.size, limit=options.images, comm=comm)
        stages.say(f"images: {source.title}; {len(source.train)} to learn from, {len(source.test)} to be judged on")
        trained = [_train(name, options, source, stages, comm) for name in ARMS]
        rows = _probe(trained, source, stages, comm)
        stages.begin(REPORT)
        pictures = reconstruct(trained[-1], source, count=10)
        if comm.rank == 0:
            counts = (len(source.train), len(source.test))
            about = _about(time.perf_counter() - start)
            results = Results(steps, trained, rows, pictures, source.title, counts, comm.size, about)
            write_atomically(options.out / "report.html", write_page(results))
            write_atomically(options.out / "metrics.json", json.dumps(_metrics(results), indent=1) + "\n")
    return _verdict(steps, rows, options.out, stages, time.perf_counter() - start)


def _fresh(out: Path, comm: Communicator) -> None:
    """Make the folder, remove what an earlier demonstration left in it."""
    if comm.rank == 0:
        out.mkdir(parents=True, exist_ok=True)
        for name in ARMS.values():
            shutil.rmtree(out / name, ignore_errors=True)
    comm.barrier()


def _arrays(stages: Stages, comm: Communicator) -> list[Step]:
    stages.begin(ARRAYS)
    steps = run_arrays(comm, lambda done, of, what: stages.advance(done, of, what))
    for step in steps:
        stages.say(
            f"{'agrees ' if step.good else 'DIFFERS'} {step.name}: {step.result} (largest difference {step.error:.1e}; "
            f"{1e3 * step.seconds:.1f} ms on {comm.size} ranks, NumPy {1e3 * step.numpy_seconds:.1f} ms)"
        )
    return steps


def _train(name: str, options: argparse.Namespace, source: Source, stages: Stages, comm: Communicator) -> Trained:
    stages.begin(name)
    config = recipe(
        name, out=options.out, size=options.size, epochs=options.epochs, seed=options.seed, bf16=has_bf16(comm)
    )
    arm = train(name, config, source, comm=comm, report=lambda done, of, note: stages.advance(done, of, note))
    stages.say(f"{name}: {arm.trainer.total_steps} steps in {arm.seconds:.0f} s; {arm.metrics[-1].get('verdict', '')}")
    return arm


def _probe(trained: list[Trained], source: Source, stages: Stages, comm: Communicator) -> list[ProbeRow]:
    stages.begin(PROBES)

    def report(number: int, encoders: int, what: str, done: int, of: int) -> None:
        stages.advance(number + done / of, encoders, what)

    rows = probe(trained, source, comm=comm, report=report)
    stages.say(summary_table(rows, title="which transformation happened? (frozen features)"))
    return rows


def _metrics(results: Results) -> dict[str, Any]:
    return {
        "about": {
            **results.about,
            "ranks": results.ranks,
            "images": results.images,
            "counts": results.counts,
        },
        "arrays": [step.as_dict() for step in results.steps],
        "training": {arm.name: {"seconds": arm.seconds, "steps": arm.metrics} for arm in results.trained},
        "probes": as_summary(results.rows),
    }


def _about(seconds: float) -> dict[str, Any]:
    cpu = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
    models = [line.split(":", 1)[1].strip() for line in cpu.splitlines() if line.startswith("model name")]
    return {
        "equiheat": ht.__version__,
        "torch": torch.__version__,
        "mpi": MPI.Get_library_version().splitlines()[0].strip(),
        "cpu": f"{models[0] if models else platform.processor()} ({os.cpu_count()} cores)",
        "seconds": seconds,
    }


def _verdict(steps: list[Step], rows: list[ProbeRow], out: Path, stages: Stages, seconds: float) -> int:
    """Exit code, the same on every rank: what is compared is replicated."""
    wrong = [step.name for step in steps if not step.good]
    whole = {row.encoder: row.mean("mlp") for row in rows if row.part == "all"}
    stages.say(f"report: {(out / 'report.html').absolute()} ({seconds:.0f} s)")
    for name in wrong:
        stages.say(f"FAILED: {name} differs from NumPy")
    if not all(value == value for value in whole.values()):
        stages.say(f"FAILED: a probe gave no number: {whole}")
        return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
