# SPDX-License-Identifier: BSD-3-Clause
"""The split of new arrays for which none is given.

With a default split every factory (``zeros``, ``arange``, ``array``, ``asarray``, ``random.rand``, ...) splits its
result along that axis, so that code which has never heard of `split` runs distributed::

    EQUIHEAT_DEFAULT_SPLIT=0 mpiexec -n 4 python program.py

The rule: 0-d arrays stay replicated; an axis beyond the last one of an array means its last one, and one before the
first means its first (default 2 splits a matrix along 1); a DNDarray that is split keeps its split; what an operation
takes beside arrays (numbers, lists, NumPy and torch arrays) counts as replicated. ``split=None`` in a call cannot be
told from no split: for a replicated array use ``with ht.default_split(None):`` or ``x.resplit(None)``.

The default belongs to the process; every rank must set the same.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["default_split", "get_default_split", "set_default_split"]

_VARIABLE = "EQUIHEAT_DEFAULT_SPLIT"


def _checked(split: int | None, fn: str) -> int | None:
    if split is None:
        return None
    try:
        return operator.index(split)
    except TypeError:
        raise TypeError(f"{fn}: split must be an integer or None, is {split!r}") from None


def _from_environment() -> int | None:
    text = os.environ.get(_VARIABLE, "").strip()
    if text.lower() in ("", "none"):
        return None
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{_VARIABLE}: must be an axis such as 0, or empty, is {text!r}") from None


_default: int | None = _from_environment()


def set_default_split(split: int | None) -> None:
    """Make `split` the axis along which new arrays are split; None: they are replicated. Local.

    Parameters
    ----------
    split
        An axis, also a negative one, or None. Every rank must set the same.

    Raises
    ------
    TypeError
        If it is neither.

    Examples
    --------
    >>> ht.set_default_split(0)
    >>> ht.zeros((4, 2)).split, ht.zeros(()).split
    (0, None)
    >>> ht.set_default_split(None)
    """
    global _default
    _default = _checked(split, "set_default_split")


def get_default_split() -> int | None:
    """The axis along which new arrays are split when none is given; None: they are replicated. Local."""
    return _default


@contextmanager
def default_split(split: int | None) -> Iterator[None]:
    """Another default split inside a ``with`` block. Local.

    Examples
    --------
    >>> with ht.default_split(1):
    ...     ht.ones((2, 3)).split
    1
    """
    before = get_default_split()
    set_default_split(split)
    try:
        yield
    finally:
        set_default_split(before)


def split_of_new(split: int | None, ndim: int) -> int | None:
    """`split` itself, or where it is None the default for an array of `ndim` axes. Local."""
    if split is not None or _default is None or ndim == 0:
        return split
    return min(_default, ndim - 1) if _default >= 0 else max(_default + ndim, 0)
