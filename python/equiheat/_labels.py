# SPDX-License-Identifier: BSD-3-Clause
"""Class labels of samples, and the numbers 0, 1, 2, ... that classifiers compute with."""

from __future__ import annotations

import warnings
from functools import reduce
from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._samples import check_real, numbers, replicated, rowwise, vector, whole_rows
from equiheat.base import DataConversionWarning, shared
from equiheat.communication import Communicator
from equiheat.sets import unique

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def labels_like(y: Any, x: _core.Array, fn: str, argument: str = "y") -> torch.Tensor:
    """The labels of the rows of x that are on this rank. Collective where they are distributed otherwise.

    Raises
    ------
    TypeError, ValueError
        y is no vector of real numbers with one entry per row.
    """
    core = vector(y, x, fn, argument)
    check_real(core, fn, argument)
    return _placed(core, x).local


def _placed(v: _core.Array, x: _core.Array) -> _core.Array:
    """The vector, distributed as the rows of x. Collective."""
    if v.split == x.split and v.counts == x.counts:
        return v
    return v.resplit(None) if x.counts is None else v.resplit(0).redistribute(x.counts)


def distinct(y: Any, x: _core.Array, fn: str) -> torch.Tensor:
    """The classes among the labels, ascending, on every rank. Collective: one `ht.unique`; an allreduce of two numbers
    for labels of a floating-point type. A column (n, 1) is taken as a vector, with a warning.

    Raises
    ------
    ValueError
        On all ranks, for labels that are no whole numbers, NaN and infinity among them.
    """
    core = vector(y, x, fn, "y")
    check_real(core, fn, "y")
    if numbers(y, x.comm, fn, "y").ndim == 2:
        problem = "A column-vector y was passed when a 1d array was expected"
        warnings.warn(f"{problem}: {fn} takes it as y.flatten()", shared(DataConversionWarning), stacklevel=4)
    if core.local.is_floating_point():
        _check_whole(core, fn)
    found: torch.Tensor = unique(wrap(core), sorted=True).resplit(None).larray
    return found


def _check_whole(core: _core.Array, fn: str) -> None:
    """Real labels are whole numbers. (Others are targets of a regression, all distinct: on every rank they would take
    as much memory as on all.) Collective: one allreduce of two numbers.
    """
    labels = core.local
    bad = torch.stack([(~torch.isfinite(labels)).sum(), (labels != labels.round()).sum()])
    if core.is_distributed:
        bad = Communicator._of(core.comm).allreduce(bad)
    if int(bad[0]) > 0:
        raise ValueError(f"{fn}: y contains NaN or infinity")
    if int(bad[1]) > 0:
        raise ValueError(f"{fn}: Unknown label type: continuous. {int(bad[1])} labels in y are no whole numbers")


def common_type(*kinds: torch.dtype) -> torch.dtype:
    """The type in which labels of these types can be compared. (torch promotes no uint16, uint32 and uint64.) Local."""
    return reduce(_core.promote, kinds)


def sought(values: torch.Tensor) -> torch.Tensor:
    """The values in a type that torch searches, in the same order. Local."""
    if values.dtype == torch.uint64:
        return values.contiguous().view(torch.int64) ^ torch.iinfo(torch.int64).min
    kind = {torch.bool: torch.uint8, torch.uint16: torch.int32, torch.uint32: torch.int64}.get(values.dtype)
    return values.to(kind or values.dtype).contiguous()


def places(values: torch.Tensor, among: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where each value is among ascending ones, and whether it is one of them. Local."""
    kind = common_type(values.dtype, among.dtype)
    wanted, known = sought(values.to(kind)), sought(among.to(kind))
    found = torch.searchsorted(known, wanted).clamp_max_(len(known) - 1)
    return found, known[found] == wanted


def codes(labels: torch.Tensor, classes: torch.Tensor, x: _core.Array, fn: str) -> DNDarray:
    """The index among `classes` of each label, split as the rows of x. Collective: one allreduce of one number.

    Raises
    ------
    ValueError
        On all ranks, for a label on any that is none of the classes.
    """
    found, known = places(labels, classes)
    unknown = (~known).sum().reshape(1)
    if x.split is not None and x.comm.size > 1:
        unknown = Communicator._of(x.comm).allreduce(unknown)
    if int(unknown) > 0:
        raise ValueError(f"{fn}: {int(unknown)} labels in y are none of the classes {classes.tolist()}")
    return rowwise(found, x)


def encoded(y: Any, x: _core.Array, fn: str) -> tuple[DNDarray, DNDarray]:
    """(classes, codes): the distinct labels, replicated, and which of them each row of x has. Collective."""
    rows = whole_rows(x)
    classes = distinct(y, rows, fn)
    return replicated(classes, rows), codes(labels_like(y, rows, fn), classes, rows, fn)
