# SPDX-License-Identifier: BSD-3-Clause
"""Distances of all pairs of rows.

All functions take X (n, f) and Y (m, f), split or not, and give (n, m): split 0 if X is split, else split 1 if Y is,
else replicated. Where both are split, each rank receives Y once: whole (one allgather) where some rank has four times
as many rows of X as there are features, so that Y is at most a quarter of its result; else, and where gradients are
wanted, in blocks that travel round the ranks while the ones at hand are worked on, two at a time. A matrix that is
split along its features is redistributed first (one alltoallv). Integers and half precision are computed in float32.
Differentiable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from equiheat import _core
from equiheat._base import as_core, wrap

if TYPE_CHECKING:
    from equiheat.array import DNDarray
    from equiheat.linalg._operands import ArrayLike

__all__ = ["cdist", "manhattan", "rbf"]


def _pairs(fn: str, x: ArrayLike, y: ArrayLike | None, metric: str, sigma: float = 1.0) -> DNDarray:
    a = as_core(x, None)
    if a is None:
        raise TypeError(f"{fn}: X must be a DNDarray or an array of numbers, is {type(x)}")
    b = a if y is None else as_core(y, a.comm)
    if b is None:
        raise TypeError(f"{fn}: Y must be a DNDarray, an array of numbers or None, is {type(y)}")
    for name, core in (("X", a), ("Y", b)):
        if core.ndim != 2:
            raise ValueError(f"{fn}: {name} must be 2-D, (rows, features), has shape {tuple(core.gshape)}")
    return wrap(_core.pairwise_distances(a, b, metric, float(sigma)))


def cdist(X: ArrayLike, Y: ArrayLike | None = None, quadratic_expansion: bool = False) -> DNDarray:
    """Euclidean distance of each row of X to each row of Y.

    Parameters
    ----------
    X : DNDarray
        (n, f).
    Y : DNDarray, optional
        (m, f); without it the rows of X are compared with each other.
    quadratic_expansion : bool
        By ``|x|**2 + |y|**2 - 2 x y``: fewer operations where there are many features, but distances that are small
        beside the rows' norms lose digits. By default from differences, with no such loss and exact zeros.

    Returns
    -------
    DNDarray
        (n, m), float32 or float64; the split and the communication are those of the module. Differentiable.
        Squares are of that type: in float32 differences beyond 1.8e19 give infinity, those below 1e-23 zero.

    Raises
    ------
    ValueError
        If X or Y is not 2-D or the numbers of features differ.
    TypeError
        For complex numbers.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.spatial.cdist(ht.array([[0.0, 0.0], [3.0, 4.0]], split=0)).tolist()
    [[0.0, 5.0], [5.0, 0.0]]
    """
    return _pairs("cdist", X, Y, "expanded" if quadratic_expansion else "euclidean")


def rbf(X: ArrayLike, Y: ArrayLike | None = None, sigma: float = 1.0, quadratic_expansion: bool = False) -> DNDarray:
    """Gaussian kernel ``exp(-d**2 / (2 sigma**2))`` of the Euclidean distances d of all pairs of rows.

    Parameters
    ----------
    X : DNDarray
        (n, f).
    Y : DNDarray, optional
        (m, f); without it the rows of X are compared with each other.
    sigma : float
        Width of the kernel, not zero.
    quadratic_expansion : bool
        As in `cdist`.

    Returns
    -------
    DNDarray
        (n, m) of values in [0, 1]; split and communication as in `cdist`. Differentiable.

    Raises
    ------
    ValueError
        As `cdist`, and for sigma = 0.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.spatial.rbf(ht.zeros((2, 3), split=0)).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    if not abs(float(sigma)) > 0:
        raise ValueError(f"rbf: sigma must be a number other than 0, is {sigma}")
    return _pairs("rbf", X, Y, "rbf_expanded" if quadratic_expansion else "rbf", sigma)


def manhattan(X: ArrayLike, Y: ArrayLike | None = None, expand: bool = False) -> DNDarray:
    """Sum of absolute differences of each row of X and each row of Y.

    Parameters
    ----------
    X : DNDarray
        (n, f).
    Y : DNDarray, optional
        (m, f); without it the rows of X are compared with each other.
    expand : bool
        Heat's choice between two kernels of torch, one of which needs f times the memory. Accepted for programs
        written for it; there is one kernel here, which needs the memory of its result.

    Returns
    -------
    DNDarray
        (n, m); split and communication as in `cdist`. Differentiable.

    Raises
    ------
    ValueError
        As `cdist`.

    Examples
    --------
    >>> import equiheat as ht
    >>> ht.spatial.manhattan(ht.array([[0.0, 0.0], [3.0, 4.0]], split=0)).tolist()
    [[0.0, 7.0], [7.0, 0.0]]
    """
    return _pairs("manhattan", X, Y, "manhattan")
