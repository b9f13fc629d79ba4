# SPDX-License-Identifier: BSD-3-Clause
"""Categories as columns of zeros and ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import torch

from equiheat import _core
from equiheat._base import as_core, wrap
from equiheat._function import torch_dtype
from equiheat._labels import common_type, places, sought
from equiheat._samples import check_finite, replicated, rowwise, samples, whole_rows
from equiheat.base import BaseEstimator, TransformMixin
from equiheat.communication import Communicator
from equiheat.sparse import DCSR_matrix
from equiheat.sparse._operators import check_kind

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["OneHotEncoder"]


class OneHotEncoder(TransformMixin, BaseEstimator):
    """A column of zeros and ones for every category of every feature.

    Parameters
    ----------
    categories : 'auto' or list of arrays
        The categories of each feature, ascending; by default those that `fit` sees.
    drop : {'first', 'if_binary'}, optional
        Leave out the first category of each feature, or of those with two.
    dtype : data type, optional
        Of the result; float64 by default.
    handle_unknown : {'error', 'ignore'}
        What is not among the categories: an error on all ranks, or zeros in all columns of its feature.
    sparse_output : bool
        `transform` gives a `DCSR_matrix`. (scikit-learn's default is True.)

    Attributes
    ----------
    categories_ : list of DNDarray
        The categories of each feature, ascending, replicated.
    drop_idx_ : list of int or None, or None
        The category of each feature that is left out.
    n_features_in_ : int
        Features.

    Notes
    -----
    Categories are numbers. `fit` is one allgather per feature of the distinct values of every rank; `transform` is
    local but for one allreduce of one number (the check for unknown ones).

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[0, 7], [1, 7], [0, 9]], split=0)
    >>> ht.preprocessing.OneHotEncoder().fit_transform(x).tolist()
    [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0]]
    """

    categories_: list[DNDarray] | None = None
    drop_idx_: list[int | None] | None = None
    _preserves_dtype = ()

    def __init__(
        self,
        *,
        categories: Any = "auto",
        drop: str | None = None,
        dtype: Any = None,
        handle_unknown: str = "error",
        sparse_output: bool = False,
    ) -> None:
        self.categories = categories
        self.drop = drop
        self.dtype = dtype
        self.handle_unknown = handle_unknown
        self.sparse_output = sparse_output

    def fit(self, X: DNDarray, y: Any = None) -> Self:
        """Find the categories of samples X (n, f), any split. y is ignored.

        Raises
        ------
        ValueError
            NaN or infinity, another number of given categories, categories that are not ascending, an unknown option.
        """
        fn = "OneHotEncoder.fit"
        if self.drop not in (None, "first", "if_binary"):
            raise ValueError(f"{fn}: drop must be None, 'first' or 'if_binary', is {self.drop!r}")
        if self.handle_unknown not in ("error", "ignore"):
            raise ValueError(f"{fn}: handle_unknown must be 'error' or 'ignore', is {self.handle_unknown!r}")
        core = whole_rows(samples(X, fn, "X"))
        check_finite(core, fn, "X")
        f = core.gshape[1]
        if isinstance(self.categories, str):
            found = [_distinct(core, column) for column in range(f)]
        else:
            found = _given(self.categories, f, core, fn)
        self.n_features_in_ = f
        self.categories_ = [replicated(values, core) for values in found]
        self.drop_idx_ = None
        if self.drop is not None:
            self.drop_idx_ = [0 if self.drop == "first" or len(v) == 2 else None for v in found]
        if self.handle_unknown == "error":
            self._codes(core, fn)
        return self

    def _codes(self, core: _core.Array, fn: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Category of every entry, and whether it is known. Collective: one allreduce with handle_unknown='error'."""
        found = torch.empty(core.local.shape, dtype=torch.int64)
        known = torch.empty(core.local.shape, dtype=torch.bool)
        for column, categories in enumerate(self._fitted("categories_")):
            found[:, column], known[:, column] = places(core.local[:, column], categories.larray)
        if self.handle_unknown == "error":
            unknown = (~known).sum().reshape(1)
            if core.is_distributed:
                unknown = Communicator._of(core.comm).allreduce(unknown)
            if int(unknown) > 0:
                check_finite(core, fn, "X")
                raise ValueError(f"{fn}: {int(unknown)} entries of X are none of the categories")
        return found, known

    def _columns(self) -> tuple[torch.Tensor, torch.Tensor, int]:
        """First column of each feature, the category that is left out (or -1), and the number of columns. Local."""
        widths = torch.tensor([len(values.larray) for values in self._fitted("categories_")])
        dropped = torch.tensor([-1 if d is None else d for d in self.drop_idx_ or [None] * len(widths)])
        widths = widths - (dropped >= 0).long()
        return widths.cumsum(0) - widths, dropped, int(widths.sum())

    def transform(self, X: DNDarray) -> Any:
        """The columns of samples.

        Parameters
        ----------
        X : DNDarray
            (n, f), any split.

        Returns
        -------
        DNDarray, or DCSR_matrix with ``sparse_output``
            (n, columns), split 0 if X is split.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            Another number of features; unknown categories (on all ranks) with ``handle_unknown='error'``.
        """
        fn = "OneHotEncoder.transform"
        core = whole_rows(self._matrix(X, "transform", "X"))
        if self.handle_unknown == "ignore":
            check_finite(core, fn, "X")
        code, known = self._codes(core, fn)
        first, dropped, width = self._columns()
        kind = torch_dtype(self.dtype) or torch.float64
        place = first + code - ((dropped >= 0) & (code > dropped)).long()
        there = known & (code != dropped)
        if self.sparse_output:
            return DCSR_matrix._of(_entries(core, place, there, width, check_kind(kind)))
        ones = there.to(kind)
        out = torch.zeros((code.shape[0], width + 1), dtype=ones.dtype)  # the last column takes what has none
        out.scatter_(1, torch.where(ones != 0, place, width), ones)
        return rowwise(out[:, :width].contiguous(), core)

    def inverse_transform(self, X: Any) -> DNDarray:
        """Samples from their columns: of each feature the category whose column is largest (the dropped one where all
        are zero).

        Parameters
        ----------
        X : DNDarray or DCSR_matrix
            (n, columns), any split.

        Returns
        -------
        DNDarray
            (n, f) in the categories' type, split 0 if X is split. Local (split 1 is redistributed).

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            Another number of columns; a feature of which all columns are zero though none was dropped (on all ranks).
        """
        fn = "OneHotEncoder.inverse_transform"
        categories = self._fitted("categories_")
        first, dropped, width = self._columns()
        core = whole_rows(samples(X.to_dense() if isinstance(X, DCSR_matrix) else X, fn, "X"))
        if core.gshape[1] != width:
            raise ValueError(f"{fn}: X has {core.gshape[1]} columns, but {width} are those of the categories")
        kind = common_type(*(values.larray.dtype for values in categories))
        out = torch.empty((core.local.shape[0], len(categories)), dtype=kind)
        lost = torch.zeros(1, dtype=torch.int64)
        for column, values in enumerate(categories):
            among, gone = values.larray.to(kind), int(dropped[column])
            count = len(among) - int(gone >= 0)
            own = core.local[:, int(first[column]) : int(first[column]) + count]
            if count == 0:
                out[:, column] = among[0]
                continue
            most, code = own.max(1)
            code = code + (code >= gone).long() if gone >= 0 else code
            out[:, column] = among[torch.where(most != 0, code, max(gone, 0))]
            lost += (most == 0).sum() if gone < 0 else 0
        if core.is_distributed:
            lost = Communicator._of(core.comm).allreduce(lost)
        if int(lost) > 0:
            raise ValueError(f"{fn}: {int(lost)} features have zeros in all their columns, and none was dropped")
        return rowwise(out, core)

    def get_feature_names_out(self, input_features: Any = None) -> list[str]:
        """Names of the columns: ``feature_category``. Local."""
        categories = self._fitted("categories_")
        names = input_features or [f"x{i}" for i in range(len(categories))]
        dropped = self.drop_idx_ or [None] * len(categories)
        return [
            f"{name}_{value}"
            for name, values, gone in zip(names, categories, dropped, strict=True)
            for place, value in enumerate(values.larray.tolist())
            if place != gone
        ]


