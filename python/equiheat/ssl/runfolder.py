# SPDX-License-Identifier: BSD-3-Clause
"""The folder of a run."""

from __future__ import annotations

from pathlib import Path

import torch

from equiheat.communication import Communicator
from equiheat.ssl.config import PretrainConfig, recipe_of
from equiheat.ssl.provenance import provenance
from equiheat.ssl.state import check_same_recipe


def open_run(out: Path, config: PretrainConfig, comm: Communicator) -> bool:
    """Make the run's folder, or check that one can go on in it; write the recipe. Collective.

    Returns
    -------
    bool
        Whether the run goes on from ``last.safetensors``.

    Raises
    ------
    FileNotFoundError, FileExistsError, ValueError, OSError
        On every rank: no checkpoint to go on from; a run is there already; other settings than before; the folder
        cannot be written.
    """
    last = out / "last.safetensors"
    exists = int(comm.bcast(torch.tensor([last.is_file()], dtype=torch.int64), 0))
    if config.resume:
        if not exists:
            raise FileNotFoundError(f"resume: there is no checkpoint {str(last.absolute())!r}")
        check_same_recipe(last, config)
    elif exists:
        raise FileExistsError(f"{str(out.absolute())!r} holds a run already; use --resume to go on, or another --out")
    comm.barrier()
    problem = _write_recipe(out, config, comm) if comm.rank == 0 else None
    if int(comm.bcast(torch.tensor([problem is not None], dtype=torch.int64), 0)):
        reason = problem or "rank 0 says why"
        raise OSError(f"pretrain: the run's folder {str(out.absolute())!r} cannot be written: {reason}") from problem
    return bool(config.resume)


def _write_recipe(out: Path, config: PretrainConfig, comm: Communicator) -> OSError | None:
    """Make the folder and write the recipe; what the file system has against it. One rank calls this."""
    made_by = "".join(f"# {name}: {value}\n" for name, value in provenance().items())
    text = f"# equiheat pretrain, {comm.size} ranks\n{made_by}{recipe_of(config)}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "recipe.toml").write_text(text, encoding="utf-8")
    except OSError as error:
        return error
    return None
