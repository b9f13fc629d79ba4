# SPDX-License-Identifier: BSD-3-Clause
"""Between data frames and arrays: pandas, and whatever speaks Arrow's or the data frame interchange protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from equiheat._base import unwrap, wrap
from equiheat._function import torch_dtype
from equiheat._optional import needed
from equiheat.communication import Communicator, sanitize_comm
from equiheat.construction import array
from equiheat.io import _slabs as slabs
from equiheat.io import _tables as tables

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["from_dataframe", "to_dataframe"]


def from_dataframe(
    frame: Any,
    columns: tables.Columns = None,
    dtype: Any = None,
    split: int | None = None,
    is_split: int | None = None,
    device: Any = None,
    comm: Communicator | None = None,
) -> DNDarray:
    """Columns of a data frame as an array.

    Parameters
    ----------
    frame
        A pandas data frame or series; anything with Arrow's PyCapsule protocol (``__arrow_c_stream__``: pyarrow,
        polars, DuckDB, ...) or the data frame interchange protocol (``__dataframe__``), which both need pyarrow.
    columns : str or sequence of str, optional
        Which columns, in this order; all unless given. A single string gives a vector.
    dtype : data type, optional
        The common type of the columns unless given.
    split : int, optional
        Every rank passes the same frame and keeps its chunk.
    is_split : int, optional
        0: every rank passes its own rows; 1: its own columns.
    device, comm
        Where the array lives.

    Returns
    -------
    DNDarray
        (rows, columns), or (rows,) for a series or a single string. Missing numbers are NaN; integers and truth values
        become float64 where some are missing, on all ranks if on one.

    Raises
    ------
    KeyError, TypeError, ValueError, ImportError
        No such column, a column that is no number, no data frame, no pyarrow. With `is_split` on all ranks.

    Notes
    -----
    With `is_split` two small allgathers, else local. Index and names stay behind.

    Examples
    --------
    >>> ht.from_dataframe([1, 2])
    Traceback (most recent call last):
    TypeError: from_dataframe: frame must be a data frame, is <class 'list'>
    """
    wanted = torch_dtype(dtype)

    def work() -> torch.Tensor:
        tensor = _series(frame) if columns is None and _is_series(frame) else _matrix(frame, columns)
        return tensor if wanted is None else tensor.to(wanted)

    tensor = work() if is_split is None else slabs.together(sanitize_comm(comm), work)
    return array(tensor, split=split, is_split=is_split, device=device, comm=comm)


def _is_pandas(frame: Any) -> bool:
    return type(frame).__module__.partition(".")[0] == "pandas"


def _is_series(frame: Any) -> bool:
    return _is_pandas(frame) and getattr(frame, "ndim", 0) == 1


def _series(column: Any) -> torch.Tensor:
    kind = getattr(column.dtype, "numpy_dtype", column.dtype)
    if getattr(kind, "kind", "O") not in "biufc":
        raise TypeError(f"from_dataframe: column {column.name!r} has {column.dtype}, which is no number; leave it out")
    if kind is not column.dtype and column.isna().any():  # pandas' types with a mask
        kind = kind if kind.kind in "fc" else np.dtype(np.float64)
        return torch.from_numpy(column.to_numpy(dtype=kind, na_value=np.nan).copy())
    return torch.from_numpy(np.array(column.to_numpy(dtype=kind)))


def _matrix(frame: Any, columns: tables.Columns) -> torch.Tensor:
    vector = isinstance(columns, str)
    if _is_pandas(frame) and hasattr(frame, "columns"):
        names = tables.chosen(list(frame.columns), columns, "from_dataframe")
        found = [_series(frame[name]) for name in names]
        return tables.stacked(found, tables.common([c.dtype for c in found]), vector)
    table = _arrow_table(frame)
    names = tables.chosen(table.column_names, columns, "from_dataframe")
    found = []
    for name in names:
        kind, extents = tables.element_type(table.schema.field(name).type, "from_dataframe", name)
        if extents and not vector:
            raise TypeError(f"from_dataframe: lists must be read alone, as columns={name!r}")
        column, missing = tables.values(table.column(name), kind)
        found.append(column.to(tables.with_missing(kind)) if missing else column)
    return tables.stacked(found, tables.common([c.dtype for c in found]), vector)


def _arrow_table(frame: Any) -> Any:
    if hasattr(frame, "__arrow_c_stream__") or hasattr(frame, "__arrow_c_array__"):
        return needed("pyarrow", "from_dataframe").table(frame)
    if hasattr(frame, "__dataframe__"):
        return needed("pyarrow.interchange", "from_dataframe").from_dataframe(frame)
    raise TypeError(f"from_dataframe: frame must be a data frame, is {type(frame)}")


def to_dataframe(x: DNDarray, columns: Sequence[str] | None = None) -> Any:
    """This rank's rows as a pandas data frame, whose index are their places in the array.

    Parameters
    ----------
    x : DNDarray
        One or two axes, split 0 or None; for split 1 resplit it first.
    columns : sequence of str, optional
        Names; 0, 1, ... unless given.

    Returns
    -------
    pandas.DataFrame
        Local. ``ht.from_dataframe(frame, is_split=0)`` is the way back. ``pandas.concat`` of all ranks' is the whole.

    Raises
    ------
    ValueError, TypeError, ImportError
        Other axes or splits, no array, no pandas.

    Examples
    --------
    >>> frame = ht.to_dataframe(ht.arange(3).reshape(3, 1), ["a"])
    >>> frame["a"].tolist()
    [0, 1, 2]
    """
    x = wrap(unwrap(x, "to_dataframe"))
    if x.ndim not in (1, 2) or x.split == 1:
        raise ValueError(f"to_dataframe: x must have one or two axes and split 0 or None, has {x.shape}, {x.split}")
    pandas = needed("pandas", "to_dataframe")
    kind = torch.float32 if x.larray.dtype == torch.bfloat16 else None
    rows = slabs.slab(x)[0]
    block = slabs.values(x, kind)
    return pandas.DataFrame(block.copy(), index=pandas.RangeIndex(rows.start, rows.stop), columns=columns)
