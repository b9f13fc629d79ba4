# SPDX-License-Identifier: BSD-3-Clause
"""equiheat beside Heat: same torch, ranks and data, one run.

    pip install --no-deps --target build/heat heat==1.8.0
    export PYTHONPATH=$PYTHONPATH:build/heat
    mpiexec -n 1 python benchmarks/versus_heat run --out build/versus_heat
    mpiexec -n 2 python benchmarks/versus_heat run --out build/versus_heat
    mpiexec -n 2 python benchmarks/versus_heat speedup --out build/versus_heat
    python benchmarks/versus_heat report build/versus_heat benchmarks/results/versus_heat

Calls of the two libraries alternate; the time of a call is that of the slowest rank, from a barrier on; the figure is
the least of all rounds and of three builds of the inputs (six where another library is as fast as ours or nearly, for
all of them), because what else runs on a machine, and where an array happens to lie, only add. At one rank the same
call of torch, where it has one, alternates with them. A call that fails is "failed". Every rank computes with one
thread, so that one rank has one core and two have two. `--only` times some groups; the figures of several such runs
are put together, each with what it ran on. What 2 ranks gain over one is `speedup`'s to say: call by call in one job.
"""

from __future__ import annotations

import argparse
import os
import pathlib

os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")  # else memory that NumPy used before is the faster one

import report
import speedup
import timing


def main() -> None:
    parser = argparse.ArgumentParser(description="equiheat beside Heat.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="time all groups on the ranks there are")
    gain = commands.add_parser("speedup", help="all ranks beside one of them, of the calls that take one long")
    for command in (run, gain):
        command.add_argument("--out", type=pathlib.Path, required=True, help="folder of the figures")
        command.add_argument("--only", nargs="*", default=[""], help="groups whose names begin so")
        command.add_argument("--cases", default="", help="calls whose names contain this")
        command.add_argument("--seconds", type=float, default=0.6, help="per call and library")
    run.add_argument("--threads", type=int, default=1, help="of each rank")
    table = commands.add_parser("report", help="table, JSON and plot")
    table.add_argument("runs", type=pathlib.Path)
    table.add_argument("out", type=pathlib.Path)
    options = parser.parse_args()
    if options.command == "run":
        timing.run(options.out, timing.Choice(options.only, options.cases), options.seconds, options.threads)
    elif options.command == "speedup":
        speedup.run(options.out, timing.Choice(options.only, options.cases), options.seconds)
    else:
        report.write(options.runs, options.out)


if __name__ == "__main__":
    main()
