# SPDX-License-Identifier: BSD-3-Clause
"""Weak scaling of equiheat: one rank with its share of the rows beside all ranks with all of them (`../paired.py`).

Started by `__main__.py` with at least 2 ranks. Beside the problems stands what the machine allows where cores share
its memory: every rank adds up as many samples, or fills as large a matrix, with torch and without a message.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

import libraries
import problems
import torch

import equiheat as ht

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from paired import WORLD, Call, compare


def ceilings(rows: int, columns: int) -> dict[str, Call]:
    """Reading a rank's samples, and writing new memory as large as its part of the matrix of distances."""
    samples, part = torch.ones(rows, problems.FEATURES), (columns // WORLD.size, columns)
    return {"reading": lambda: samples.sum(), "writing": lambda: torch.ones(part)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, required=True, help="of all ranks")
    parser.add_argument("--pairs", type=int, required=True, help="rows of the distance matrix, all ranks")
    parser.add_argument("--seconds", type=float, required=True, help="of the calls together, per problem")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows, pairs = options.rows // WORLD.size, int(options.pairs / WORLD.size**0.5)
    together = libraries.heat_like(ht, options.rows, options.pairs)
    own = libraries.heat_like(ht, rows, pairs, comm=ht.MPI_SELF)
    found = {name: compare(own[name], call, options.seconds) for name, call in together.items()}
    found |= {name: compare(call, call, options.seconds) for name, call in ceilings(rows, options.pairs).items()}
    if WORLD.rank == 0:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
