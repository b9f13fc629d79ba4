# SPDX-License-Identifier: BSD-3-Clause
"""Compiles the CUDA kernels with nvcc alone and fails when one of them, or a function it calls, spills registers.

    python tools/check_registers.py [--out table.txt]

Needs nvcc, no GPU and no torch. The table has one line per kernel and architecture.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCE = "csrc/kernels/cross_attention_reconstruction/reconstruction_cuda.cu"
ARCHITECTURES = ("80", "90a")
ENTRY = re.compile(r"Compiling entry function '(\w+)'")
FUNCTION = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")


def compiled(architecture: str, folder: str) -> str:
    """What ptxas says."""
    command = ["nvcc", "-std=c++20", "-O3", "-Icsrc", f"-arch=sm_{architecture}", "-Xptxas", "-v", "--cubin"]
    command += ["-o", f"{folder}/{architecture}.cubin", SOURCE]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{run.stderr}")
    return run.stderr


def name_of(symbol: str) -> str:
    """Kernel, words and features summed in registers, of a mangled name."""
    kernel = re.search(r"\d+(images_kernel|sum_kernel)", symbol)
    words = re.search(r"\d+(Float|Bf16|Half)WordsELi(\d+)", symbol)
    return f"{kernel[1] if kernel else symbol}{f'<{words[1]}, {words[2]}>' if words else ''}"


def main() -> int:
    """Compile for all architectures at once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    workers = min(len(ARCHITECTURES), len(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        logs = list(pool.map(lambda a: compiled(a, folder), ARCHITECTURES))
    lines = [f"{'architecture':<14}{'kernel':<28}{'registers':>9}{'stack':>7}{'spilled':>9}"]
    spilled = 0
    for architecture, log in zip(ARCHITECTURES, logs, strict=True):
        for symbol, said in zip(*[iter(ENTRY.split(log)[1:])] * 2, strict=True):
            functions = FUNCTION.findall(said)  # the kernel's and those it calls
            stack, lost = functions[0][0], sum(int(stores) + int(loads) for _, stores, loads in functions)
            registers = re.search(r"Used (\d+) registers", said)
            lines.append(
                f"sm_{architecture:<11}{name_of(symbol):<28}{registers[1] if registers else '?':>9}{stack:>7}{lost:>9}"
            )
            spilled += lost
    print("\n".join(lines))
    if options.out:
        options.out.write_text("\n".join(lines) + "\n")
    return 1 if spilled else 0


if __name__ == "__main__":
    sys.exit(main())
