# SPDX-License-Identifier: BSD-3-Clause
"""What dynamic mode decompositions share: parameters of the singular value decomposition, and states over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core
from equiheat._base import wrap
from equiheat._samples import check_finite, check_real, numbers, positive, replicated
from equiheat.base import BaseEstimator, RegressionMixin
from equiheat.linalg import hsvd, matmul, rsvd, svd

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_SOLVERS = ("full", "hierarchical", "randomized")


class Dynamics(RegressionMixin, BaseEstimator):
    """Linear dynamics in the span of a few vectors; subclasses find them."""

    svd_solver: str | None
    svd_rank: int | None
    svd_tol: float | None
    rom_basis_: DNDarray | None = None
    rom_transfer_matrix_: DNDarray | None = None
    rom_eigenvalues_: DNDarray | None = None
    rom_eigenmodes_: DNDarray | None = None
    dmdmodes_: DNDarray | None = None
    n_modes_: int | None = None

    def _check(self) -> None:
        """ValueError or TypeError for parameters that are wrong or do not go together. Local."""
        fn = type(self).__name__
        if self.svd_solver not in _SOLVERS:
            raise ValueError(f"{fn}: svd_solver must be one of {', '.join(_SOLVERS)}, is {self.svd_solver!r}")
        rank, tol = self.svd_rank, self.svd_tol
        if rank is not None:
            positive(rank, fn, "svd_rank")
        if tol is not None and not (isinstance(tol, float) and tol > 0):
            kind = ValueError if isinstance(tol, float) else TypeError
            raise kind(f"{fn}: svd_tol must be a positive float, is {tol!r}")
        if rank is not None and tol is not None:
            raise ValueError(f"{fn}: svd_rank = {rank} and svd_tol = {tol} exclude each other; give one of them")
        if rank is None and (self.svd_solver == "randomized" or (tol is None and self.svd_solver == "hierarchical")):
            raise ValueError(f"{fn}: svd_solver={self.svd_solver!r} needs svd_rank{'' if tol else ' or svd_tol'}")
        if tol is not None and self.svd_solver == "randomized":
            raise ValueError(f"{fn}: svd_solver='randomized' needs svd_rank, not svd_tol")

    def _series(self, x: Any, argument: str) -> DNDarray:
        """A checked series (features, steps) of real numbers. Collective: one allreduce (the check for NaN)."""
        fn = f"{type(self).__name__}.fit"
        core = numbers(x, None, fn, argument)
        check_real(core, fn, argument)
        if core.ndim != 2 or core.gshape[1] < 2 or core.gshape[0] < 1:
            shape = tuple(core.gshape)
            raise ValueError(f"{fn}: {argument} must be 2-D, (features, at least 2 steps), has shape {shape}")
        check_finite(core, fn, argument)
        return _real(wrap(core))

    def _factors(self, x: DNDarray, extra: int = 0) -> tuple[DNDarray, torch.Tensor, DNDarray]:
        """U, S and Vh truncated as the parameters say, `extra` values more than svd_rank. Collective."""
        rank = None if self.svd_rank is None else min(self.svd_rank + extra, *x.shape)
        factors: Any
        if self.svd_solver == "full":
            factors = svd(x)
            u, s, vh = factors.U, factors.S.resplit(None).larray, factors.Vh
        elif self.svd_solver == "hierarchical":
            u, sizes, vh, _ = hsvd(x, rank, None, self.svd_tol, 5, 2, True)
            s = sizes.resplit(None).larray
        else:
            factors = rsvd(x, int(rank or 1))
            u, s, vh = factors.U, factors.S.resplit(None).larray, factors.Vh
        keep = len(s) if rank is None else rank
        if self.svd_solver == "full" and self.svd_tol is not None:
            shares = s.square().cumsum(0) / s.square().sum().clamp_min(torch.finfo(s.dtype).tiny)
            keep = int((shares < 1.0 - self.svd_tol).sum()) + 1
        noise = torch.finfo(s.dtype).eps * max(x.shape) * float(s[0])
        keep = max(1, min(keep, int((s > noise).sum())))  # what is zero to rounding cannot be divided by
        return u[:, :keep], s[:keep], vh[:keep]

    def _eigen(self, transfer: torch.Tensor, core: _core.Array) -> torch.Tensor:
        """Eigenvalues and vectors of the transfer matrix; the vectors are also returned. Local."""
        values, vectors = torch.linalg.eig(transfer)
        self.n_modes_ = len(values)
        self.rom_transfer_matrix_ = replicated(transfer, core)
        self.rom_eigenvalues_ = replicated(values, core)
        self.rom_eigenmodes_ = replicated(vectors, core)
        return vectors

    def _reduced(self, states: DNDarray) -> torch.Tensor:
        """Coordinates in the basis, (modes, k), of states (features, k), on every rank. Collective: one allreduce where
        features are split.
        """
        basis: DNDarray = self._fitted("rom_basis_")
        return matmul(basis.transpose(), states).resplit(None).larray

    def _states(self, x: Any, method: str) -> tuple[DNDarray, bool]:
        """States as columns (features, k) in the type of the basis, and whether they were given as one vector."""
        fn = f"{type(self).__name__}.{method}"
        basis: DNDarray = self._fitted("rom_basis_")
        states = wrap(numbers(x, basis._core.comm, fn, "X"))
        if states.ndim not in (1, 2):
            raise ValueError(f"{fn}: X must have 1 or 2 dimensions, has {states.ndim}")
        if states.ndim == 1:
            return states.expand_dims(1).astype(basis.larray.dtype), True
        return states.astype(basis.larray.dtype), False

    def _check_features(self, states: DNDarray, method: str) -> None:
        basis: DNDarray = self._fitted("rom_basis_")
        if states.shape[0] != basis.shape[0]:
            raise ValueError(
                f"{type(self).__name__}.{method}: X has {states.shape[0]} features, but {basis.shape[0]} were expected "
                "(those fit saw)"
            )


def _real(x: DNDarray) -> DNDarray:
    """In single precision unless it is in double. Local."""
    return x if x.larray.dtype in (torch.float32, torch.float64) else x.astype(torch.float32)


def over_time(basis: DNDarray, reduced: torch.Tensor) -> DNDarray:
    """States (k, features, steps) from coordinates (k, modes, steps); split 1 where the basis is split 0. Local."""
    core = basis._core
    local = torch.matmul(core.local, reduced)
    split = None if core.split is None else 1
    shape = [reduced.shape[0], core.gshape[0], reduced.shape[2]]
    return wrap(_core.Array(local, shape, split, core.counts, core.comm))
