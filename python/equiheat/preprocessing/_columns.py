# SPDX-License-Identifier: BSD-3-Clause
"""What scalers of features share: statistics of columns, and one fused pass that applies them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from equiheat import _core
from equiheat._base import wrap
from equiheat.base import BaseEstimator, TransformMixin

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class ColumnScaler(TransformMixin, BaseEstimator):
    """``(X - shift) * factor`` by features; subclasses find `_shift` and `_factor` (float64 vectors or None).

    Vectors are replicated, or split 0 like the features of samples that are split 1. The arithmetic is in double
    precision and rounded once, so that float32 samples far from zero lose no digits.
    """

    copy: bool
    _shift: _core.Array | None = None
    _factor: _core.Array | None = None

    def _apply(self, x: DNDarray, core: _core.Array, shift: _core.Array | None, factor: _core.Array | None) -> DNDarray:
        result = _core.scale_columns(core, shift, factor)
        if self.copy:
            return wrap(result)
        if core.local.dtype != result.local.dtype:
            raise TypeError(f"{type(self).__name__}: copy=False needs real samples, they are {core.local.dtype}")
        core.local.copy_(result.local)
        return x

    def transform(self, X: DNDarray) -> DNDarray:
        """The samples, scaled.

        Parameters
        ----------
        X : DNDarray
            (n, f), any split; integers become float32.

        Returns
        -------
        DNDarray
            (n, f), split as X; with ``copy=False`` X itself, changed. NaN and infinity stay where they are. Local, one
            pass. Differentiable.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For another number of features.
        """
        return self._apply(X, self._matrix(X, "transform", "X"), self._shift, self._factor)

    def inverse_transform(self, Y: DNDarray) -> DNDarray:
        """Samples whose `transform` is Y. Split, communication and errors as those of `transform`.

        Parameters
        ----------
        Y : DNDarray
            (n, f).
        """
        core = self._matrix(Y, "inverse_transform", "Y")
        shift, factor = self._shift, self._factor
        back = None if shift is None else -shift.local * (1.0 if factor is None else factor.local)
        return self._apply(
            Y,
            core,
            None if back is None or shift is None else shift.with_local(back),
            None if factor is None else factor.with_local(1.0 / factor.local),
        )


def inverse_scale(scale: Tensor, constant: Tensor) -> Tensor:
    """1 / scale, 1 where a feature is constant. Local."""
    return torch.where(constant, 1.0, 1.0 / scale)


def epsilon(core: _core.Array) -> float:
    """Precision of the samples' type: ranges of less than ten times this are those of constant features. Local."""
    return float(np.finfo(np.float64 if core.local.dtype == torch.float64 else np.float32).eps)


def column_quantiles(core: _core.Array, levels: list[float]) -> list[_core.Array]:
    """Quantiles of each column as float64 vectors, by one selection: the two samples next to each are found in the
    samples' type and interpolated in double precision. Collective as `ht.quantile`.
    """
    places = [level * (core.gshape[0] - 1) for level in levels]
    neighbours = [float(end(place)) for end in (math.floor, math.ceil) for place in places]
    ranks = [place / max(1, core.gshape[0] - 1) for place in neighbours]
    found = wrap(_core.quantile(core, ranks, [0], "nearest", False, False)).astype(torch.float64)
    k = len(levels)
    below, above = ([found[start + i]._core for i in range(k)] for start in (0, k))
    return [
        b.with_local(b.local + (a.local - b.local) * (place - math.floor(place)))
        for b, a, place in zip(below, above, places, strict=True)
    ]
