# SPDX-License-Identifier: BSD-3-Clause
"""The fused cross-attention reconstruction, forward and backward, against torch on the same machine in the same run.

    python benchmarks/cross_attention_reconstruction.py --out figures.json --plot figures.png
    python benchmarks/cross_attention_reconstruction.py --kind tiles --threads 1 --no-compile

For each shape and type of numbers: eager torch (softmax(Q K^T) V, linear, mean of squares),
scaled_dot_product_attention + linear + mse_loss, torch.compile of that, and ours. Methods and a matrix product of
1024 x 1024 take turns, so that whatever else the machine does meets all of them. A turn is a call that is not counted
and as many as take 10 ms: as in a training loop, cores are awake and memory is mapped. All figures are medians, of wall
time or (--clock cpu --threads 1, for a machine that others use too) of processor time. "share" is
ours in the matrix product's GFLOP/s, "roof" ours as a part of the least time for arithmetic at that rate and for
reading inputs and writing gradients at the rate of a copy. Memory is the peak of torch's allocator above the inputs,
gradients included. bfloat16: "tiles" are float32 inputs with products of bfloat16, "inputs" are bfloat16 inputs.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear, mse_loss, scaled_dot_product_attention

import equiheat.nn.functional as F
from equiheat.nn import _composition

TURN = 0.01  # seconds, at least
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


class Shape(NamedTuple):
    """Images, tokens, width, heads, pixels of a patch."""

    name: str
    batch: int
    tokens: int
    width: int
    heads: int
    pixels: int

    def flops(self) -> float:
        """Without recomputation."""
        attention = 12 * self.tokens**2 * self.width
        return float(self.batch * (attention + 6 * self.tokens * self.width * self.pixels))

    def numbers(self) -> int:
        """Read or written at least once: query, key, value and their gradients, target, weights and theirs."""
        return self.batch * self.tokens * (6 * self.width + self.pixels) + 2 * self.pixels * self.width


SHAPES = [
    Shape("32px ViT-Ti half", 32, 64, 96, 3, 48),
    Shape("64px ViT-Ti half", 32, 64, 96, 3, 192),
    Shape("64px ViT-Ti", 32, 64, 192, 3, 192),
    Shape("96px ViT-Ti", 16, 144, 192, 3, 192),
    Shape("128px ViT-S", 16, 64, 384, 6, 768),
    Shape("224px ViT-S half", 8, 196, 192, 3, 768),
    Shape("224px ViT-S", 4, 196, 384, 6, 768),
    Shape("224px ViT-L", 2, 196, 1024, 16, 768),
    Shape("256px ResNet-18", 8, 64, 256, 4, 3072),
]


def inputs(shape: Shape, dtype: torch.dtype) -> dict[str, Tensor]:
    g = torch.Generator().manual_seed(0)
    rows, pixels = (shape.batch, shape.tokens, shape.width), (shape.batch, shape.tokens, shape.pixels)
    sizes = {"query": rows, "key": rows, "value": rows, "weight": (shape.pixels, shape.width), "bias": (shape.pixels,)}
    made = {k: torch.randn(s, generator=g).to(dtype).requires_grad_() for k, s in sizes.items()}
    return made | {"target": torch.randn(pixels, generator=g).to(dtype)}


def eager(x: dict[str, Tensor], heads: int) -> Tensor:
    mixed = _composition.attention(x["query"], x["key"], x["value"], heads, (x["query"].shape[2] // heads) ** -0.5)
    return _composition.reconstruction_loss(mixed, x["weight"], x["bias"], x["target"], None)[0]


def sdpa(x: dict[str, Tensor], heads: int) -> Tensor:
    q, k, v = (x[n].unflatten(2, (heads, -1)).transpose(1, 2) for n in ("query", "key", "value"))
    mixed = scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
    return mse_loss(linear(mixed, x["weight"], x["bias"]), x["target"])


def methods(compiled: Callable[..., Tensor] | None, dtype: torch.dtype) -> dict[str, Callable[..., Tensor]]:
    """By name; the last is ours."""
    table: dict[str, Callable[..., Tensor]] = {"eager": eager, "sdpa": sdpa}
    if compiled is not None:
        table["compile"] = compiled
    table["fused"] = lambda x, heads: F.cross_attention_reconstruction_loss(**x, num_heads=heads, arithmetic=dtype)
    return table


def step(method: Callable[..., Tensor], x: dict[str, Tensor], heads: int) -> None:
    for tensor in x.values():
        tensor.grad = None
    method(x, heads).backward()


def peak_bytes(run: Callable[[], object]) -> int:
    """Peak of torch's allocator during the call, above what was there before."""
    run()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        run()
    used = peak = 0
    for event in profile.profiler.kineto_results.events():
        if event.name() == "[memory]":
            used += event.nbytes()
            peak = max(peak, used)
    return peak


