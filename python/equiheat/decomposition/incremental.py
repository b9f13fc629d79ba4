# SPDX-License-Identifier: BSD-3-Clause
"""Principal component analysis of samples that come in batches."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._progress import Progress
from equiheat._samples import check_features, finite, positive, replicated, samples
from equiheat.communication import get_comm
from equiheat.decomposition._components import Components, with_signs
from equiheat.io import _slabs as slabs
from equiheat.io.hdf5 import _h5py, load_hdf5
from equiheat.linalg import svd

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["IncrementalPCA"]


class IncrementalPCA(Components):
    """Principal components of samples of which only a batch is in memory at a time.

    Parameters
    ----------
    n_components : int, optional
        How many; None: all, the number of features or of samples in the first batch, whatever is less.
    copy : bool
        Accepted for scikit-learn's and Heat's programs; samples are never changed.
    whiten : bool
        Coordinates with variance 1.
    batch_size : int, optional
        Samples of an array that `fit` takes at a time; 5 f by default, as in scikit-learn.
    verbose : bool
        Draw a progress bar of the samples that `fit` has taken on rank 0.

    Attributes
    ----------
    components_, singular_values_, explained_variance_, explained_variance_ratio_, noise_variance_
        As those of `PCA`; all replicated.
    mean_, var_ : DNDarray
        (f,) float64: of the samples seen.
    n_components_, n_samples_seen_, n_features_in_ : int
        Numbers of components, of samples seen, of features.

    Notes
    -----
    A batch costs one pass for its moments, its `svd` (samples split 0: one allgather of triangles), and the
    decomposition of a matrix of at most (k + f + 1, f) on every rank. Results are scikit-learn's for the same batches.

    References
    ----------
    Ross, Lim, Lin, Yang, "Incremental learning for robust visual tracking", Int. J. Comput. Vis. 77 (2008).

    Examples
    --------
    >>> import equiheat as ht
    >>> pca = ht.decomposition.IncrementalPCA(1)
    >>> for batch in ([[0.0, 1.0], [2.0, 1.0]], [[4.0, 1.0], [6.0, 1.0]]):
    ...     pca = pca.partial_fit(ht.array(batch, split=0))
    >>> pca.components_.round(3).tolist(), pca.n_samples_seen_
    ([[1.0, 0.0]], 4)
    """

    singular_values_: DNDarray | None = None
    explained_variance_ratio_: DNDarray | None = None
    var_: DNDarray | None = None
    noise_variance_: float | None = None
    n_components_: int | None = None
    n_samples_seen_: int = 0
    batch_size_: int | None = None
    _scaled: torch.Tensor
    _squares: torch.Tensor

    def __init__(
        self,
        n_components: int | None = None,
        copy: bool = True,
        whiten: bool = False,
        batch_size: int | None = None,
        *,
        verbose: bool = False,
    ) -> None:
        self.n_components = n_components
        self.copy = copy
        self.whiten = whiten
        self.batch_size = batch_size
        self.verbose = verbose

    def fit(self, path: Any, chunk_size: int | None = None, dataset: str = "DATA") -> Self:
        """Find the components of the samples in a file, or of an array, batch by batch; what was seen before is
        forgotten.

        Parameters
        ----------
        path : str, path or DNDarray
            An HDF5 file, or the samples (n, f) themselves.
        chunk_size : int, optional
            Samples of the file that are loaded at a time; `batch_size` by default. Not an integer (a pipeline's y) with
            an array: ignored.
        dataset : str
            Name of the data set in the file.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            The file is not HDF5 or its data set not 2-D; NaN or infinity; fewer samples in a batch than components.
        FileNotFoundError, KeyError, ImportError
            As `ht.load_hdf5`.
        """
        self.components_, self.n_samples_seen_ = None, 0
        rows, load = self._source(path, chunk_size, dataset)
        with Progress("IncrementalPCA", rows, self.verbose, get_comm()) as bar:
            for first, last in _cuts(rows, self._fitted("batch_size_"), self.n_components or 1):
                self.partial_fit(load(first, last))
                bar.update(last, "samples")
        return self

    def _source(self, path: Any, chunk_size: int | None, dataset: str) -> tuple[int, Callable[[int, int], DNDarray]]:
        """How many samples there are, and what gives those from one to another. Collective."""
        size = self.batch_size if not isinstance(chunk_size, int) else chunk_size
        if not isinstance(path, (str, os.PathLike)):
            core = samples(path, "IncrementalPCA.fit", "X")
            self.batch_size_ = self._size(size, core.gshape[1])

            def cut(first: int, last: int) -> DNDarray:
                batch = wrap(core)[first:last]
                return batch if batch.split != 0 else batch.balance()

            return core.gshape[0], cut
        if pathlib.Path(path).suffix.lower() not in (".h5", ".hdf5"):
            raise ValueError(f"IncrementalPCA.fit: {os.fspath(path)!r} is no HDF5 file (.h5, .hdf5)")
        rows, features = _shape_of(path, dataset)
        self.batch_size_ = self._size(size, features)
        return rows, lambda first, last: load_hdf5(path, dataset, slices=[slice(first, last), None], split=0)

    def _size(self, size: int | None, features: int) -> int:
        return 5 * features if size is None else positive(size, "IncrementalPCA", "batch_size")

    def partial_fit(self, X: DNDarray, y: Any = None) -> Self:
        """Take further samples into account. y is ignored.

        Parameters
        ----------
        X : DNDarray
            (n, f) real numbers, any split; the dtype of the first batch is that of the results.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            NaN or infinity in X, another number of features, fewer samples than components.
        """
        fn = "IncrementalPCA.partial_fit"
        core = samples(X, fn, "X")
        n, f = core.gshape
        if self.components_ is not None:
            check_features(core, self._fitted("n_features_in_"), fn)
        k = self._wanted(n, f)
        with finite(fn, X=core):
            _, mean, variance, _, _ = _core.column_statistics(core, None, fn)
        mean, variance = mean.resplit(None), variance.resplit(None)
        factors: Any = svd(wrap(_core.scale_columns(core.resplit(0) if core.split == 1 else core, mean, None)))
        own = factors.S.resplit(None).larray.unsqueeze(1) * factors.Vh.resplit(None).larray
        self._merge(own.double(), mean.local, variance.local, n, k, core)
        return self

    def _wanted(self, n: int, f: int) -> int:
        known: int | None = None if self.components_ is None else self.n_components_
        k = self.n_components or known or min(n, f)
        positive(k, "IncrementalPCA", "n_components")
        if k > f or (k > n and known is None):
            raise ValueError(
                f"IncrementalPCA: n_components = {k} of {n} samples with {f} features; at most {min(n, f)}"
            )
        return int(k)

    def _merge(
        self, own: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor, n: int, k: int, core: _core.Array
    ) -> None:
        """The components of what was seen and of a batch with these scaled directions. Local: the same on all ranks."""
        seen = self.n_samples_seen_
        total = seen + n
        rows, squares = own, variance * n
        dtype = torch.float64 if core.local.dtype == torch.float64 else torch.float32
        if self.components_ is not None:
            before, dtype = self._exact_mean.local, self.components_.larray.dtype
            shift = mean - before
            known = self._scaled
            correction = shift.unsqueeze(0) * (seen / total * n) ** 0.5
            rows = torch.cat([known, own, correction])
            squares = squares + self._squares + shift.square() * (seen / total * n)
            mean = before + shift * (n / total)
        _, singular, directions = torch.linalg.svd(rows, full_matrices=False)
        self._scaled, self._squares = singular[:k].unsqueeze(1) * directions[:k], squares
        self.n_samples_seen_, self.n_features_in_, self.n_components_ = total, core.gshape[1], k
        self._exact_mean = _core.Array(mean, list(mean.shape), None, None, core.comm)
        self.mean_, self.var_ = wrap(self._exact_mean), replicated(squares / total, core)
        self.components_ = with_signs(replicated(directions[:k].to(dtype), core))
        spread = singular.square() / max(1, total - 1)
        self.singular_values_ = replicated(singular[:k].to(dtype), core)
        self.explained_variance_ = replicated(spread[:k].to(dtype), core)
        everything = float(squares.sum())
        shares = singular[:k].square() / everything if everything > 0 else torch.zeros_like(singular[:k])
        self.explained_variance_ratio_ = replicated(shares.to(dtype), core)
        self.noise_variance_ = float(spread[k:].mean()) if k < min(total, core.gshape[1], len(spread)) else 0.0


def _cuts(rows: int, size: int, least: int) -> Iterator[tuple[int, int]]:
    """Ranges of `size` rows; the last one takes what would be less than `least`. Local."""
    first = 0
    while first < rows:
        last = first + size
        if rows - last < least:
            last = rows
        yield first, min(last, rows)
        first = last


def _shape_of(path: Any, dataset: str) -> tuple[int, int]:
    """Rows and columns of a data set. Collective: rank 0 looks."""

    def look() -> tuple[int, ...]:
        with _h5py("IncrementalPCA.fit").File(slabs.existing(path, "IncrementalPCA.fit"), "r") as file:
            if dataset not in file:
                raise KeyError(f"IncrementalPCA.fit: {str(path)!r} has no data set {dataset!r}, has {sorted(file)}")
            return tuple(int(n) for n in file[dataset].shape)

    shape = slabs.on_first(get_comm(), look)
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"IncrementalPCA.fit: {dataset!r} must be 2-D, (samples, features), has shape {shape}")
    return shape[0], shape[1]
