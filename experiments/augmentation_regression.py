# SPDX-License-Identifier: BSD-3-Clause
"""What does reconstruction add to a self-supervised method? Arms of a study, several seeds, frozen-feature probes.

    python experiments/augmentation_regression.py --data ../shared/data/cifar10_subset --study methods

trains every (arm, seed) in a process of its own with one thread, `--jobs` of them at a time, probes the frozen encoder
and writes `<out>/<arm>-seed<k>.json`. A rerun skips what is done. At the end, or with `--collect` at any time, the
files are summarised in `<results>/<study>_<data>.json` and `.md`; what such a file holds of (arm, seed)s that are not
in `<out>` stays. Arms: experiments/studies.py; protocol and reading: experiments/README.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from augmentation_report import collect, take_over
from studies import BASE, STUDIES, Arm
from torch.nn.functional import avg_pool2d

from equiheat.communication import get_comm
from equiheat.data import load_images
from equiheat.ssl.checkpoint import load_encoder
from equiheat.ssl.config import OptimConfig, PretrainConfig
from equiheat.ssl.encoders import Encoder, build_encoder
from equiheat.ssl.methods.auxiliary import equi_dim
from equiheat.ssl.probes import FrozenEncoder, ImageRows, ProbeConfig, probe_encoder
from equiheat.ssl.probes.tables import as_summary, write_atomically
from equiheat.ssl.trainer import Trainer

Row = dict[str, Any]

ENCODER = "resnet-lite"


def arm_of(arm: str, options: argparse.Namespace) -> Arm:
    """The arm of that name in the study."""
    return STUDIES[options.study].arms[arm]


def recipe(name: str, seed: int, options: argparse.Namespace) -> PretrainConfig:
    """The run of a trained arm. All share encoder, initial weights, views, order, optimiser, steps, feature count."""
    arm = arm_of(name, options)
    return PretrainConfig(
        data=options.data / "train",
        out=options.out / f"{name}-seed{seed}",
        method=arm.method,
        auxiliary=arm.auxiliary,
        encoder=ENCODER,
        image_size=options.size,
        batch_size=128,
        precision=options.precision,
        epochs=options.epochs,
        seed=seed,
        ecr=arm.ecr,
        tir=arm.tir,
        optim=OptimConfig(warmup_epochs=1.0),
        threads=1,
        **BASE[arm.method],
    )


def frozen(encoder: Encoder, name: str, arm: Arm) -> FrozenEncoder:
    """The encoder with the parts that are probed: halves only where training told them apart."""
    parts = {"all": slice(None)}
    if arm.auxiliary != "none":
        options = arm.ecr if arm.auxiliary == "ecr" else arm.tir
        inv = encoder.dim - equi_dim(encoder.dim, options.equi_fraction)
        parts |= {"inv": slice(0, inv), "equi": slice(inv, encoder.dim)}
    return FrozenEncoder(name, lambda images: encoder(images).pooled, parts, encoder)


def trained(arm: str, seed: int, options: argparse.Namespace) -> tuple[Encoder, Row]:
    """Train, or take what an earlier call trained; the encoder, and what is known of the training."""
    config = recipe(arm, seed, options)
    record, checkpoint = config.out / "train.json", config.out / "last.safetensors"
    if not record.is_file():
        start, cpu = time.perf_counter(), time.process_time()
        data = load_images(options.data / "train", size=options.size)
        last = Trainer(dataclasses.replace(config, resume=checkpoint.is_file()), data).fit()
        seconds = {"wall": time.perf_counter() - start, "cpu": time.process_time() - cpu}
        known = {
            "last_step": last,
            "seconds": seconds,
            "recipe": json.loads(json.dumps(dataclasses.asdict(config), default=str)),
            **provenance(),
        }
        write_atomically(record, json.dumps(known, indent=1) + "\n")
    return load_encoder(checkpoint), json.loads(record.read_text())


def work(arm: str, seed: int, options: argparse.Namespace) -> None:
    """Train, probe, write one JSON file."""
    torch.set_num_threads(1)
    training: Row = {}
    if arm == "raw_pixels":
        # Means of squares: all numbers of an image would need more pairs than there are.
        side = options.size // 16
        judged = FrozenEncoder(arm, lambda images: avg_pool2d(images, side).flatten(1), {"all": slice(None)})
    elif arm == "random":
        judged = frozen(build_encoder(ENCODER, image_size=options.size, seed=seed), arm, arm_of(arm, options))
    else:
        encoder, training = trained(arm, seed, options)
        judged = frozen(encoder, arm, arm_of(arm, options))
    if options.train_only:
        return
    start, cpu = time.perf_counter(), time.process_time()
    train = load_images(options.data / "train", size=options.size)
    test = load_images(options.data / "test", size=options.size)
    comm = get_comm()
    rows = probe_encoder(
        judged,
        ImageRows.of(train, comm),
        ImageRows.of(test, comm),
        classes=len(train.classes),
        config=ProbeConfig(seed=seed),
    )
    result = {
        "arm": arm,
        "seed": seed,
        "rows": as_summary(rows),
        "training": training,
        "seconds": {"wall": time.perf_counter() - start, "cpu": time.process_time() - cpu},
        **provenance(),
    }
    write_atomically(result_file(arm, seed, options), json.dumps(result, indent=1) + "\n")


def provenance() -> Row:
    """Where and with what the numbers were measured."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    cpu = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
    models = [line.split(":", 1)[1].strip() for line in cpu.splitlines() if line.startswith("model name")]
    return {
        "command": os.environ.get("EXPERIMENT_COMMAND", " ".join(sys.argv)),
        "commit": commit.stdout.strip(),
        "machine": {"cpu": models[0] if models else platform.processor(), "cores": os.cpu_count()},
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "date": time.strftime("%Y-%m-%d"),
    }