def _entries(
    rows: _core.Array, places: torch.Tensor, there: torch.Tensor, width: int, kind: torch.dtype
) -> _core.SparseMatrix:
    """Ones at these columns of the rows, where there are any. Communication: one number per rank."""
    begin = torch.nn.functional.pad(there.sum(1).cumsum(0), (1, 0))
    columns = places[there]  # ascending in each row
    shape, split = (rows.gshape[0], width), rows.split
    return _core.sparse_from_block(
        begin, columns, columns.new_ones(len(columns), dtype=kind), shape, split, rows.counts, rows.comm
    )


def _distinct(core: _core.Array, column: int) -> torch.Tensor:
    """The values of a column, ascending, on every rank. Collective: one allgather of the ranks' values."""
    own = torch.unique(core.local[:, column])
    return torch.unique(Communicator._of(core.comm).allgatherv(own)) if core.is_distributed else own


def _given(categories: Any, features: int, like: _core.Array, fn: str) -> list[torch.Tensor]:
    if len(categories) != features:
        raise ValueError(f"{fn}: categories of {len(categories)} features are given, X has {features}")
    found = []
    for column, values in enumerate(categories):
        core = as_core(values, like.comm)
        if core is None or core.ndim != 1 or core.gshape[0] == 0:
            raise ValueError(f"{fn}: categories[{column}] must be a vector of numbers, is {values!r}")
        own = wrap(core).resplit(None).larray
        order = sought(own)
        if bool((order[1:] <= order[:-1]).any()):
            raise ValueError(f"{fn}: categories[{column}] must ascend, are {own.tolist()}")
        found.append(own)
    return found
