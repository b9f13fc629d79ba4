# SPDX-License-Identifier: BSD-3-Clause
"""What 2 ranks gain over one, of the calls that take one rank long: call by call in one job (`../paired.py`)."""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import cases
import timing
import torch

import equiheat as ht

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from paired import WORLD, compare

LONG = 0.010  #: seconds of one rank


@contextmanager
def by_itself() -> Iterator[None]:
    """Arrays that are made inside live on this rank alone."""
    ht.use_comm(ht.MPI_SELF)
    try:
        yield
    finally:
        ht.use_comm(None)


def of_itself(call: Callable[[], object]) -> Callable[[], object]:
    """The call with this rank alone as the default communicator."""

    @wraps(call)
    def run() -> object:
        with by_itself():
            return call()

    return run


def measured(choice: timing.Choice, seconds: float) -> dict[str, Any]:
    """Figures by name of the calls that take one rank long."""
    found = {}
    for group in filter(choice.wants, cases.GROUPS):
        with by_itself():
            own = {name: of_itself(call) for name, call in timing.build(group, ht).items() if choice.cases in name}
        together = timing.build(group, ht)
        for name, call in own.items():
            call()
            if timing.once(call, 1) < LONG:  # of the slowest rank: the same on all
                continue
            row = found[f"{group.__name__}.{name}"] = compare(call, together[name], seconds)
            if WORLD.rank == 0:
                print(f"{group.__name__}.{name}", row["seconds"], row["over together"], flush=True)
    return found


def run(out: pathlib.Path, choice: timing.Choice, seconds: float) -> None:
    """Time the groups; rank 0 adds them to `speedup.json`."""
    torch.set_num_threads(1)
    found = measured(choice, seconds)
    if WORLD.rank == 0:
        out.mkdir(parents=True, exist_ok=True)
        path = out / "speedup.json"
        known = json.loads(path.read_text())["calls"] if path.exists() else {}
        whole = {"ranks": WORLD.size, "about": timing.about(None), "calls": known | found}
        path.write_text(json.dumps(whole, indent=1) + "\n")
