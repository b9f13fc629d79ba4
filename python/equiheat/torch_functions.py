# SPDX-License-Identifier: BSD-3-Clause
"""Functions of torch whose name, parameters or result differ from NumPy's, on arrays: with torch's meaning.

``torch.std`` divides by n - 1, ``torch.max(x, 1)`` gives values and places, ``torch.split`` takes lengths. What is not
here and has the same name in `equiheat` means the same in both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

import equiheat as ht
from equiheat import blocks
from equiheat._base import ArrayBase, wrap
from equiheat.construction import asarray
from equiheat.torch_gradients import grad

_types: Any = torch.return_types
Axes = Any


# ---------------------------------------------------------------------- statistics
def _spread(name: str) -> Callable[..., Any]:
    function = getattr(ht, name)

    def rule(
        input: Any,
        dim: Axes = None,
        unbiased: bool | None = None,
        keepdim: bool = False,
        *,
        correction: float | None = None,
    ) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        if unbiased is not None and correction is not None:
            raise TypeError(f"{name}: unbiased and correction say the same; give one")
        less = correction if correction is not None else 1 if unbiased is None else int(unbiased)
        axes = _axes(dim)
        return function(input, None if axes == () else axes, less, keepdims=keepdim)

    return rule


def _axes(dim: Axes) -> Any:
    return tuple(dim) if isinstance(dim, list) else dim


def _with_mean(name: str) -> Callable[..., Any]:
    spread = _spread(name)

    def rule(input: Any, dim: Axes = None, *options: Any, keepdim: bool = False, **others: Any) -> Any:
        axes = None if isinstance(dim, bool) else _axes(dim)
        kept = keepdim or (len(options) > 1 and options[1])
        return spread(input, dim, *options[:1], keepdim=kept, **others), ht.mean(input, axes, keepdims=kept)

    return rule


def _sum(name: str) -> Callable[..., Any]:
    function = getattr(ht, name)

    def rule(input: Any, dim: Axes = None, keepdim: bool = False, *, dtype: torch.dtype | None = None) -> Any:
        axes = _axes(dim)
        taken = input if dtype is None else input.astype(dtype)
        return function(taken, None if axes == () else axes, keepdims=keepdim)

    return rule


def _reduced(name: str) -> Callable[..., Any]:
    function = getattr(ht, name)
    return lambda input, dim=(), keepdim=False: function(input, None if dim == () else _axes(dim), keepdims=keepdim)


# ---------------------------------------------------------------------- extremes, order
def _picked(kind: Any, input: Any, places: Any, dim: int, keepdim: bool) -> Any:
    values = ht.take_along_axis(input, places, dim)
    return kind((values, places) if keepdim else (ht.squeeze(values, dim), ht.squeeze(places, dim)))


def _extreme(name: str) -> Callable[..., Any]:
    place, whole, each = getattr(ht, f"arg{name}"), getattr(ht, name), getattr(ht, f"{name}imum")
    kind = getattr(_types, name)

    def rule(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        """The extreme of all elements; along an axis values and their places; of two arrays element by element."""
        second = dim if isinstance(dim, (ArrayBase, torch.Tensor)) else other
        if second is not None:
            return each(input, second)
        if dim is None:
            return whole(input)
        if input.ndim == 0:
            return kind((input, ht.zeros_like(input, dtype=ht.int64)))
        return _picked(kind, input, place(input, dim, keepdims=True), dim, keepdim)

    return rule


def _place(name: str) -> Callable[..., Any]:
    function = getattr(ht, name)
    return lambda input, dim=None, keepdim=False: function(input, dim, keepdims=keepdim and dim is not None)


def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest and the largest element."""
    return _types.aminmax((ht.min(input, dim, keepdims=keepdim), ht.max(input, dim, keepdims=keepdim)))


def sort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Any:
    """Values in order, and where they were."""
    return _types.sort(ht.sort(input, dim, descending=descending, return_sort_indices=True))