def rate_of_copy() -> float:
    """Bytes a second, read and written."""
    x = torch.zeros(64 << 20, dtype=torch.uint8)
    y = torch.empty_like(x)
    times = []
    for _ in range(7):
        start = time.perf_counter()
        y.copy_(x)
        times.append(time.perf_counter() - start)
    return 2 * x.numel() / statistics.median(times)


def measure(
    runs: dict[str, Callable[[], object]], threads: dict[str, int], options: argparse.Namespace
) -> dict[str, list[float]]:
    """Seconds a call of each, taking turns."""
    clock = CLOCKS[options.clock]
    times: dict[str, list[float]] = {name: [] for name in runs}
    calls = dict.fromkeys(runs, 1)
    for turn in range(1 + options.repeats):
        for name, run in runs.items():
            torch.set_num_threads(threads.get(name, options.threads))
            run()
            start = clock()
            for _ in range(calls[name]):
                run()
            seconds = (clock() - start) / calls[name]
            times[name].append(seconds)
            if turn == 0:  # only to know how many calls a turn has
                calls[name] = math.ceil(TURN / seconds)
    torch.set_num_threads(options.threads)
    return {name: found[1:] for name, found in times.items()}


def compare(shape: Shape, kind: str, options: argparse.Namespace) -> dict[str, object]:
    """One row of the table. kind: float32, tiles (float32 inputs, bfloat16 products), inputs (bfloat16 inputs)."""
    arithmetic = torch.float32 if kind == "float32" else torch.bfloat16
    x = inputs(shape, torch.bfloat16 if kind == "inputs" else torch.float32)
    base = inputs(shape, arithmetic)  # torch needs bfloat16 inputs for bfloat16 products
    torch._dynamo.reset()
    compiled = torch.compile(sdpa) if options.compile else None
    table = methods(compiled, arithmetic)
    runs = {n: (lambda m=m, n=n: step(m, x if n == "fused" else base, shape.heads)) for n, m in table.items()}
    a = torch.randn(1024, 1024).to(arithmetic)
    every = {**runs, "gemm": lambda: a @ a, "one thread": runs["fused"], "gemm, one thread": lambda: a @ a}
    times = measure(every, {"one thread": 1, "gemm, one thread": 1}, options)
    seconds = {n: statistics.median(t) for n, t in times.items()}
    gemm = 2 * 1024**3 / seconds["gemm"]
    baselines = {n: seconds[n] for n in runs if n != "fused"}
    size = x["query"].element_size()
    floor = max(shape.flops() / gemm, shape.numbers() * size / options.copy_rate)
    return {
        "shape": shape._asdict(),
        "kind": kind,
        "milliseconds": {n: 1e3 * s for n, s in seconds.items()},
        "gflops": shape.flops() / seconds["fused"] / 1e9,
        "gemm_gflops": gemm / 1e9,
        "share": shape.flops() / seconds["fused"] / gemm,
        "roof": floor / seconds["fused"],
        "speedup": min(baselines.values()) / seconds["fused"],
        "best_baseline": min(baselines, key=lambda n: baselines[n]),
        "over_eager": seconds["eager"] / seconds["fused"],
        "scaling": seconds["one thread"] / seconds["fused"],
        "gemm_scaling": seconds["gemm, one thread"] / seconds["gemm"],
        "megabytes": {n: peak_bytes(run) / 1e6 for n, run in runs.items()},
        "gradient_megabytes": sum(t.numel() * t.element_size() for t in x.values() if t.requires_grad) / 1e6,
    }


