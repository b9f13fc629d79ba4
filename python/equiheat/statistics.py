# SPDX-License-Identifier: BSD-3-Clause
"""Weighted averages, covariance, skewness and kurtosis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from equiheat import _core
from equiheat._base import wrap
from equiheat._function import Axis, DType, Operand, deliver, native, truth
from equiheat.arithmetic import divide, multiply, sqrt, subtract
from equiheat.complex_math import conj, real
from equiheat.conditional import select
from equiheat.conversion import astype
from equiheat.core._mirror import mirror
from equiheat.creation import eye
from equiheat.errors import AxisError
from equiheat.linalg import matmul
from equiheat.manipulation import broadcast_to, concatenate, expand_dims, reshape, squeeze, transpose
from equiheat.promotion import promote_types
from equiheat.reductions import _axes, any, mean, sum
from equiheat.rounding import clip

if TYPE_CHECKING:
    from equiheat.array import DNDarray

__all__ = ["average", "corrcoef", "cov", "kurtosis", "skew"]


def skew(
    x: Operand, axis: Axis = None, unbiased: bool = True, *, out: DNDarray | None = None, keepdims: bool = False
) -> DNDarray:
    """Skewness: the third moment of the standardized data, m3 / m2**1.5.

    Parameters
    ----------
    x : DNDarray
        Bool, integer or real.
    axis : int or tuple of int, optional
        Axes to reduce; all without.
    unbiased : bool
        Correct for the bias of a sample by sqrt(n (n - 1)) / (n - 2).
    out : DNDarray, optional
        Where to write the result.
    keepdims : bool
        Keep reduced axes with length 1.

    Returns
    -------
    DNDarray
        Types as `mean`: integers give float32. NaN of constant data.

    Raises
    ------
    TypeError
        For complex numbers.

    Notes
    -----
    Distribution: replicated if the split is among the axes, else split as before. Communication: then one allgather
    of four partial results per rank, merged without loss of digits (Pébay, SAND2008-6212). Differentiable.

    Examples
    --------
    >>> x = ht.array([1.0, 2.0, 3.0, 10.0], split=0)
    >>> round(ht.skew(x, unbiased=False).item(), 4)
    1.0182
    """
    core = _core.skew(native(x, "skew"), _axes(axis), keepdims, unbiased)
    return deliver(wrap(core), out, True, "skew")


def kurtosis(
    x: Operand,
    axis: Axis = None,
    unbiased: bool = True,
    fischer: bool = True,
    *,
    Fischer: bool | None = None,
    out: DNDarray | None = None,
    keepdims: bool = False,
) -> DNDarray:
    """Kurtosis: the fourth moment of the standardized data, m4 / m2**2.

    Parameters
    ----------
    x : DNDarray
        Bool, integer or real.
    axis : int or tuple of int, optional
        Axes to reduce; all without.
    unbiased : bool
        Correct for the bias of a sample.
    fischer : bool
        Fisher's definition: the normal distribution has 0, not 3.
    Fischer : bool, optional
        The same, as releases of Heat spell it; decides if given.
    out : DNDarray, optional
        Where to write the result.
    keepdims : bool
        Keep reduced axes with length 1.

    Returns
    -------
    DNDarray
        As `skew`, which see for types, distribution and cost.

    Examples
    --------
    >>> x = ht.array([1.0, 2.0, 3.0, 10.0], split=0)
    >>> round(ht.kurtosis(x, unbiased=False, fischer=False).item(), 4)
    2.2304
    """
    normal_is_zero = fischer if Fischer is None else Fischer
    core = _core.kurtosis(native(x, "kurtosis"), _axes(axis), keepdims, unbiased, normal_is_zero)
    return deliver(wrap(core), out, True, "kurtosis")


def _weights(x: DNDarray, axis: Axis, weights: Operand, fn: str = "average") -> DNDarray:
    """Weights in a shape that broadcasts to x."""
    w = wrap(native(weights, fn, "weights", x._core))
    if w.shape == x.shape:
        return w
    if axis is None:
        raise TypeError(f"{fn}: axis must be given when x and weights differ in shape")
    axes = _axes(axis) or []
    along = [a + x.ndim if a < 0 else a for a in axes]
    if wrong := [a for a in along if not 0 <= a < x.ndim]:
        raise AxisError(f"{fn}: axis {wrong[0]} is out of bounds for {x.ndim}-dimensional array")
    if w.ndim != len(along):
        raise TypeError(f"{fn}: weights must have one axis per reduced axis of x ({len(along)}), have {w.ndim}")
    if w.shape != tuple(x.shape[a] for a in along):
        raise ValueError(f"{fn}: weights of shape {w.shape} do not match axis {axis} of an array {x.shape}")
    order = sorted(range(len(along)), key=along.__getitem__)
    w = transpose(w, order) if order != list(range(len(order))) else w
    return reshape(w, tuple(x.shape[a] if a in along else 1 for a in range(x.ndim)))


@overload
def average(
    x: Operand,
    axis: Axis = None,
    weights: Operand | None = None,
    returned: Literal[False] = False,
    *,
    keepdims: bool = False,
) -> DNDarray: ...
@overload
def average(
    x: Operand, axis: Axis = None, weights: Operand | None = None, *, returned: Literal[True], keepdims: bool = False
) -> tuple[DNDarray, DNDarray]: ...
def average(
    x: Operand, axis: Axis = None, weights: Operand | None = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """Weighted average over axes: ``sum(x * weights) / sum(weights)``.

    Parameters
    ----------
    x : DNDarray
    axis : int or tuple of int, optional
        Axes to reduce; all without.
    weights : DNDarray, optional
        Of x's shape, or with one axis for each of `axis` in that order. Any split. Without, all weigh the same.
    returned : bool
        Give the sums of the weights, too.
    keepdims : bool
        Keep reduced axes with length 1.

    Returns
    -------
    DNDarray, or a tuple of two
        The averages, in the common dtype of x and weights (integers: float32); with `returned` also the sums of the
        weights in the same shape. Replicated if the split is among the axes, else split as before.

    Raises
    ------
    ZeroDivisionError
        If a sum of weights is 0.
    TypeError, ValueError
        If the weights' shape does not fit.

    Notes
    -----
    Communication: two allreduces of the result's size if the split is among the axes; weights in another layout are
    redistributed. Differentiable.

    Examples
    --------
    >>> ht.average(ht.arange(4, split=0), weights=ht.array([4, 3, 2, 1], split=0)).item()
    1.0
    """
    array = wrap(native(x, "average"))
    if weights is None:
        result = mean(array, axis, keepdims=keepdims)
        if not returned:
            return result
        count = array.size // max(result.size, 1)
        return result, wrap(result._core.with_local(result._core.local.new_full(result.lshape, count)))
    w = _weights(array, axis, weights)
    total = sum(broadcast_to(w, array.shape) if w.shape != array.shape else w, axis, None, keepdims)
    if any(total == 0).item():
        raise ZeroDivisionError("average: the weights add up to 0")
    result = divide(sum(multiply(array, w), axis, None, keepdims), total)
    if not returned:
        return result
    return result, astype(total, result.dtype)


def _observations(m: Operand, rowvar: bool, name: str, like: _core.Array | None = None) -> DNDarray:
    """(variables, observations) in a real or complex dtype."""
    x = wrap(native(m, name, "m" if like is None else "y", like))
    if x.ndim > 2:
        raise ValueError(f"{name}: arrays must have at most 2 dimensions, has {x.ndim}")
    if x.ndim < 2:
        x = expand_dims(x if x.ndim == 1 else reshape(x, (1,)), 0)
    elif not rowvar and x.shape[0] != 1:
        x = transpose(x)
    kind = x._core.local.dtype
    return x if kind.is_floating_point or kind.is_complex else astype(x, float)


def _all_weights(fweights: Operand | None, aweights: Operand | None, x: DNDarray) -> DNDarray | None:
    """Product of the weights of the observations."""
    found = [
        wrap(native(w, "cov", name, x._core))
        for name, w in (("fweights", fweights), ("aweights", aweights))
        if w is not None
    ]
    for w in found:
        if w.ndim != 1 or w.shape[0] != x.shape[1]:
            raise ValueError(f"cov: weights must have shape ({x.shape[1]},), one per observation, have {w.shape}")
    return None if not found else multiply(found[0], found[1]) if len(found) == 2 else found[0]


def cov(
    m: Operand,
    y: Operand | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    *,
    fweights: Operand | None = None,
    aweights: Operand | None = None,
    dtype: DType = None,
) -> DNDarray:
    """Covariance matrix of variables.

    Parameters
    ----------
    m : DNDarray
        (variables, observations), or (observations,) of one variable; any split.
    y : DNDarray, optional
        More variables for the same observations.
    rowvar : bool
        False: the arrays are (observations, variables).
    bias : bool
        Divide by n, not by n - 1.
    ddof : int, optional
        Divide by n - ddof, whatever `bias` says.
    fweights, aweights : DNDarray, optional
        How often each observation counts, and how much; see numpy.cov.
    dtype : data type, optional
        To compute in and return.

    Returns
    -------
    DNDarray
        (variables, variables), or 0-d for one variable. Integers give float32; complex data a Hermitian matrix.
        Split as a matrix product: along the variables where they are split, 1 where the observations are.

    Raises
    ------
    ValueError
        For more than 2 dimensions, and weights of another length.
    TypeError
        If ddof is no integer, rowvar or bias neither True nor False.

    Notes
    -----
    Communication: a mean and a matrix product (see `linalg.matmul`). Differentiable.

    Examples
    --------
    >>> x = ht.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]], split=1)
    >>> ht.cov(x).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    if ddof is not None and not hasattr(ddof, "__index__"):
        raise TypeError(f"cov: ddof must be an integer, is {type(ddof)}")
    rowvar, bias = truth("cov", "rowvar", rowvar), truth("cov", "bias", bias)
    x = _observations(m, rowvar, "cov")
    if y is not None:
        more = _observations(y, rowvar, "cov", x._core)
        common = promote_types(x.dtype, more.dtype)
        x = concatenate([astype(x, common), astype(more, common)], 0)
    if dtype is not None:
        x = astype(x, dtype)
    ddof = (0 if bias else 1) if ddof is None else ddof
    w = _all_weights(fweights, aweights, x)
    if w is None:
        freedom: float = x.shape[1] - ddof
        centred = subtract(x, mean(x, 1, keepdims=True))
        right = centred
    else:
        total, mixed = sum(w).item(), 0.0
        if aweights is not None and ddof != 0:
            mixed = sum(multiply(w, wrap(native(aweights, "cov", "aweights", x._core)))).item()
        freedom = total - (ddof * mixed / total if aweights is not None else ddof)
        centred = subtract(x, average(x, 1, w, keepdims=True))
        right = astype(multiply(centred, w), centred.dtype)
    product = matmul(centred, conj(transpose(right)) if right._core.local.is_complex() else transpose(right))
    return squeeze(divide(product, max(freedom, 0.0)))


