# SPDX-License-Identifier: BSD-3-Clause
"""What all file formats share: which part a rank reads or writes, failures that all ranks see, atomic files."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import pathlib
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from equiheat import _core
from equiheat._base import unwrap, wrap
from equiheat.communication import Communicator
from equiheat.errors import ExistingPathError, NoDataError, NoVariableError

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_HERE, _EXCHANGE = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
T = TypeVar("T")
Path = str | os.PathLike[str]
# fmt: off
_ERRORS = {
    e.__name__: e
    for e in (
        FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, OSError, KeyError, ValueError,
        ExistingPathError, NoDataError, NoVariableError,
    )
} | {"TypeError": TypeError, "UnicodeDecodeError": ValueError, "ImportError": ImportError}
# fmt: on


def together(comm: Communicator, work: Callable[[], T]) -> T:
    """The result of local work; what fails on one rank fails on all, with the first one's message.

    Collective: one allgather.
    """
    fault: Exception | None = None
    result: T | None = None
    try:
        result = work()
    except Exception as error:
        fault = error
    if comm.size == 1:
        reports = [None if fault is None else ("", "", None)]
    else:
        reports = comm.handle.allgather(None if fault is None else _report(fault))
    failed = [(rank, *report) for rank, report in enumerate(reports) if report is not None]
    if fault is not None and (comm.size == 1 or failed[0][0] == comm.rank or failed[0][1] not in _ERRORS):
        raise fault
    if failed:
        rank, kind, what, number = failed[0]
        theirs = _ERRORS.get(kind, RuntimeError)(f"on rank {rank}: {what}")
        if number is not None and isinstance(theirs, OSError):
            theirs.errno = number
        raise theirs from fault
    return result  # type: ignore[return-value]


def _report(fault: Exception) -> tuple[str, str, int | None]:
    """The nearest type that other ranks can raise, the message, and the system's number."""
    names = [kind.__name__ for kind in type(fault).__mro__]
    known = next((name for name in names if name in _ERRORS), names[0])
    return known, str(fault), getattr(fault, "errno", None)


def on_first(comm: Communicator, work: Callable[[], T]) -> T:
    """The result of rank 0's work on every rank; its failure, too. Collective: an allgather and a broadcast."""
    result = together(comm, lambda: work() if comm.rank == 0 else None)
    return result if comm.size == 1 else comm.handle.bcast(result, 0)  # type: ignore[return-value]


def in_turn(comm: Communicator, work: Callable[[], None]) -> None:
    """Local work of one rank after the other, for formats that have one writer. Collective."""
    for turn in range(comm.size):
        together(comm, lambda turn=turn: work() if comm.rank == turn else None)  # type: ignore[misc]


def existing(path: Path, fn: str) -> pathlib.Path:
    """A path that is there. Local."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{fn}: path must be a string or a path, is {type(path)}")
    found = pathlib.Path(path)
    if not found.exists():
        raise FileNotFoundError(f"{fn}: there is no {str(path)!r}")
    return found


@contextlib.contextmanager
def reading(path: Path, fn: str) -> Iterator[None]:
    """What a library says of a damaged file, as OSError or ValueError that names function and file. Local.

    Errors of our own begin with the function's name and stay, as do those of the file system, which have a number.
    """
    try:
        yield
    except (TypeError, ImportError, MemoryError):
        raise
    except Exception as error:
        number = getattr(error, "errno", None) or 0
        if str(error).strip("'\"").startswith(f"{fn}:") or (number > 0 and number != errno.EINVAL):
            raise
        kind = OSError if isinstance(error, OSError) else ValueError
        raise kind(f"{fn}: {str(path)!r} cannot be read: {error}") from error


@contextlib.contextmanager
def writing(path: Path, fn: str) -> Iterator[None]:
    """What goes wrong in the file system, or in a library that writes, as an error that names function and file. Local.

    It keeps type and number; a library's RuntimeError becomes OSError.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        if str(error).startswith(f"{fn}:") or not (isinstance(error, OSError) or type(error) is RuntimeError):
            raise
        kind = type(error) if isinstance(error, OSError) else OSError
        named = kind(f"{fn}: {str(path)!r} cannot be written: {error}")
        named.errno = getattr(error, "errno", None)
        raise named from error


