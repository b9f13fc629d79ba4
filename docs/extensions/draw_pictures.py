# SPDX-License-Identifier: BSD-3-Clause
"""mpiexec -n 2 python draw_pictures.py FOLDER EXAMPLE...: runs examples one after the other, each with --picture."""

from __future__ import annotations

import pathlib
import runpy
import sys
import time

from mpi4py import MPI

import equiheat as ht


def main(folder: str, *examples: str) -> None:
    for example in examples:
        begin = time.monotonic()
        picture = pathlib.Path(folder) / f"{pathlib.Path(example).stem}.png"
        sys.argv = [example, "--picture", str(picture)]
        ht.random.seed(0)
        runpy.run_path(example, run_name="__main__")
        MPI.COMM_WORLD.Barrier()
        if MPI.COMM_WORLD.Get_rank() == 0:
            print(f"{example}: {time.monotonic() - begin:.1f} s", flush=True)
            if not picture.exists():
                raise FileNotFoundError(f"{example} has drawn no {picture}")  # ends the job


if __name__ == "__main__":
    main(*sys.argv[1:])