def corrcoef(x: Operand, y: Operand | None = None, rowvar: bool = True, *, dtype: DType = None) -> DNDarray:
    """Pearson's correlation coefficients: the covariances divided by the standard deviations.

    Parameters
    ----------
    x : DNDarray
        (variables, observations), or (observations,); any split.
    y : DNDarray, optional
        More variables for the same observations.
    rowvar : bool
        False: the arrays are (observations, variables).
    dtype : data type, optional
        To compute in and return.

    Returns
    -------
    DNDarray
        Shape, dtype, split and cost as `cov`, with one more allreduce of the diagonal. Differentiable.

    Examples
    --------
    >>> x = ht.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]], split=1)
    >>> ht.corrcoef(x).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return divide(c, c)
    diagonal = eye(c.shape[0], dtype=bool, split=c.split, comm=c.comm)
    deviation = sqrt(real(sum(select(diagonal, c, 0.0), c.split or 0)))
    result = divide(divide(c, expand_dims(deviation, 1)), expand_dims(deviation, 0))
    return result if result._core.local.is_complex() else clip(result, -1, 1)


class StatisticsMethods:
    """Methods of DNDarray."""

    __slots__ = ()
    average = average
    kurtosis = kurtosis
    skew = skew


__getattr__, _ = mirror(
    __name__, "equiheat.reductions", "equiheat", "equiheat.core._reductions"
)  # what Heat's module of this name has more
