# SPDX-License-Identifier: BSD-3-Clause
"""Scalers of features, and the normalisation of samples.

Samples X are (n, f) with any split. Fitted attributes are float64, so that nothing is lost for float32 samples, and
have one entry per feature: replicated, or split 0 where the features are split. `scale_` has scikit-learn's meaning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._samples import check_finite, check_weights, finite, samples, seed_of, subset_rows, weights
from equiheat.linalg import vector_norm
from equiheat.preprocessing._columns import ColumnScaler, column_quantiles, epsilon, inverse_scale

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["MaxAbsScaler", "MinMaxScaler", "Normalizer", "RobustScaler", "StandardScaler"]


class StandardScaler(ColumnScaler):
    """Features with mean 0 and variance 1.

    Parameters
    ----------
    copy : bool
        False: `transform` changes the samples it is given.
    with_mean : bool
        Subtract the mean.
    with_std : bool
        Divide by the standard deviation (of the population); constant features are left as they are.

    Attributes
    ----------
    mean_, var_, scale_ : DNDarray or None
        Means, variances, and the standard deviations that are divided by (1 for constant features).
    n_samples_seen_ : int or float
        Samples, or the sum of their weights.
    n_features_in_ : int
        Features.

    Notes
    -----
    One pass over the samples, in double precision about a nearby value, so that an offset costs no digits; two
    allreduces of f numbers where rows are split.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[0.0, 0.0], [0.0, 0.0], [1.0, 1.0], [1.0, 1.0]], split=0)
    >>> ht.preprocessing.StandardScaler().fit_transform(x).tolist()
    [[-1.0, -1.0], [-1.0, -1.0], [1.0, 1.0], [1.0, 1.0]]
    """

    mean_: DNDarray | None = None
    var_: DNDarray | None = None
    scale_: DNDarray | None = None

    def __init__(self, *, copy: bool = True, with_mean: bool = True, with_std: bool = True) -> None:
        self.copy = copy
        self.with_mean = with_mean
        self.with_std = with_std

    def fit(self, X: DNDarray, y: Any = None, sample_weight: DNDarray | None = None) -> Self:
        """Find means and variances. y is ignored (pipelines pass one).

        Parameters
        ----------
        X : DNDarray
            (n, f).
        sample_weight : DNDarray, optional
            (n,): what each sample counts.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            NaN or infinity in X, weights whose sum is not positive.
        """
        core = samples(X, "StandardScaler.fit", "X")
        w = weights(sample_weight, core, "StandardScaler.fit")
        check_weights(w, "StandardScaler.fit")
        with finite("StandardScaler.fit", X=core, sample_weight=w):
            count, mean, var, _, _ = _core.column_statistics(core, w, "StandardScaler.fit")
        self.n_features_in_ = core.gshape[1]
        self.n_samples_seen_ = count if w is not None else int(count)
        eps = torch.finfo(torch.float64).eps
        constant = var.local <= count * eps * var.local + (count * mean.local * eps) ** 2
        scale = torch.where(constant, 1.0, var.local.sqrt())
        self._shift = mean if self.with_mean else None
        self._factor = var.with_local(1.0 / scale) if self.with_std else None
        self.mean_ = wrap(mean)
        self.var_ = wrap(var) if self.with_std else None
        self.scale_ = wrap(var.with_local(scale)) if self.with_std else None
        return self


class MinMaxScaler(ColumnScaler):
    """Features in a given range.

    Parameters
    ----------
    feature_range : (float, float)
        Least and greatest value after scaling.
    copy : bool
        False: `transform` changes the samples it is given.
    clip : bool
        Bring values outside the range that `fit` saw to its ends.

    Attributes
    ----------
    min_, scale_ : DNDarray
        `transform` is ``X * scale_ + min_``.
    data_min_, data_max_, data_range_ : DNDarray
        Extremes of each feature, and their difference.
    n_features_in_ : int
        Features.
    n_samples_seen_ : int
        Samples.

    Notes
    -----
    One pass over the samples, three allreduces of up to 2 f numbers where rows are split.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[-1.0, 2.0], [0.0, 10.0], [1.0, 18.0]], split=0)
    >>> ht.preprocessing.MinMaxScaler().fit_transform(x).tolist()
    [[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]
    """

    def __init__(
        self, feature_range: tuple[float, float] = (0.0, 1.0), *, copy: bool = True, clip: bool = False
    ) -> None:
        self.feature_range = feature_range
        self.copy = copy
        self.clip = clip

    def fit(self, X: DNDarray, y: Any = None) -> Self:
        """Find the extremes of each feature of X (n, f). y is ignored (pipelines pass one).

        Raises
        ------
        ValueError
            NaN or infinity in X, an empty `feature_range`.
        """
        low, high = self.feature_range
        if not low < high:
            raise ValueError(f"MinMaxScaler.fit: feature_range must be (low, high), low < high, is {low, high}")
        core = samples(X, "MinMaxScaler.fit", "X")
        with finite("MinMaxScaler.fit", X=core):
            count, _, _, least, greatest = _core.column_statistics(core, None, "MinMaxScaler.fit")
        self.n_features_in_, self.n_samples_seen_ = core.gshape[1], int(count)
        extent = greatest.local - least.local
        factor = (high - low) * inverse_scale(extent, extent < 10 * epsilon(core))
        self._shift = least.with_local(least.local - low / factor)
        self._factor = least.with_local(factor)
        self.data_min_, self.data_max_ = wrap(least), wrap(greatest)
        self.data_range_ = wrap(least.with_local(extent))
        self.scale_ = wrap(self._factor)
        self.min_ = wrap(least.with_local(low - least.local * factor))
        return self

    def transform(self, X: DNDarray) -> DNDarray:
        """As `ColumnScaler.transform`, with values brought into `feature_range` where `clip` says so."""
        scaled = super().transform(X)
        if self.clip:
            scaled._core.local.clamp_(*self.feature_range)
        return scaled


class MaxAbsScaler(ColumnScaler):
    """Features divided by their largest magnitude.

    Parameters
    ----------
    copy : bool
        False: `transform` changes the samples it is given.

    Attributes
    ----------
    max_abs_, scale_ : DNDarray
        Largest magnitudes, and what is divided by (1 for features that are zero).
    n_features_in_ : int
        Features.
    n_samples_seen_ : int
        Samples.

    Notes
    -----
    One pass over the samples, three allreduces of up to 2 f numbers where rows are split.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.preprocessing.MaxAbsScaler().fit_transform(ht.array([[1.0, -4.0], [2.0, 2.0]], split=0)).tolist()
    [[0.5, -1.0], [1.0, 0.5]]
    """

    def __init__(self, *, copy: bool = True) -> None:
        self.copy = copy

    def fit(self, X: DNDarray, y: Any = None) -> Self:
        """Find the largest magnitude of each feature of X (n, f). y is ignored (pipelines pass one).

        Raises
        ------
        ValueError
            NaN or infinity in X.
        """
        core = samples(X, "MaxAbsScaler.fit", "X")
        with finite("MaxAbsScaler.fit", X=core):
            count, _, _, least, greatest = _core.column_statistics(core, None, "MaxAbsScaler.fit")
        self.n_features_in_, self.n_samples_seen_ = core.gshape[1], int(count)
        largest = torch.maximum(-least.local, greatest.local)
        self._factor = least.with_local(inverse_scale(largest, largest < 10 * epsilon(core)))
        self.max_abs_ = wrap(least.with_local(largest))
        self.scale_ = wrap(least.with_local(1.0 / self._factor.local))
        return self


class RobustScaler(ColumnScaler):
    """Features with median 0 and a given distance of two quantiles 1: outliers hardly matter.

    Parameters
    ----------
    with_centering : bool
        Subtract the median.
    with_scaling : bool
        Divide by the distance of the quantiles.
    quantile_range : (float, float)
        The quantiles, in percent.
    copy : bool
        False: `transform` changes the samples it is given.
    unit_variance : bool
        Scale so that normally distributed features have variance 1.
    sketched : bool
        Quantiles of samples drawn at random in place of all.
    sketch_size : float
        Their share.

    Attributes
    ----------
    center_, scale_, iqr_ : DNDarray or None
        Medians, what is divided by (1 for constant features), distances of the quantiles.
    n_features_in_ : int
        Features.

    Notes
    -----
    Exact quantiles by selection (`ht.quantile`), all at once: no sorting, and no samples are sent.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[1.0], [2.0], [3.0], [4.0], [1000.0]], split=0)
    >>> ht.preprocessing.RobustScaler().fit_transform(x).flatten().tolist()
    [-1.0, -0.5, 0.0, 0.5, 498.5]
    """

    def __init__(
        self,
        *,
        with_centering: bool = True,
        with_scaling: bool = True,
        quantile_range: tuple[float, float] = (25.0, 75.0),
        copy: bool = True,
        unit_variance: bool = False,
        sketched: bool = False,
        sketch_size: float | None = 1.0,
    ) -> None:
        self.with_centering = with_centering
        self.with_scaling = with_scaling
        self.quantile_range = quantile_range
        self.copy = copy
        self.unit_variance = unit_variance
        self.sketched = sketched
        self.sketch_size = sketch_size

    def fit(self, X: DNDarray, y: Any = None) -> Self:
        """Find the quantiles of each feature of X (n, f). y is ignored (pipelines pass one).

        Raises
        ------
        ValueError
            NaN or infinity in X, quantiles out of order or of [0, 100], a share out of (0, 1].
        """
        low, high = self.quantile_range
        if not 0 <= low < high <= 100:
            raise ValueError(f"RobustScaler.fit: quantile_range must be ordered and in [0, 100], is {low, high}")
        core = samples(X, "RobustScaler.fit", "X")
        check_finite(core, "RobustScaler.fit", "X")
        self.n_features_in_ = core.gshape[1]
        data = self._sketch(core) if self.sketched else core
        first, middle, last = column_quantiles(data, [low / 100, 0.5, high / 100])
        extent = last.local - first.local
        self.center_ = wrap(middle) if self.with_centering else None
        self._shift = middle if self.with_centering else None
        self.iqr_ = wrap(first.with_local(extent)) if self.with_scaling else None
        factor = inverse_scale(extent, extent < 10 * epsilon(core))
        if self.unit_variance:
            ends = torch.special.ndtri(torch.tensor([low / 100, high / 100], dtype=torch.float64))
            factor = factor * (ends[1] - ends[0])
        self._factor = first.with_local(factor) if self.with_scaling else None
        self.scale_ = wrap(first.with_local(1.0 / factor)) if self.with_scaling else None
        return self

    def _sketch(self, core: _core.Array) -> _core.Array:
        share = 1.0 if self.sketch_size is None else float(self.sketch_size)
        if not 0 < share <= 1:
            raise ValueError(f"RobustScaler.fit: sketch_size must be in (0, 1], is {self.sketch_size}")
        rows = max(1, round(share * core.gshape[0]))
        return core if rows == core.gshape[0] else subset_rows([core], rows, seed_of(None))[0]


class Normalizer(ColumnScaler):
    """Samples of norm 1; zero samples stay zero.

    Parameters
    ----------
    norm : {'l2', 'l1', 'max'}
        Which norm.
    copy : bool
        False: `transform` changes the samples it is given.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.preprocessing.Normalizer("l1").fit_transform(ht.array([[1.0, 3.0], [0.0, 0.0]], split=0)).tolist()
    [[0.25, 0.75], [0.0, 0.0]]
    """

    _requires_fit = False

    def __init__(self, norm: str = "l2", *, copy: bool = True) -> None:
        self.norm = norm
        self.copy = copy

    def fit(self, X: DNDarray, y: Any = None) -> Self:
        """Nothing to learn; checks the parameters and X (n, f). y is ignored. One allreduce of one number.

        Raises
        ------
        ValueError
            An unknown norm, NaN or infinity in X.
        """
        core = samples(X, "Normalizer.fit", "X")
        self._check(core, "Normalizer.fit")
        self.n_features_in_ = core.gshape[1]
        return self

    def transform(self, X: DNDarray) -> DNDarray:
        """The samples divided by their norms.

        Parameters
        ----------
        X : DNDarray
            (n, f), any split; integers become float32.

        Returns
        -------
        DNDarray
            (n, f), split as X; with ``copy=False`` X itself, changed. One allreduce of one number; one of n
            numbers where features are split. Differentiable.

        Raises
        ------
        ValueError
            An unknown norm, NaN or infinity in X; after `fit` another number of features.
        """
        core = self._matrix(X, "transform", "X") if hasattr(self, "n_features_in_") else samples(X, "Normalizer", "X")
        self._check(core, "Normalizer.transform")
        kind = core.local.dtype if core.local.is_floating_point() else torch.float32
        x = wrap(core).astype(torch.float64)  # float32 has no squares of its numbers beyond 1e19 and below 1e-23
        norms = vector_norm(x, axis=1, keepdims=True, ord={"l1": 1, "l2": 2, "max": torch.inf}[self.norm])._core
        result = (x / wrap(norms.with_local(torch.where(norms.local == 0, 1.0, norms.local)))).astype(kind)
        if self.copy:
            return result
        if core.local.dtype != kind:
            raise TypeError(f"Normalizer: copy=False needs real samples, they are {core.local.dtype}")
        core.local.copy_(result._core.local)
        return X

    def _check(self, core: _core.Array, fn: str) -> None:
        if self.norm not in ("l1", "l2", "max"):
            raise ValueError(f"{fn}: norm must be 'l1', 'l2' or 'max', is {self.norm!r}")
        check_finite(core, fn, "X")

    def inverse_transform(self, Y: DNDarray) -> DNDarray:
        """Norms are lost. NotImplementedError."""
        raise NotImplementedError("Normalizer has no inverse: the norms of the samples are lost")
