# SPDX-License-Identifier: BSD-3-Clause
"""Dynamic mode decompositions: the linear map that takes each state of a series to the next one.

Here, as in Heat, a series is (features, steps): a column is a state.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

import torch

from equiheat import manipulation
from equiheat._base import as_core, wrap
from equiheat._samples import positive, replicated
from equiheat.decomposition._dynamics import Dynamics, over_time
from equiheat.linalg import matmul

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["DMD", "DMDc"]


class DMD(Dynamics):
    """The matrix of least squares that takes each state to the next, in the span of the leading singular vectors.

    Parameters
    ----------
    svd_solver : {'full', 'hierarchical', 'randomized'}
        `ht.linalg.svd`, `hsvd` or `rsvd` of the states.
    svd_rank : int, optional
        Singular values to keep. 'randomized' needs it, 'hierarchical' this or svd_tol; both is an error.
    svd_tol : float, optional
        'full': share of the squared singular values to leave out; 'hierarchical': relative error in the Frobenius norm.

    Attributes
    ----------
    rom_basis_ : DNDarray
        (features, modes) orthonormal; split 0 where the states are split 0.
    rom_transfer_matrix_ : DNDarray
        (modes, modes): the map in coordinates of the basis.
    rom_eigenvalues_, rom_eigenmodes_ : DNDarray
        (modes,) and (modes, modes) complex: its eigenvalues and eigenvectors.
    dmdmodes_ : DNDarray
        (features, modes) complex: the "exact" modes, split as the basis.
    n_modes_ : int
        Singular values kept; those that are zero to rounding are not.

    Notes
    -----
    Cost: the decomposition, and products whose results are (modes, modes) and (features, modes). Eigenvalues are found
    on every rank.

    References
    ----------
    Tu, Rowley, Luchtenburg, Brunton, Kutz, "On dynamic mode decomposition: theory and applications", J. Comput. Dyn. 1
    (2014). Proctor, Brunton, Kutz, "Dynamic mode decomposition with control", SIAM J. Appl. Dyn. Syst. 15 (2016).

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[1.0, 0.5, 0.25, 0.125], [1.0, 2.0, 4.0, 8.0]], split=0)
    >>> dmd = ht.decomposition.DMD().fit(x)
    >>> dmd.predict_next(ht.array([1.0, 1.0])).round(3).tolist()
    [0.5, 2.0]
    """

    def __init__(
        self, svd_solver: str | None = "full", svd_rank: int | None = None, svd_tol: float | None = None
    ) -> None:
        self.svd_solver = svd_solver
        self.svd_rank = svd_rank
        self.svd_tol = svd_tol

    def fit(self, X: DNDarray, y: Any = None) -> Self:
        """Find the map. y is ignored.

        Parameters
        ----------
        X : DNDarray
            (features, steps) real numbers, any split.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            NaN or infinity in X, fewer than 2 steps, parameters that do not go together.
        """
        self._check()
        series = self._series(X, "X")
        before, after = series[:, :-1], series[:, 1:]
        u, s, vh = self._factors(before)
        self.rom_basis_ = u.resplit(0 if series.split == 0 else None)
        image = matmul(after, vh.transpose()) / replicated(s, u._core)  # what the basis is taken to
        image = image.resplit(self.rom_basis_.split)
        transfer = matmul(self.rom_basis_.transpose(), image).resplit(None).larray
        vectors = self._eigen(transfer, u._core)
        values = self._fitted("rom_eigenvalues_").larray
        divisor = torch.where(values.abs() > 0, values, 1.0)
        modes = matmul(image.astype(vectors.dtype), replicated(vectors, u._core))
        self.dmdmodes_ = modes / replicated(divisor, u._core)
        return self

    def predict_next(self, X: DNDarray, n_steps: int = 1) -> DNDarray:
        """States some steps later.

        Parameters
        ----------
        X : DNDarray
            (features,) or (features, k): one state or several, any split.
        n_steps : int
            How many steps.

        Returns
        -------
        DNDarray
            As X; split 0 where the basis is, else replicated. One allreduce of (modes, k) where features are split.

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError, ValueError
            n_steps below 1 or no integer, another number of features.
        """
        steps = positive(n_steps, "DMD.predict_next", "n_steps")
        states, flat = self._states(X, "predict_next")
        self._check_features(states, "predict_next")
        power = torch.linalg.matrix_power(self._fitted("rom_transfer_matrix_").larray, steps)
        basis: DNDarray = self._fitted("rom_basis_")
        found = matmul(basis, replicated(power @ self._reduced(states), basis._core))
        return found[:, 0] if flat else found

    def predict(self, X: DNDarray, steps: int | list[int] = 1) -> DNDarray:
        """States at several later times.

        Parameters
        ----------
        X : DNDarray
            (features,) or (features, k): one state or several, any split.
        steps : int or list of int
            Times: 0, 1, ..., steps - 1; or those in the list, which must not be negative.

        Returns
        -------
        DNDarray
            (features, times), or (k, features, times) for several states. Split along the features where the basis is.

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError, ValueError
            Times that are no integers or negative, another number of features.

        Notes
        -----
        One allreduce of (modes, k) where features are split. Powers are taken of the eigenvalues' matrix by products:
        (times, modes, modes) numbers on every rank.
        """
        times = _times(steps)
        states, flat = self._states(X, "predict")
        self._check_features(states, "predict")
        reduced = self._reduced(states)
        transfer = self._fitted("rom_transfer_matrix_").larray
        powers = torch.stack([torch.linalg.matrix_power(transfer, t) for t in times])
        coordinates = torch.matmul(powers, reduced).permute(2, 1, 0).contiguous()
        found = over_time(self._fitted("rom_basis_"), coordinates)
        return found[0] if flat else found


def _times(steps: Any) -> list[int]:
    """Times to predict. Local."""
    if isinstance(steps, Iterable):
        times = list(steps)
        if not times or not all(isinstance(t, int) and t >= 0 for t in times):
            raise ValueError(f"DMD.predict: steps must be integers from 0 on, are {times}")
        return times
    return list(range(positive(steps, "DMD.predict", "steps")))


class DMDc(Dynamics):
    """The matrices of least squares that take each state and control to the next state: ``x' = A x + B c``.

    Parameters
    ----------
    svd_solver, svd_rank, svd_tol
        As those of `DMD`, for the states; of the states and controls together svd_rank + (control features) singular
        values are kept.

    Attributes
    ----------
    rom_basis_, rom_transfer_matrix_, rom_eigenvalues_, rom_eigenmodes_, dmdmodes_, n_modes_
        As those of `DMD`.
    rom_control_matrix_ : DNDarray
        (modes, control features): B in coordinates of the basis.
    n_modes_system_ : int
        Singular values kept of states and controls together.

    Notes
    -----
    Cost: two decompositions, of (features + controls, steps - 1) and of (features, steps - 1), and products.

    References
    ----------
    Proctor, Brunton, Kutz, "Dynamic mode decomposition with control", SIAM J. Appl. Dyn. Syst. 15 (2016), sections 3.3
    and 3.4.

    Examples
    --------
    >>> import equiheat as ht
    >>> x = ht.array([[1.0, 1.5, 0.75, 1.375]], split=0)
    >>> c = ht.array([[1.0, 0.0, 1.0, 0.0]], split=0)
    >>> dmd = ht.decomposition.DMDc().fit(x, c)
    >>> dmd.rom_transfer_matrix_.round(3).tolist(), dmd.predict(ht.array([2.0]), ht.array([[1.0, 0.0]])).shape
    ([[0.5]], (1, 1, 2))
    """

    rom_control_matrix_: DNDarray | None = None
    n_modes_system_: int | None = None

    def __init__(
        self, svd_solver: str | None = "full", svd_rank: int | None = None, svd_tol: float | None = None
    ) -> None:
        self.svd_solver = svd_solver
        self.svd_rank = svd_rank
        self.svd_tol = svd_tol

    def fit(self, X: DNDarray, C: DNDarray) -> Self:
        """Find the matrices.

        Parameters
        ----------
        X : DNDarray
            (features, steps) real states, any split.
        C : DNDarray
            (control features, steps) real controls, any split; the last one has no effect.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            NaN or infinity, different numbers of steps, parameters that do not go together.
        """
        self._check()
        series, controls = self._series(X, "X"), self._series(C, "C")
        if series.shape[1] != controls.shape[1]:
            raise ValueError(f"DMDc.fit: X has {series.shape[1]} steps, C has {controls.shape[1]}")
        features = series.shape[0]
        controls = controls.resplit(series.split).astype(series.larray.dtype)
        before, after = series[:, :-1], series[:, 1:]
        u, s, vh = self._factors(manipulation.concatenate([before, controls[:, :-1]], 0), controls.shape[0])
        self.n_modes_system_ = len(s)
        split = 0 if series.split == 0 else None
        self.rom_basis_ = self._factors(after)[0].resplit(split)
        image = (matmul(after, vh.transpose()) / replicated(s, u._core)).resplit(split)
        small = matmul(self.rom_basis_.transpose(), image).resplit(None).larray
        of_states = matmul(u[:features].transpose(), self.rom_basis_).resplit(None).larray
        self.rom_control_matrix_ = replicated(small @ u[features:].resplit(None).larray.t(), u._core)
        vectors = self._eigen(small @ of_states, u._core)
        spread = replicated(of_states.to(vectors.dtype) @ vectors, u._core)
        self.dmdmodes_ = matmul(image.astype(vectors.dtype), spread)
        return self

    def predict(self, X: DNDarray, C: DNDarray) -> DNDarray:  # type: ignore[override]
        """States under a series of controls, from given ones on.

        Parameters
        ----------
        X : DNDarray
            (features,) or (k, features): one state or several at time 0.
        C : DNDarray
            (control features,) or (control features, steps): controls at times 0, 1, ...

        Returns
        -------
        DNDarray
            (k, features, steps): states at times 0, 1, ..., steps - 1; split along the features where the basis is.

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError, ValueError
            Other numbers of features than those of `fit`.

        Notes
        -----
        One allreduce of (modes, k) where features are split; the steps are made in (modes,) coordinates on every rank.
        """
        states, flat = self._states(X, "predict")
        states = states if flat else states.transpose()
        self._check_features(states, "predict")
        transfer, matrix = (self._fitted(n).larray for n in ("rom_transfer_matrix_", "rom_control_matrix_"))
        core = as_core(C, states._core.comm)
        if core is None or core.ndim not in (1, 2) or core.gshape[0] != matrix.shape[1]:
            raise ValueError(f"DMDc.predict: C must be ({matrix.shape[1]},) or ({matrix.shape[1]}, steps)")
        given = wrap(core).resplit(None).larray.to(transfer.dtype).reshape(matrix.shape[1], -1)
        drive = matrix @ given
        steps = [self._reduced(states)]
        for t in range(given.shape[1] - 1):
            steps.append(transfer @ steps[-1] + drive[:, t : t + 1])
        return over_time(self._fitted("rom_basis_"), torch.stack(steps, 2).permute(1, 0, 2).contiguous())
