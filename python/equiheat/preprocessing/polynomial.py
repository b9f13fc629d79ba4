# SPDX-License-Identifier: BSD-3-Clause
"""Products of features."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, combinations_with_replacement
from typing import TYPE_CHECKING, Any, Self

import torch

from equiheat._samples import check_finite, replicated, rowwise, samples, whole_rows
from equiheat.base import BaseEstimator, TransformMixin

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["PolynomialFeatures"]


class PolynomialFeatures(TransformMixin, BaseEstimator):
    """All products of features up to a degree.

    Parameters
    ----------
    degree : int or (int, int)
        Largest degree; or least and largest.
    interaction_only : bool
        Only products of different features.
    include_bias : bool
        Begin with a column of ones.

    Attributes
    ----------
    powers_ : DNDarray
        (outputs, f) int64: exponents of the features in each output; scikit-learn's order.
    n_features_in_, n_output_features_ : int
        Numbers of features and outputs.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.preprocessing.PolynomialFeatures(2).fit_transform(ht.array([[2.0, 3.0]], split=0)).tolist()
    [[1.0, 2.0, 3.0, 4.0, 6.0, 9.0]]
    """

    n_output_features_: int | None = None
    powers_: DNDarray | None = None

    def __init__(
        self, degree: int | tuple[int, int] = 2, *, interaction_only: bool = False, include_bias: bool = True
    ) -> None:
        self.degree = degree
        self.interaction_only = interaction_only
        self.include_bias = include_bias

    def _degrees(self, fn: str) -> tuple[int, int]:
        given = (0, self.degree) if isinstance(self.degree, int) else tuple(self.degree)
        if len(given) != 2 or not all(isinstance(d, int) for d in given) or not 0 <= given[0] <= given[1]:
            raise ValueError(f"{fn}: degree must be an integer >= 0 or (least, largest), is {self.degree!r}")
        if given[1] == 0 and not self.include_bias:
            raise ValueError(f"{fn}: degree 0 without include_bias leaves no outputs")
        return given[0], given[1]

    def _products(self, features: int, degree: int) -> Iterator[tuple[int, ...]]:
        chosen = combinations if self.interaction_only else combinations_with_replacement
        return chosen(range(features), degree)

    def fit(self, X: DNDarray, y: Any = None) -> Self:
        """Count the features of X (n, f). y is ignored. One allreduce of one number.

        Raises
        ------
        ValueError
            A degree that is no integer or negative; NaN or infinity in X.
        """
        core = samples(X, "PolynomialFeatures.fit", "X")
        low, high = self._degrees("PolynomialFeatures.fit")
        check_finite(core, "PolynomialFeatures.fit", "X")
        f = core.gshape[1]
        kept: list[tuple[int, ...]] = [()] if self.include_bias else []
        kept += [p for degree in range(max(1, low), high + 1) for p in self._products(f, degree)]
        powers = torch.zeros((len(kept), f), dtype=torch.int64)
        for row, product in enumerate(kept):
            powers[row] = torch.bincount(torch.tensor(product, dtype=torch.int64), minlength=f)
        self.n_features_in_, self.n_output_features_ = f, len(kept)
        self.powers_ = replicated(powers, core)
        return self

    def transform(self, X: DNDarray) -> DNDarray:
        """The products of samples.

        Parameters
        ----------
        X : DNDarray
            (n, f), any split; integers become float32.

        Returns
        -------
        DNDarray
            (n, outputs), split 0 if X is split. Local but for one allreduce of one number (the check for NaN); split 1
            is redistributed first. Differentiable.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            Another number of features, NaN or infinity in X.

        Notes
        -----
        The products of one degree are those of the degree before times a feature: one pass for each.
        """
        fn = "PolynomialFeatures.transform"
        core = whole_rows(self._matrix(X, "transform", "X"))
        check_finite(core, fn, "X")
        low, high = self._degrees(fn)
        x = core.local if core.local.is_floating_point() else core.local.to(torch.float32)
        blocks = [torch.ones_like(x[:, :1])] if self.include_bias else []
        before = torch.ones_like(x[:, :1])
        places: dict[tuple[int, ...], int] = {(): 0}
        for degree in range(1, high + 1):
            products = list(self._products(x.shape[1], degree))
            prefix = torch.tensor([places[p[:-1]] for p in products], dtype=torch.int64)
            last = torch.tensor([p[-1] for p in products], dtype=torch.int64)
            before = before.index_select(1, prefix) * x.index_select(1, last)
            places = {p: i for i, p in enumerate(products)}
            if degree >= low:
                blocks.append(before)
        return rowwise(torch.cat(blocks, 1), core)

    def get_feature_names_out(self, input_features: Any = None) -> list[str]:
        """Names of the outputs, such as ``x0^2 x1``. Local."""
        powers = self._fitted("powers_").larray.tolist()
        names = input_features or [f"x{i}" for i in range(self._fitted("n_features_in_"))]
        return [
            " ".join(f"{names[i]}^{p}" if p > 1 else names[i] for i, p in enumerate(row) if p) or "1" for row in powers
        ]
