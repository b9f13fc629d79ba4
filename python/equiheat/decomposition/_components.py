# SPDX-License-Identifier: BSD-3-Clause
"""What principal component analyses share: coordinates of samples along components, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._samples import check_finite, samples
from equiheat.base import BaseEstimator, TransformMixin
from equiheat.linalg import matmul

if TYPE_CHECKING:
    from equiheat.array import DNDarray


class Components(TransformMixin, BaseEstimator):
    """``(X - mean_) @ components_.T`` and back; subclasses find `components_`.

    components_ (k, f) and mean_ (f,) are replicated, or split along the features where those of the samples are.
    """

    whiten: bool
    components_: DNDarray | None = None
    mean_: DNDarray | None = None
    explained_variance_: DNDarray | None = None
    _exact_mean: _core.Array

    def _centred(self, core: _core.Array) -> _core.Array:
        """Samples minus the mean, which is subtracted in double precision. Local."""
        return _core.scale_columns(core, _as_columns(self._exact_mean, core), None)

    def _scale(self) -> DNDarray:
        """Standard deviations along the components, 1 for those with none. Local."""
        variance: DNDarray = self._fitted("explained_variance_")
        deviation = variance.larray.sqrt()
        return wrap(variance._core.with_local(torch.where(deviation > 0, deviation, 1.0)))

    def transform(self, X: DNDarray) -> DNDarray:
        """Coordinates of samples along the components.

        Parameters
        ----------
        X : DNDarray
            (n, f), any split.

        Returns
        -------
        DNDarray
            (n, k); split 0 if X is split 0, else replicated. One allreduce of one number; one of (n, k)
            where X is split 1. Differentiable.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            Another number of features, NaN or infinity in X.
        """
        fn = f"{type(self).__name__}.transform"
        components: DNDarray = self._fitted("components_")
        core = self._matrix(X, "transform", "X")
        check_finite(core, fn, "X")
        found = matmul(wrap(self._centred(core)), components.transpose()).resplit(0 if core.split == 0 else None)
        return found / self._scale() if self.whiten else found

    def inverse_transform(self, X: DNDarray) -> DNDarray:
        """Samples from their coordinates.

        Parameters
        ----------
        X : DNDarray
            (n, k), split None or 0 (1: it is redistributed).

        Returns
        -------
        DNDarray
            (n, f), split 0 if X is split; where components are split along the features and X is replicated, so is the
            result. Differentiable.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For another number of components.
        """
        fn = f"{type(self).__name__}.inverse_transform"
        components: DNDarray = self._fitted("components_")
        core = samples(X, fn, "X")
        if core.gshape[1] != components.shape[0]:
            raise ValueError(f"{fn}: X has {core.gshape[1]} components, but {components.shape[0]} were found by fit")
        scores = wrap(core.resplit(0) if core.split == 1 else core)
        if self.whiten:
            scores = scores * self._scale()
        back = matmul(scores, components)
        return wrap(_core.scale_columns(back._core, _negated(_as_columns(self._exact_mean, back._core)), None))


def _as_columns(vector: _core.Array, core: _core.Array) -> _core.Array:
    """Numbers per feature, distributed as the columns of the matrix. Collective where they are not."""
    wanted = core.counts if core.split == 1 else None
    if vector.counts == wanted:
        return vector
    return vector.resplit(None) if wanted is None else vector.resplit(0).redistribute(wanted)


def _negated(vector: _core.Array) -> _core.Array:
    return vector.with_local(-vector.local)


def with_signs(components: DNDarray) -> DNDarray:
    """Rows whose entry of largest magnitude is positive: directions have no sign by themselves. Collective where the
    columns are split: two allreduces.
    """
    largest: Any = components.max(axis=1).larray
    least: Any = components.min(axis=1).larray
    signs = torch.where(largest >= -least, 1.0, -1.0).to(components.larray.dtype)
    return wrap(components._core.with_local(components.larray * signs.unsqueeze(1)))
