# SPDX-License-Identifier: BSD-3-Clause
"""The collectives of comm/ on simulated ranks: SimGrid's SMPI runs benchmarks/native/simulated_collectives.cpp.

The flat platform is what the model assumes: every node has a link of its own each way, whose latency is half of alpha,
and nothing between the links is shared. It shows whether a formula counts an algorithm's messages rightly, and which
ranks wait for each other. The tree shows what the model leaves out, messages that share a link.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import collective_costs
from network import PRESETS, Network

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/release/benchmarks/simulated_collectives.so"

#: names of the algorithms here and in SMPI
NAMES = {
    "allreduce": {"recursive doubling": "rdb", "Rabenseifner": "rab_rdb", "ring": "lr"},
    "reduce_scatter": {"recursive halving": "ompi_basic_recursivehalving", "pairwise": "mpich_pair"},
    "allgather": {"Bruck or recursive doubling": "rdb", "ring": "ring"},
    "bcast": {"binomial tree": "binomial_tree", "scatter, recursive doubling": "scatter_rdb_allgather"},
    "alltoall": {"Bruck": "bruck", "pairwise": "pair"},
}
OPTIONS = {
    "smpi/simulate-computation": "no", "contexts/stack-size": "256", "smpi/bw-factor": "0:1", "smpi/lat-factor": "0:1",
    "network/crosstraffic": "0", "network/weight-S": "0", "network/TCP-gamma": "1e15", "smpi/test": "1e-8",
    "smpi/grow-injected-times": "no", "smpi/wtime": "0", "smpi/barrier": "ompi_recursivedoubling",
}  # fmt: skip


class Trial(NamedTuple):
    """One collective to simulate."""

    kind: str
    algorithm: str
    bytes: int
    ranks: int

    def predicted(self, net: Network) -> float:
        """Seconds after the formula. Combining costs nothing in the simulation."""
        return collective_costs.seconds(self.kind, self.ranks, self.bytes, net._replace(gamma=0.0), self.algorithm)


def platform(net: Network, nodes: int = 1024, tree: bool = False) -> str:
    """Description of the machine, for smpirun -platform: one switch that is never full, or 32 switches of 32 nodes.

    Those have 16 links each to switches above: 2 nodes share a link. Between two of them latency is alpha.
    """
    shape = 'topology="FAT_TREE" topo_parameters="2;32,32;1,16;1,1"' if tree else 'topology="FLAT"'
    nodes = 1024 if tree else nodes
    return f"""<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<!-- {net.name}. -->
<platform version="4.1">
  <cluster id="cluster" prefix="node" suffix="" radical="0-{nodes - 1}" speed="100Gf"
           bw="{1 / net.beta:.6g}Bps" lat="{net.alpha / (4 if tree else 2):.6g}s" {shape}/>
</platform>
"""


#: Messages that can be simulated in a minute or so.
MOST_MESSAGES = 70_000


def trials(ranks: int) -> Iterator[Trial]:
    """Each algorithm at sizes around those at which MPI takes it, where the simulator bears its number of messages."""
    for kind, names in {
        **NAMES,
        **{k: {next(iter(collective_costs.COSTS[k])): ""} for k in ("message", "halo")},
    }.items():
        for name in names:
            rounds = ranks - 1 if name in ("ring", "pairwise") else collective_costs.steps(ranks)
            for bytes in (64 * ranks, 64 << 10, min(1 << 20, (256 << 20) // ranks)):
                if rounds * ranks <= MOST_MESSAGES:
                    yield Trial(kind, name, bytes, ranks)
    if ranks <= 64:
        yield Trial("resplit", "four partners", 1 << 20, ranks)


def runs(wanted: Iterable[Trial]) -> list[list[Trial]]:
    """Trials that one process can make: SMPI takes one algorithm of a kind per process."""
    groups: list[list[Trial]] = []
    for trial in dict.fromkeys(wanted):
        fits = (g for g in groups if all(t.kind != trial.kind or t.algorithm == trial.algorithm for t in g))
        group = next(fits, None)
        if group is None:
            groups.append([trial])
        else:
            group.append(trial)
    return groups


def simulate(
    group: list[Trial], net: Network, tree: bool = False, program: pathlib.Path = PROGRAM, limit: float = 170
) -> dict[Trial, float]:
    """Simulated seconds of trials on one number of ranks; empty if the simulator needs longer than `limit` seconds."""
    ranks = group[0].ranks
    with tempfile.TemporaryDirectory() as folder:
        machine, hosts = pathlib.Path(folder) / "platform.xml", pathlib.Path(folder) / "hosts"
        machine.write_text(platform(net, max(ranks, 2), tree))
        hosts.write_text("".join(f"node{i}\n" for i in range(ranks)))
        chosen = {f"smpi/{t.kind}": NAMES[t.kind][t.algorithm] for t in group if t.kind in NAMES}
        command = ["smpirun", "-np", str(ranks), "-platform", str(machine), "-hostfile", str(hosts)]
        command += [f"--cfg={key}:{value}" for key, value in (OPTIONS | chosen).items()]
        command += ["--log=root.thresh:error", str(program), *(f"{t.kind}:{t.bytes}" for t in group)]
        environment = os.environ | {"EQUIHEAT_SHM": "0", "EQUIHEAT_CHECK": "0"}
        begin = time.perf_counter()
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            print(f"{ranks} ranks: more than {limit:.0f} s for {group}", flush=True)
            return {}
    lines = re.findall(r"^simulated (\w+) (\d+) (\d+) ([\d.]+)$", done.stdout, re.MULTILINE)
    if [(kind, int(n)) for kind, n, _, _ in lines] != [(t.kind, t.bytes) for t in group]:
        raise RuntimeError(f"smpirun ended with {done.returncode}: {done.stdout[-500:]} {done.stderr[-1500:]}")
    print(f"{ranks} ranks: {len(group)} calls in {time.perf_counter() - begin:.1f} s", flush=True)
    return {trial: float(line[3]) for trial, line in zip(group, lines, strict=True)}


def main() -> int:
    """Model / simulation on a full crossbar; 1 where they differ by more than a factor of 2."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--ranks", type=int, default=16)
    parser.add_argument("--program", type=pathlib.Path, default=PROGRAM)
    options = parser.parse_args()
    net, worst = PRESETS["infiniband"], 1.0
    for group in runs(trials(options.ranks)):
        for trial, seconds in simulate(group, net, program=options.program).items():
            ratio = trial.predicted(net) / seconds
            worst = max(worst, ratio, 1 / ratio)
            print(f"{trial.kind}, {trial.algorithm}, {trial.bytes} B: {seconds:.3g} s simulated, ratio {ratio:.2f}")
    return int(worst > 2)


if __name__ == "__main__":
    sys.exit(main())
