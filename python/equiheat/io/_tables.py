# SPDX-License-Identifier: BSD-3-Clause
"""Columns of tables as matrices: types, missing values, names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
import torch

from equiheat._function import torch_dtype
from equiheat.promotion import promote_types

Columns = str | Sequence[str] | None


def chosen(names: Sequence[str], columns: Columns, fn: str) -> list[str]:
    """The names of the columns that are asked for; None is all. Local."""
    wanted = list(names) if columns is None else [columns] if isinstance(columns, str) else list(columns)
    missing = [name for name in wanted if name not in names]
    if missing:
        raise KeyError(f"{fn}: there are no columns {missing}, there are {list(names)}")
    if not wanted:
        raise ValueError(f"{fn}: no column is asked for")
    return wanted


def element_type(kind: Any, fn: str, name: str) -> tuple[torch.dtype, tuple[int, ...]]:
    """Type and inner extents of an Arrow type; TypeError for what is no number. Local."""
    if hasattr(kind, "list_size"):
        inner, extents = element_type(kind.value_type, fn, name)
        return inner, (kind.list_size, *extents)
    try:
        numpy_type = np.dtype(kind.to_pandas_dtype())
    except (NotImplementedError, TypeError):
        numpy_type = np.dtype(object)
    if numpy_type.kind not in "biufc":
        raise TypeError(f"{fn}: column {name!r} has {kind}, which is no number; leave it out of columns")
    found = torch_dtype(numpy_type)
    assert found is not None
    return found, ()


def common(kinds: Sequence[torch.dtype]) -> torch.dtype:
    """What all these types are promoted to. Local."""
    promote: Callable[[Any, Any], Any] = promote_types
    found = torch_dtype(reduce(promote, kinds))
    assert found is not None
    return found


def values(column: Any, kind: torch.dtype) -> tuple[torch.Tensor, bool]:
    """An Arrow array's numbers, and whether some are missing: these are NaN, integers then float64. Local."""
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
        column = column.chunk(0) if hasattr(column, "chunks") and column.num_chunks else column
    extents: tuple[int, ...] = ()
    while hasattr(column.type, "list_size"):
        if column.null_count:
            raise ValueError("a list is missing, which has no place in an array")
        extents = (*extents, column.type.list_size)
        column = column.flatten()
    missing = column.null_count > 0
    if missing and kind == torch.bool:
        column = column.cast("uint8")
    block = column.to_numpy(zero_copy_only=False)
    tensor = torch.from_numpy(np.array(block, order="C"))  # Arrow's memory is not ours to write to
    return tensor.reshape(-1, *extents) if extents else tensor, missing


def stacked(columns: Sequence[torch.Tensor], kind: torch.dtype, vector: bool) -> torch.Tensor:
    """One column as it is, several side by side. Local."""
    if vector:
        return columns[0].to(kind)
    out = torch.empty((len(columns[0]), len(columns)), dtype=kind)
    for number, column in enumerate(columns):
        out[:, number] = column
    return out


def with_missing(kind: torch.dtype) -> torch.dtype:
    """The type that has room for NaN, too."""
    return kind if kind.is_floating_point or kind.is_complex else torch.float64
