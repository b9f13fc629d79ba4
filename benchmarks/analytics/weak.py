# SPDX-License-Identifier: BSD-3-Clause
"""Weak scaling of equiheat: one rank with its share of the rows beside all ranks with all of them (`../paired.py`).

Started by `__main__.py` with at least 2 ranks.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

import libraries
import torch

import equiheat as ht

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from paired import WORLD, compare


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
    if WORLD.rank == 0:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