def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The k-th smallest element along an axis, and where it is."""
    if not 1 <= k <= input.shape[dim]:
        raise ValueError(f"kthvalue: k must lie from 1 to {input.shape[dim]}, is {k}")
    places = sort(input, dim).indices
    at = tuple(slice(k - 1, k) if axis == dim % input.ndim else slice(None) for axis in range(input.ndim))
    return _picked(_types.kthvalue, input, places[at], dim, keepdim)


def _median(name: str) -> Callable[..., Any]:
    kind, skips = getattr(_types, name), name == "nanmedian"

    def rule(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
        """The lower of the two elements in the middle, never their mean; along an axis also where it is."""
        x = ht.flatten(input) if dim is None else input
        axis = 0 if dim is None else dim
        places, missing = sort(x, axis).indices, ht.isnan(x).sum(axis, keepdims=True)
        n = x.shape[axis]
        nth = (n - missing - 1) // 2 if skips else ht.where(missing > 0, n - missing, (n - 1) // 2)
        chosen = ht.take_along_axis(places, ht.clip(nth, 0, max(n - 1, 0)).astype(ht.int64), axis)
        found = _picked(kind, x, chosen, axis, keepdim)
        return found.values if dim is None else found

    return rule


# ---------------------------------------------------------------------- axes
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two axes change places."""
    return ht.swapaxes(input, dim0, dim1)


def transposed(input: Any) -> Any:
    """The transpose of at most two axes."""
    if input.ndim > 2:
        raise TypeError(f"t: expects at most 2 axes, the array has {input.ndim}")
    return ht.transpose(input)


def squeeze(input: Any, dim: Axes = None) -> Any:
    """Without the axes of one entry; asked for others, they stay."""
    if dim is None:
        return ht.squeeze(input)
    asked = tuple(dim) if isinstance(dim, (tuple, list)) else (dim,)
    for axis in asked:
        if not -max(input.ndim, 1) <= axis < max(input.ndim, 1):
            raise IndexError(f"squeeze: axis {axis} is out of range for an array of {input.ndim} axes")
    return ht.squeeze(input, tuple(axis for axis in asked if input.ndim and input.shape[axis] == 1))