def is_file(path: Path, fn: str) -> bool:
    """True if there is something at a path. Local."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{fn}: path must be a string or a path, is {type(path)}")
    return os.path.exists(path)


def pick(names: Sequence[str], variable: str | None, path: Path, fn: str) -> str:
    """The name of the array that is asked for; None is the only one. Local."""
    if variable is None and len(names) == 1:
        return names[0]
    if variable is None:
        raise ValueError(f"{fn}: {str(path)!r} has the arrays {sorted(names)}; give one as variable")
    if not isinstance(variable, str):
        raise TypeError(f"{fn}: variable must be a string, is {type(variable)}")
    if variable not in names:
        raise KeyError(f"{fn}: {str(path)!r} has no array {variable!r}, has {sorted(names)}")
    return variable


def named(data: Any, variable: str, fn: str) -> dict[str, DNDarray]:
    """Arrays by name, from a mapping or from one array. Local."""
    given = data if isinstance(data, Mapping) else {variable: data}
    for name in given:
        if not isinstance(name, str) or not name:
            raise TypeError(f"{fn}: names of arrays must be strings, one is {name!r}")
    if not given:
        raise ValueError(f"{fn}: there is no array to save")
    return {name: blocks(x, fn) for name, x in given.items()}


@contextlib.contextmanager
def replaced(comm: Communicator, path: Path, fn: str) -> Iterator[pathlib.Path]:
    """A temporary path beside `path`, which takes its place once all ranks are done; nothing is left of a failure.

    Collective: one broadcast, one allgather.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"{fn}: path must be a string or a path, is {type(path)}")
    target = pathlib.Path(path)
    token = on_first(comm, lambda: secrets.token_hex(4))
    temporary = target.with_name(f".{target.name}.{token}{target.suffix}")
    try:
        with writing(path, fn):
            yield temporary
            on_first(comm, lambda: _take_place(temporary, target))
    except BaseException:
        if comm.rank == 0:
            with contextlib.suppress(OSError):
                _remove(temporary)
        raise


def _remove(path: pathlib.Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _take_place(temporary: pathlib.Path, target: pathlib.Path) -> None:
    """Renames; where there is a folder already the two are exchanged, in one step if the kernel can."""
    if not temporary.is_dir() or not target.exists():
        os.replace(temporary, target)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    rename = getattr(libc, "renameat2", None)  # Linux
    names = os.fsencode(temporary), os.fsencode(target)
    if rename is None or rename(_HERE, names[0], _HERE, names[1], _EXCHANGE) != 0:
        aside = temporary.with_name(f"{temporary.name}.old")
        os.replace(target, aside)
        os.replace(temporary, target)
        temporary = aside
    _remove(temporary)


def chosen(shape: Sequence[int], slices: Any, fn: str) -> tuple[slice, ...]:
    """One slice with start, stop, step > 0 per axis from Heat's `slices`: a slice, None, or a sequence of these."""
    given = [slices] if isinstance(slices, slice) else list(slices or ())
    if len(given) > len(shape):
        raise ValueError(f"{fn}: {len(given)} slices for {len(shape)} dimensions")
    given += [None] * (len(shape) - len(given))
    found = []
    for axis, (part, extent) in enumerate(zip(given, shape, strict=True)):
        if part is not None and not isinstance(part, slice):
            raise TypeError(f"{fn}: slices[{axis}] must be a slice or None, is {type(part)}")
        start, stop, step = (part or slice(None)).indices(extent)
        if step < 1:
            raise ValueError(f"{fn}: the step of slices[{axis}] must be positive, is {step}")
        found.append(slice(start, max(start, stop), step))
    return tuple(found)


def extents(parts: Sequence[slice]) -> list[int]:
    """How many elements each slice takes."""
    return [len(range(s.start, s.stop, s.step)) for s in parts]


def own_part(parts: Sequence[slice], split: int | None, comm: Communicator) -> tuple[slice, ...]:
    """This rank's part of a selection under the chunk rule."""
    if split is None:
        return tuple(parts)
    _, _, chunk = comm.chunk(extents(parts), split)
    whole, piece = parts[split], chunk[split]
    start = whole.start + piece.start * whole.step
    stop = min(whole.stop, start + (piece.stop - piece.start) * whole.step)
    own = slice(start, max(start, stop), whole.step)
    return (*parts[:split], own, *parts[split + 1 :])


def assembled(
    local: torch.Tensor,
    shape: Sequence[int],
    split: int | None,
    device: Any,
    comm: Communicator,
    counts: list[int] | None = None,
) -> DNDarray:
    """The array whose chunks the ranks have; by the chunk rule unless their extents are given. Local."""
    if split is not None and counts is None:
        counts = [comm.chunk(shape, split, rank=r)[1][split] for r in range(comm.size)]
    return wrap(_core.Array(local.to(device.torch_device), list(shape), split, counts, comm.core))


def blocks(data: Any, fn: str) -> DNDarray:
    """The array to write; TypeError for anything else."""
    return wrap(unwrap(data, fn, "data"))


def slab(x: DNDarray) -> tuple[slice, ...]:
    """Where this rank's block lies in the array."""
    if x.split is None:
        return tuple(slice(0, n) for n in x.shape)
    counts = x._core.counts
    assert counts is not None
    start = sum(counts[: x.comm.rank])
    own = slice(start, start + counts[x.comm.rank])
    return tuple(own if axis == x.split else slice(0, n) for axis, n in enumerate(x.shape))


def values(x: DNDarray, dtype: torch.dtype | None = None) -> Any:
    """This rank's block as a NumPy array in C order."""
    local = x.larray.detach().cpu().resolve_conj().resolve_neg().contiguous()
    return (local if dtype is None else local.to(dtype)).numpy()


def writes(x: DNDarray) -> bool:
    """True on the ranks that have something of their own to write."""
    return x.comm.rank == 0 if x.split is None else x.larray.numel() > 0
