# SPDX-License-Identifier: BSD-3-Clause
"""Checkpoints: one safetensors file with a JSON header, replaced atomically. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from equiheat.ssl.encoders import Encoder, build_encoder

FORMAT = 2


class Checkpoint(NamedTuple):
    """What a file holds: ``tensors`` by name, and ``meta``, a JSON-like dictionary."""

    tensors: dict[str, Tensor]
    meta: dict[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Tensors below a prefix ("encoder.", "method.", "optimizer."), without it."""
        return {name.removeprefix(prefix): x for name, x in self.tensors.items() if name.startswith(prefix)}


def write_checkpoint(path: Path, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
    """Write to a temporary file beside ``path``, flush it to disk, rename it into place. One rank calls this.

    Whenever the process is killed, ``path`` is the old file or the new one, whole. The header has a digest of all
    names, shapes and bytes.

    Raises
    ------
    OSError
        When the file system takes no more.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for stale in path.parent.glob(f".{path.name}.*.tmp"):  # of a process that was killed
        stale.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    plain = {name: x.detach().cpu().contiguous().clone() for name, x in tensors.items()}
    text = json.dumps({"format": FORMAT, **meta})
    try:
        save_file(plain, temporary, {"equiheat": text, "digest": digest(plain, text)})
        _flush(temporary)
        temporary.replace(path)
        _flush(path.parent)
    except (SafetensorError, OSError) as error:
        raise OSError(f"write_checkpoint: {str(path)!r} cannot be written: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def digest(tensors: Mapping[str, Tensor], header: str) -> str:
    """SHA-256 of a header, and of names, dtypes, shapes and bytes of tensors in the order of their names."""
    total = hashlib.sha256(header.encode())
    for name in sorted(tensors):
        x = tensors[name]
        total.update(f"{name} {x.dtype} {tuple(x.shape)}".encode())
        total.update(x.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def _flush(path: Path) -> None:
    """Have a file's bytes, or a folder's names, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a file that `write_checkpoint` wrote.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When it is truncated, damaged or not one of ours.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"read_checkpoint: there is no file {str(path.absolute())!r}")
    try:
        with safe_open(path, framework="pt") as file:
            entries = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"read_checkpoint: {str(path)!r} is damaged or no safetensors file: {error}") from error
    header = entries.get("equiheat")
    if header is None:
        raise ValueError(
            f"read_checkpoint: {str(path)!r} was not written by equiheat (its header has no 'equiheat' entry)"
        )
    try:
        meta = json.loads(header)
    except json.JSONDecodeError as error:
        raise ValueError(f"read_checkpoint: {str(path)!r} is damaged: its header is no JSON: {error}") from error
    if meta.get("format") != FORMAT:
        raise ValueError(
            f"read_checkpoint: {str(path)!r} has format {meta.get('format')!r}; this version reads {FORMAT}"
        )
    if entries.get("digest") != digest(tensors, header):
        raise ValueError(
            f"read_checkpoint: {str(path)!r} is damaged or was changed: its digest is not that of what it holds"
        )
    return Checkpoint(tensors, meta)


def load_module(module: nn.Module, state: dict[str, Tensor], *, source: str) -> None:
    """Copy a state into a module whose names and shapes it must match exactly.

    Raises
    ------
    ValueError
        Naming the missing, unexpected and differently shaped entries. The module is unchanged then.
    """
    own = module.state_dict()
    problems = [f"missing {name!r}" for name in own if name not in state]
    problems += [f"unexpected {name!r}" for name in state if name not in own]
    problems += [
        f"{name!r} is {tuple(state[name].shape)} in the file, {tuple(x.shape)} in the model"
        for name, x in own.items()
        if name in state and state[name].shape != x.shape
    ]
    if problems:
        more = f", and {len(problems) - 8} more" if len(problems) > 8 else ""
        raise ValueError(f"{source} is a checkpoint of another model: {', '.join(problems[:8])}{more}")
    module.load_state_dict(state)


def encoder_meta(encoder: Encoder) -> dict[str, Any]:
    """What `load_encoder` needs beside the weights."""
    return {"name": encoder.name, "options": encoder.options}


def load_encoder(path: str | os.PathLike[str]) -> Encoder:
    """Encoder of a pre-training checkpoint, in evaluation mode.

    Returns
    -------
    Encoder
        On the CPU, with the weights and the pixel normalisation of the file.
    """
    checkpoint = read_checkpoint(path)
    description = checkpoint.meta.get("encoder")
    if not isinstance(description, dict):
        raise ValueError(f"load_encoder: {str(path)!r} holds no encoder; its header has {', '.join(checkpoint.meta)}")
    encoder = build_encoder(description["name"], **description["options"])
    load_module(encoder, checkpoint.part("encoder."), source=f"load_encoder: {str(path)!r}")
    return encoder.eval()


def optimizer_tensors(optimizer: torch.optim.Optimizer, names: Mapping[Tensor, str]) -> dict[str, Tensor]:
    """State of an optimiser as named tensors, ``<parameter>/<entry>``."""
    return {
        f"{names[p]}/{entry}": torch.as_tensor(value)
        for p, state in optimizer.state.items()
        for entry, value in state.items()
    }


def restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], names: Mapping[Tensor, str]
) -> None:
    """Inverse of `optimizer_tensors`."""
    by_name = {name: p for p, name in names.items()}
    for key, value in tensors.items():
        name, _, entry = key.rpartition("/")
        if name not in by_name:
            raise ValueError(f"restore_optimizer: the checkpoint has state of {name!r}, which this model has not")
        p = by_name[name]
        optimizer.state[p][entry] = value.clone() if entry == "step" else value.to(p.device, copy=True)