def line(row: dict) -> str:
    ms, mb = row["milliseconds"], row["megabytes"]
    others = "  ".join(f"{n} {ms[n]:8.2f}" for n in mb if n != "fused")
    return (
        f"{row['shape']['name']:<17} {row['kind']:<8} {others}  fused {ms['fused']:8.2f} ms "
        f"{row['gflops']:5.0f} GFLOP/s "
        f"share {row['share']:4.0%} roof {row['roof']:4.0%} x{row['speedup']:.2f} ({row['best_baseline']}) "
        f"threads x{row['scaling']:.2f} (gemm x{row['gemm_scaling']:.2f}) "
        f"MB {mb['fused']:.1f} (gradients {row['gradient_megabytes']:.1f}) / "
        + " / ".join(f"{mb[n]:.1f}" for n in mb if n != "fused")
    )


def plot(rows: list[dict], path: pathlib.Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    kinds = sorted({r["kind"] for r in rows})
    figure, axes = plt.subplots(len(kinds), 1, figsize=(10, 3.2 * len(kinds)), squeeze=False)
    for ax, kind in zip(axes[:, 0], kinds, strict=True):
        part = [r for r in rows if r["kind"] == kind]
        names = list(part[0]["megabytes"])
        for i, name in enumerate(names):
            flops = [Shape(**r["shape"]).flops() / r["milliseconds"][name] / 1e6 for r in part]
            ax.bar([k + i * 0.8 / len(names) for k in range(len(part))], flops, 0.8 / len(names), label=name)
        heights = [r["gemm_gflops"] for r in part]
        ax.plot(range(len(part)), heights, "k_", markersize=40, label="1024 x 1024 product")
        ax.set_xticks(range(len(part)), [r["shape"]["name"] for r in part], rotation=20, fontsize=7)
        ax.set(title=kind, ylabel="GFLOP/s")
        ax.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def processor() -> str:
    path = pathlib.Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    sets = [
        n
        for n in ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
        if any(line.startswith("flags") and n in line for line in lines)
    ]
    return f"{names[0] if names else platform.machine()}, {len(names)} cores, {' '.join(sets)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", nargs="*", default=["float32", "tiles", "inputs"])
    parser.add_argument("--shapes", type=int, nargs="*", default=list(range(len(SHAPES))))
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: with one thread only")
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--with", dest="earlier", type=pathlib.Path, nargs="*", default=[], help="JSON of other shapes")
    parser.add_argument("--out", type=pathlib.Path, help="write the figures to this JSON file")
    parser.add_argument("--plot", type=pathlib.Path, help="draw them into this picture")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.copy_rate = rate_of_copy()
    rows = [row for path in options.earlier for row in json.loads(path.read_text())["rows"]]
    for kind in options.kind:
        for number in options.shapes:
            rows.append(compare(SHAPES[number], kind, options))
            print(line(rows[-1]), flush=True)
    for kind in sorted({row["kind"] for row in rows}):
        part = [r for r in rows if r["kind"] == kind]
        for figure in ("share", "speedup", "over_eager", "scaling", "gemm_scaling"):
            print(f"{kind}: {figure} geometric mean {statistics.geometric_mean(r[figure] for r in part):.2f}")
    described = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    about = {
        "command": "python " + " ".join(sys.argv),
        "commit": described.stdout.strip(),
        "processor": processor(),
        "torch": torch.__version__,
        "threads": options.threads,
        "clock": options.clock,
    }
    if options.out:
        options.out.write_text(json.dumps({"about": about, "copy_rate": options.copy_rate, "rows": rows}, indent=1))
    if options.plot:
        plot(rows, options.plot)


if __name__ == "__main__":
    main()