def result_file(arm: str, seed: int, options: argparse.Namespace) -> Path:
    """Where a job writes; its being there means that the job is done."""
    name = f"{arm}-seed{seed}"
    alone = options.train_only and arm_of(arm, options).method
    path: Path = options.out / (f"{name}/train.json" if alone else f"{name}.json")
    return path


def run_jobs(jobs: Iterable[tuple[str, int]], options: argparse.Namespace) -> list[str]:
    """Run the jobs in processes of their own, `--jobs` at a time; returns the names of those that failed."""
    waiting = [job for job in jobs if not result_file(*job, options).is_file()]
    total, running, failed = len(waiting), {}, []
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "EXPERIMENT_COMMAND": "python " + " ".join(sys.argv)}
    while waiting or running:
        while waiting and len(running) < options.jobs:
            arm, seed = waiting.pop(0)
            log = (options.out / f"{arm}-seed{seed}.log").open("w")
            command = ["nice", "-n", str(options.nice), sys.executable, *sys.argv, "--worker", arm, str(seed)]
            # A session of its own is what Linux' scheduler shares the cores out to.
            running[(arm, seed)] = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, start_new_session=True
            )
            print(f"{time.strftime('%H:%M:%S')} started {arm} seed {seed}", flush=True)
        time.sleep(1.0)
        for job, process in list(running.items()):
            if process.poll() is None:
                continue
            del running[job]
            good = process.returncode == 0
            failed += [] if good else [f"{job[0]}-seed{job[1]}"]
            done = total - len(waiting) - len(running)
            state = "done" if good else "FAILED"
            print(f"{time.strftime('%H:%M:%S')} {state} {job[0]} seed {job[1]} ({done}/{total})", flush=True)
    return failed


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and test/")
    parser.add_argument("--study", choices=list(STUDIES), default="ecr")
    parser.add_argument("--size", type=int, default=32, help="side of the images in pixels, a multiple of 16")
    parser.add_argument("--out", type=Path, help="one JSON file per job (default: runs/<study>_<data>)")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results", help="folder of the summary")
    parser.add_argument(
        "--take-over", type=Path, help="results of study ecr on this data, whose arms are not run again"
    )
    parser.add_argument("--arms", nargs="+", help="default: all of the study")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument(
        "--precision",
        choices=["bf16", "fp32"],
        default="bf16",
        help="bf16 is many times slower on processors without bfloat16 instructions",
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time, one thread each")
    parser.add_argument("--train-only", action="store_true", help="leave the probes to a later call")
    parser.add_argument("--nice", type=int, default=10, help="of the processes")
    parser.add_argument("--collect", action="store_true", help="only summarise what is there")
    parser.add_argument("--worker", nargs=2, metavar=("ARM", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.size < 16 or options.size % 16:
        parser.error(f"--size: {options.size}; expected a multiple of 16")
    options.name = f"{options.study}_{options.data.resolve().name.removesuffix('_subset')}"
    options.out = options.out or Path("runs") / options.name
    known = STUDIES[options.study].arms
    options.arms = options.arms or list(known)
    if unknown := set(options.arms) - set(known):
        parser.error(f"--arms: {sorted(unknown)}; study {options.study} has {list(known)}")
    return options


def main() -> int:
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.worker:
        work(options.worker[0], int(options.worker[1]), options)
        return 0
    failed: list[str] = []
    study = STUDIES[options.study]
    if options.take_over:
        take_over(options.take_over, options.out, study)
    if not options.collect:
        for part in ("train", "test"):
            if not (options.data / part).is_dir():
                print(f"augmentation_regression: --data {options.data} has no folder {part!r}", file=sys.stderr)
                return 2
        arms = [arm for arm in options.arms if study.arms[arm].method or not options.train_only]
        jobs = [(arm, seed) for seed in options.seeds for arm in arms if arm != "raw_pixels"]
        jobs += [("raw_pixels", options.seeds[0])] if "raw_pixels" in arms else []
        failed = run_jobs(jobs, options)
    collect(options.out, options.results, study, options.name)
    for name in failed:
        print(f"failed: {name}, see {options.out / name}.log", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