def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces of a length, or of the given lengths."""
    n = tensor.shape[dim]
    if isinstance(split_size_or_sections, int):
        if split_size_or_sections < 1:
            raise ValueError(f"split: the length of pieces must be positive, is {split_size_or_sections}")
        lengths = [split_size_or_sections] * max(1, -(-n // split_size_or_sections))
        lengths[-1] = n - sum(lengths[:-1])
    else:
        lengths = list(split_size_or_sections)
    if sum(lengths) != n or min(lengths, default=0) < 0:
        raise ValueError(f"split: lengths {lengths} must sum to {n}, the extent of axis {dim}")
    starts = [sum(lengths[:k]) for k in range(len(lengths))]
    return tuple(narrow(tensor, dim, start, length) for start, length in zip(starts, lengths, strict=True))


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most so many pieces, all but the last of the same length."""
    if chunks < 1:
        raise ValueError(f"chunk: chunks must be positive, is {chunks}")
    return split(input, max(1, -(-input.shape[dim] // chunks)), dim)


def narrow(input: Any, dim: int, start: int, length: int) -> Any:
    """`length` entries of an axis from `start` on."""
    n = input.shape[dim]
    first = start + n if start < 0 else start
    if not 0 <= first <= first + length <= n:
        raise IndexError(f"narrow: entries {start} to {start + length} are not those of an axis of {n}")
    return input[
        tuple(slice(first, first + length) if k == dim % input.ndim else slice(None) for k in range(input.ndim))
    ]


def select(input: Any, dim: int, index: int) -> Any:
    """One entry of an axis, which goes."""
    return input[tuple(index if k == dim % input.ndim else slice(None) for k in range(input.ndim))]


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """Every entry of an axis by itself."""
    return tuple(select(input, dim, k) for k in range(input.shape[dim]))


def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Any:
    """One axis becomes several."""
    axis = dim % input.ndim
    return ht.reshape(input, (*input.shape[:axis], *sizes, *input.shape[axis + 1 :]))


def _joined(name: str) -> Callable[..., Any]:
    function = getattr(ht, name)

    def rule(tensors: Sequence[Any], *options: Any, **others: Any) -> Any:
        if "dim" in others:
            others["axis"] = others.pop("dim")
        return function([asarray(x) for x in tensors], *options, **others)

    return rule


def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """Elements at places along an axis; the other axes may be shorter in `index`."""
    if index.ndim != input.ndim:
        raise ValueError(f"gather: index must have the {input.ndim} axes of the input, has {index.ndim}")
    at = tuple(slice(None) if k == dim % input.ndim else slice(n) for k, n in enumerate(index.shape))
    return ht.take_along_axis(input[at], asarray(index), dim)


# ---------------------------------------------------------------------- elements
def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """Elements of `input` where the condition holds, of `other` elsewhere; alone the places where it holds."""
    return ht.where(condition) if input is None else ht.where(condition, input, other)


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """With `value` where the mask holds, in the input's type."""
    return ht.where(asarray(mask), asarray(value).astype(input.dtype), input)


def divided(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """The quotient, rounded down ("floor"), towards zero ("trunc") or not at all."""
    if rounding_mode is None:
        return ht.divide(input, other)
    if rounding_mode == "floor":
        return ht.floor_divide(input, other)
    if rounding_mode != "trunc":
        raise ValueError(f"div: rounding_mode must be None, 'trunc' or 'floor', is {rounding_mode!r}")
    quotient = ht.trunc(ht.divide(input, other))
    return quotient.astype(ht.result_type(input, other))


def _weighted(name: str) -> Callable[..., Any]:
    function = getattr(ht, name)
    return lambda input, other, *, alpha=1: function(input, other if alpha == 1 else asarray(other) * alpha)


def _local(func: Callable[..., Any]) -> Callable[..., Any]:
    """A function of each element alone: a rank takes its block."""

    def rule(input: Any, *options: Any, **others: Any) -> Any:
        if not isinstance(input, ArrayBase) or any(isinstance(o, ArrayBase) for o in (*options, *others.values())):
            raise TypeError(f"{func.__name__}: takes one DNDarray, beside it numbers only")
        core = input._core
        return wrap(blocks.array(func(core.local, *options, **others), core.gshape, core.split, core.counts, core))

    return rule


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """Places of the elements that are not zero: one row for each, or an array for each axis."""
    return ht.nonzero(input) if as_tuple else ht.argwhere(input)


# ---------------------------------------------------------------------- algebra
def norm(input: Any, p: Any = "fro", dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The p-norm of all elements, or of those along axes."""
    if p == "nuc":
        raise TypeError("norm: the nuclear norm is torch.linalg.matrix_norm's for DNDarrays")
    x = input if dtype is None else input.astype(dtype)
    return ht.linalg.vector_norm(x, _axes(dim), keepdims=keepdim, ord=2 if p in ("fro", None) else p)


def vector_norm(x: Any, ord: float = 2, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The norm of all elements, or of those along axes."""
    return norm(x, ord, dim, keepdim, dtype=dtype)


def logsumexp(input: Any, dim: Axes, keepdim: bool = False) -> Any:
    """The logarithm of the sum of exponentials."""
    axes = _axes(dim)
    largest = ht.max(input.detach(), axes, keepdims=True)
    shift = ht.where(ht.isfinite(largest), largest, ht.zeros_like(largest))
    total = ht.log(ht.exp(input - shift).sum(axes, keepdims=True)) + shift
    return total if keepdim else ht.squeeze(total, axes)


def _product(name: str, axes: tuple[int, int]) -> Callable[..., Any]:
    def rule(input: Any, other: Any) -> Any:
        x, y = asarray(input), asarray(other)
        if (x.ndim, y.ndim) != axes:
            raise TypeError(f"{name}: expects {axes[0]} and {axes[1]} axes, gets {x.ndim} and {y.ndim}")
        return ht.matmul(x, y)

    return rule


def added_product(input: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """``beta input + alpha a b``."""
    product = ht.matmul(asarray(a), asarray(b)) * alpha
    return product if beta == 0 else asarray(input) * beta + product


def svd(input: Any, some: bool = True, compute_uv: bool = True) -> Any:
    """U, S and V (not its transpose)."""
    if not (some and compute_uv):
        raise TypeError("svd: some=False and compute_uv=False are not supported for DNDarrays; see torch.linalg.svd")
    u, s, vh = ht.linalg.svd(input, full_matrices=False)
    return _types.svd((u, s, ht.conj(ht.swapaxes(vh, -1, -2))))


def gradient(input: Any, *, spacing: Any = 1, dim: Axes = None, edge_order: int = 1) -> tuple[Any, ...]:
    """Differences along each axis, always as a tuple."""
    steps = tuple(spacing) if isinstance(spacing, (tuple, list)) else (spacing,)
    found = ht.gradient(input, *steps, axis=_axes(dim), edge_order=edge_order)
    return tuple(found) if isinstance(found, (tuple, list)) else (found,)


def lerp(input: Any, end: Any, weight: Any) -> Any:
    """From `input` to `end` by `weight`."""
    return asarray(input) + weight * (asarray(end) - input)


def _refused(name: str, instead: str) -> Callable[..., Any]:
    def rule(*args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"torch.{name}: not supported for DNDarrays; {instead}")

    return rule


#: From the name of a function, or of a method of tensors, to what computes it.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _spread(name) for name in ("std", "var")},
    **{f"{name}_mean": _with_mean(name) for name in ("std", "var")},
    **{name: _sum(name) for name in ("sum", "mean", "prod", "nansum", "nanmean")},
    **{name: _extreme(name) for name in ("max", "min")},
    **{name: _place(name) for name in ("argmax", "argmin")},
    **{name: _reduced(name) for name in ("all", "any", "amax", "amin")},
    **{name: _median(name) for name in ("median", "nanmedian")},
    **{name: _joined(name) for name in ("stack", "hstack", "vstack", "dstack", "column_stack", "row_stack")},
    **{name: _weighted(name) for name in ("add", "sub", "subtract")},
    **{name: _local(getattr(torch, name)) for name in (
        "digamma", "erf", "erfc", "erfinv", "frac", "lgamma", "logit", "relu_", "sigmoid_", "tanh_",
    )},
    "addmm": added_product, "addmv": added_product,
    "addcdiv": lambda input, a, b, *, value=1: asarray(input) + asarray(a) * value / asarray(b),
    "addcmul": lambda input, a, b, *, value=1: asarray(input) + asarray(a) * value * asarray(b),
    "aminmax": aminmax, "argsort": lambda *args, **options: sort(*args, **options).indices, "baddbmm": added_product,
    "bmm": _product("bmm", (3, 3)), "chunk": chunk,
    "clamp": lambda input, min=None, max=None: ht.clip(input, min, max),
    "clamp_max": lambda input, max: ht.clip(input, None, max), "clamp_min": lambda input, min: ht.clip(input, min),
    "clone": lambda input, *, memory_format=None: ht.copy(input),
    "complex": lambda real, imag: asarray(real) + 1j * asarray(imag),
    "cross": _refused("cross", "torch.linalg.cross says its axis"),
    "div": divided, "divide": divided, "gather": gather, "grad": grad, "gradient": gradient,
    "index_select": lambda input, dim, index: ht.take(input, asarray(index), dim),
    "is_complex": lambda input: input.larray.is_complex(),
    "is_floating_point": lambda input: input.larray.is_floating_point(),
    "kthvalue": kthvalue, "lerp": lerp, "logsumexp": logsumexp, "masked_fill": masked_fill,
    "masked_select": lambda input, mask: input[asarray(mask)],
    "meshgrid": lambda *tensors, indexing=None: ht.meshgrid(*tensors, indexing=indexing or "ij"),
    "mm": _product("mm", (2, 2)), "movedim": lambda input, source, destination: ht.moveaxis(input, source, destination),
    "msort": lambda input: ht.sort(input, 0), "mv": _product("mv", (2, 1)), "narrow": narrow, "nonzero": nonzero,
    "norm": norm, "numel": lambda input: input.size,
    "permute": lambda input, dims: ht.transpose(input, dims),
    "put": _refused("put", "ht.put writes in place"),
    "repeat_interleave": lambda input, repeats, dim=None: ht.repeat(input, repeats, dim),
    "reshape": lambda input, shape: ht.reshape(input, tuple(shape)),
    "roll": lambda input, shifts, dims=None: ht.roll(input, shifts, None if dims == () else _axes(dims)),
    "rsub": lambda input, other, *, alpha=1: asarray(other) - asarray(input) * alpha,
    "select": select, "sort": sort, "split": split, "squeeze": squeeze, "svd": svd,
    "swapdims": transpose, "t": transposed,
    "tensor_split": lambda input, indices_or_sections, dim=0: tuple(ht.array_split(input, indices_or_sections, dim)),
    "tensordot": lambda a, b, dims=2: ht.tensordot(a, b, dims),
    "topk": lambda *args, **options: _types.topk(ht.topk(*args, **options)), "transpose": transpose,
    "tril": lambda input, diagonal=0: ht.tril(input, diagonal),
    "triu": lambda input, diagonal=0: ht.triu(input, diagonal),
    "unbind": unbind, "unflatten": unflatten, "unsqueeze": lambda input, dim: ht.expand_dims(input, dim),
    "where": where, "linalg_vector_norm": vector_norm,
}  # fmt: skip
