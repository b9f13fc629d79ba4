# SPDX-License-Identifier: BSD-3-Clause
"""A training step of VICReg with cross-attention reconstruction: with the fused operator and with torch's operations.

    python benchmarks/reconstruction_training.py --out figures.json

Both variants take turns in one process, on the same model and images; times are medians, memory is the peak of torch's
allocator above what the step starts with (profiled in a step of its own).
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import time
from collections.abc import Callable
from unittest import mock

import torch
from cross_attention_reconstruction import peak_bytes, processor

from equiheat.nn import functional
from equiheat.ssl.encoders import build_encoder
from equiheat.ssl.methods.ecr import ECR, ECRConfig
from equiheat.ssl.methods.vicreg import VICReg
from equiheat.ssl.model import Model
from equiheat.ssl.views import Views

CASES = [("resnet-lite", 32, 128), ("vit-micro-p4", 32, 64), ("vit-tiny-p8", 64, 16)]


def training_step(encoder_name: str, side: int, batch: int) -> Callable[[], None]:
    encoder = build_encoder(encoder_name, image_size=side, seed=0)
    config = ECRConfig(weight=25.0)
    model = Model(encoder, ECR(VICReg(encoder.dim - config.equi_dim(encoder.dim)), encoder, config))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    views = Views(torch.rand(batch, 3, side, side), torch.rand(batch, 3, side, side), {}, {})

    def step() -> None:
        optimizer.zero_grad()
        terms, _ = model(views)
        terms["loss"].backward()
        optimizer.step()

    return step


def composed(step: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        with (
            mock.patch.object(functional, "loss_applies", return_value=False),
            mock.patch.object(functional, "attention_applies", return_value=False),
        ):
            step()

    return run


def compare(case: tuple[str, int, int], repeats: int) -> dict[str, object]:
    step = training_step(*case)
    runs = {"before": composed(step), "after": step}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(-1, repeats):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if repeat >= 0:
                times[name].append(time.perf_counter() - start)
    milliseconds = {n: 1e3 * statistics.median(t) for n, t in times.items()}
    ratios = sorted(b / a for b, a in zip(times["before"], times["after"], strict=True))
    return {
        "encoder": case[0],
        "side": case[1],
        "batch": case[2],
        "milliseconds": milliseconds,
        "speedup": statistics.median(ratios),
        "megabytes": {n: peak_bytes(run) / 1e6 for n, run in runs.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = []
    for case in CASES:
        rows.append(compare(case, options.repeats))
        row = rows[-1]
        ms, mb = row["milliseconds"], row["megabytes"]
        print(
            f"{case[0]} {case[1]} px, batch {case[2]}: {ms['before']:.1f} -> {ms['after']:.1f} ms "
            f"(x{row['speedup']:.2f}), peak {mb['before']:.0f} -> {mb['after']:.0f} MB",
            flush=True,
        )
    about = {"processor": processor(), "torch": torch.__version__, "threads": options.threads}
    if options.out:
        options.out.write_text(json.dumps({"about": about, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
