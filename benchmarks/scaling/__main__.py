# SPDX-License-Identifier: BSD-3-Clause
"""From messages measured here to 1,024 ranks: measure, simulate, and write the tables (docs/scaling.md).

    ninja -C build/release simulated_collectives     # Debian: libsimgrid-dev; without it --only measure report
    python benchmarks/scaling --out benchmarks/results/scaling

--only names the parts to do; the others stay as they are in the results. On a cluster, one rank a node:

    srun -N 2 -n 2 python benchmarks/scaling/measure.py --out two.json
    python benchmarks/scaling --out mine --only given report --given two.json
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
from typing import Any

import extrapolate
import report
import simulate
from network import Network

HERE = pathlib.Path(__file__).resolve().parent


def about(parts: list[str]) -> dict[str, str]:
    """The machine, and for each part of the results what made it."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    machine = f"{next(names, platform.machine())}, {len(os.sched_getaffinity(0))} cores"
    command = "python benchmarks/scaling " + " ".join(sys.argv[1:])
    return {"machine": machine} | dict.fromkeys(parts, f"`{command}` at {commit}")


def measure(ranks: int) -> dict[str, Any]:
    """What measure.py finds on so many ranks, one thread each."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "found.json"
        command = ["mpiexec", "-n", str(ranks), sys.executable, str(HERE / "measure.py"), "--out", str(out)]
        subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=True)
        return json.loads(out.read_text())


def least(a: Any, b: Any) -> Any:
    """The lesser time everywhere: what else runs on a machine only adds to it."""
    if isinstance(a, dict):
        return {key: least(a[key], b[key]) for key in a}
    return min(a, b) if isinstance(a, float) else a


def measure_in_turns(counts: list[int], turns: int) -> dict[str, Any]:
    """By number of ranks; turns, so that a busy minute of the machine does not hit one of them alone."""
    found = [{str(p): measure(p) for p in counts} for _ in range(turns)]
    return functools.reduce(least, found)


def check(found: dict[str, Any], options: argparse.Namespace) -> None:
    """Simulations, kept one process after the other; those that are there already have the same network."""
    if "check" not in found:
        net = extrapolate.measured(found["measured"])
        found["platform"] = {"flat": simulate.platform(net), "tree": simulate.platform(net, tree=True)}
        found["platform"]["network"] = net._asdict()
    net = Network(**found["platform"]["network"])
    for ranks in options.ranks:
        for group in simulate.runs(simulate.trials(ranks)):
            times = simulate.simulate(group, net, options.tree, options.program)
            for trial, seconds in times.items():
                row = trial._asdict() | {"machine": "tree" if options.tree else "flat", "simulated": seconds}
                same = ("kind", "algorithm", "bytes", "ranks", "machine")
                found["check"] = [r for r in found.get("check", []) if any(r[k] != row[k] for k in same)] + [row]
            keep(options.out, found)


def keep(out: pathlib.Path, found: dict[str, Any]) -> None:
    out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="results, without suffix")
    parser.add_argument("--only", nargs="+", default=["measure", "check", "report"])
    parser.add_argument("--given", type=pathlib.Path, help="what measure.py found elsewhere, at 2 ranks or more")
    parser.add_argument("--most", type=int, default=min(2, os.cpu_count() or 1), help="ranks to measure on")
    parser.add_argument("--turns", type=int, default=3, help="of the measurement; the least of each time counts")
    parser.add_argument("--ranks", type=int, nargs="+", default=[16, 64, 256, 1024], help="to simulate")
    parser.add_argument("--tree", action="store_true", help="simulate a fat tree instead of a full crossbar")
    parser.add_argument("--program", type=pathlib.Path, default=simulate.PROGRAM)
    options = parser.parse_args()
    if "check" in options.only and not (shutil.which("smpirun") and options.program.exists()):
        parser.error(f"check needs smpirun (Debian: libsimgrid-dev) and {options.program}; see --help")
    path = options.out.with_suffix(".json")
    found = json.loads(path.read_text()) if path.exists() else {}
    if {"measure", "given"} & set(options.only):
        found = {}  # all of it follows from the measurement
    machine = "fat tree" if options.tree else "crossbar"
    names = {"check": f"check, {machine}, ranks {options.ranks}"}
    found["about"] = found.get("about", {}) | about(
        [names.get(part, part) for part in options.only if part != "report"]
    )
    if "measure" in options.only:
        found["measured"] = measure_in_turns([1, options.most], options.turns)
    if "given" in options.only:
        given = json.loads(options.given.read_text())
        found["measured"] = measure_in_turns([1], options.turns) | {str(given["ranks"]): given}
    keep(options.out, found)
    if "check" in options.only:
        check(found, options)
    if "report" in options.only:
        found["tables"] = extrapolate.tables(found["measured"])
        keep(options.out, found)
        report.write(options.out, found)


if __name__ == "__main__":
    main()
