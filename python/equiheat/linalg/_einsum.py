# SPDX-License-Identifier: BSD-3-Clause
"""Einstein's summation convention."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import prod
from typing import TYPE_CHECKING, Any

import torch

from equiheat import _core, manipulation
from equiheat._base import wrap
from equiheat.linalg._contractions import contract, ordered
from equiheat.linalg._operands import ArrayLike, natives

if TYPE_CHECKING:
    from equiheat.array import DNDarray


def _parse(subscripts: str, ndims: list[int]) -> tuple[list[list[str]], list[str]]:
    """Labels of the operands' axes and of the result; "..." becomes labels of its own, counted from the end."""
    text = subscripts.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: {subscripts!r} names {len(terms)} operands, there are {len(ndims)}")
    hidden = [ndim - len(term.replace("...", "")) for term, ndim in zip(terms, ndims, strict=True)]
    for term, ndim, extra in zip(terms, ndims, hidden, strict=True):
        letters = term.replace("...", "", 1)
        if (letters and not letters.isalpha()) or extra < 0 or (extra > 0 and "..." not in term):
            raise ValueError(f"einsum: {term!r} does not describe an operand of {ndim} dimensions")
    most = max(hidden)

    def labels(term: str, count: int) -> list[str]:
        head, dots, tail = term.partition("...")
        return [*head, *((f".{i}" for i in range(most - count, most)) if dots else ()), *tail]

    operands = [labels(term, extra) for term, extra in zip(terms, hidden, strict=True)]
    if arrow:
        wanted = labels(output, most)
    else:
        counts = Counter(label for term in operands for label in term)
        wanted = [f".{i}" for i in range(most)] + sorted(x for x, n in counts.items() if n == 1 and x[0] != ".")
    known = {label for term in operands for label in term}
    if len(set(wanted)) < len(wanted) or not set(wanted) <= known:
        raise ValueError(f"einsum: the result {output!r} repeats a label or has one that no operand has")
    return operands, wanted


def _extents(terms: list[list[str]], cores: list[_core.Array]) -> dict[str, int]:
    extents: dict[str, int] = {}
    for term, core in zip(terms, cores, strict=True):
        own: dict[str, int] = {}
        for label, extent in zip(term, core.gshape, strict=True):
            known = extents.setdefault(label, extent)
            if own.setdefault(label, extent) != extent or (known != extent and 1 not in (extent, known)):
                raise ValueError(f"einsum: label {label!r} has extents {known} and {extent}")
            extents[label] = extent if known == 1 else known
    return extents


def _simplified(x: DNDarray, term: list[str], keep: set[str], extents: dict[str, int]) -> tuple[DNDarray, list[str]]:
    """Without repeated labels (diagonals), broadcast axes and labels that nothing else has (sums)."""
    term = list(term)
    for label in [label for label, n in Counter(term).items() if n > 1]:
        while term.count(label) > 1:
            i, j = [k for k, other in enumerate(term) if other == label][:2]
            x = wrap(_core.matrix_diagonal(manipulation.moveaxis(x, (i, j), (-2, -1))._core, 0))
            term = [other for k, other in enumerate(term) if k not in (i, j)] + [label]
    gone = [i for i, label in enumerate(term) if label not in keep or (x.shape[i] == 1 and extents[label] != 1)]
    return (
        (x.sum(axis=tuple(gone)).astype(x.dtype), [t for i, t in enumerate(term) if i not in gone])
        if gone
        else (x, term)
    )


def _pairwise(items: list[tuple[DNDarray, list[str]]], wanted: list[str], extents: dict[str, int]) -> DNDarray:
    """Greedy: of all pairs, the one whose product adds the fewest elements comes next."""

    def needed(rest: list[tuple[DNDarray, list[str]]]) -> set[str]:
        return set(wanted).union(*(term for _, term in rest))

    def growth(pair: tuple[int, int]) -> int:
        rest = needed([item for k, item in enumerate(items) if k not in pair])
        first, second = set(items[pair[0]][1]), set(items[pair[1]][1])
        sizes = [prod(extents[x] for x in labels) for labels in ((first | second) & rest, first, second)]
        return sizes[0] - sizes[1] - sizes[2]

    while len(items) > 1:
        i, j = min(combinations(range(len(items)), 2), key=growth)
        (a, ta), (b, tb) = items[i], items[j]
        items = [item for k, item in enumerate(items) if k not in (i, j)]
        rest = needed(items)
        a, ta = _simplified(a, ta, rest | set(tb), extents)
        b, tb = _simplified(b, tb, rest | set(ta), extents)
        common = [label for label in ta if label in tb]
        batch = [(ta.index(x), tb.index(x)) for x in common if x in rest]
        summed = [(ta.index(x), tb.index(x)) for x in common if x not in rest]
        product, free_a, free_b = contract(a._core, b._core, batch, summed)
        items.append((product, [ta[i] for i, _ in batch] + [ta[i] for i in free_a] + [tb[i] for i in free_b]))
    return ordered(*items[0], wanted)


def einsum(subscripts: str, *operands: ArrayLike, optimize: object = True) -> DNDarray:
    """Einstein's summation: products of operands, summed over the labels that the result has not.

    Parameters
    ----------
    subscripts : str
        As `numpy.einsum`: "ij,jk->ik"; "..." for the other axes; repeated labels for diagonals; without "->" the labels
        that occur once, in alphabetical order. An extent of 1 in one operand is broadcast.
    *operands : array
        Any shapes and splits.
    optimize
        Of no effect: the order of products is always chosen by their sizes.

    Returns
    -------
    DNDarray
        Dtype by promotion. Replicated if all operands are; else split as the products give it.

    Raises
    ------
    ValueError
        Subscripts that do not fit the operands.

    Notes
    -----
    Replicated operands: `torch.einsum`. Else pair by pair, the pair whose product is smallest first, each as one
    `matmul` of flattened operands, whose cost it has. No split operand is gathered unless a repeated label or a
    broadcast axis of extent 1 is split. Differentiable.

    Examples
    --------
    >>> a = ht.ones((2, 3), split=0)
    >>> ht.linalg.einsum("ij,kj->ik", a, a).tolist()
    [[3.0, 3.0], [3.0, 3.0]]
    """
    names = tuple(f"operand {i}" for i in range(len(operands)))
    if not operands:
        raise ValueError("einsum: there are no operands")
    cores = natives("einsum", names, operands)
    terms, wanted = _parse(subscripts, [core.ndim for core in cores])
    extents = _extents(terms, cores)
    if all(core.split is None for core in cores):
        return _local_einsum(cores, terms, wanted)
    outside: list[set[str]] = [
        set(wanted).union(*(t for k, t in enumerate(terms) if k != i)) for i in range(len(terms))
    ]
    items = [
        _simplified(wrap(core), term, keep, extents) for core, term, keep in zip(cores, terms, outside, strict=True)
    ]
    missing = [x for x in wanted if all(x not in term for _, term in items)]
    if missing:  # of extent 1 everywhere but broadcast nowhere: cannot happen unless summed away above
        raise ValueError(f"einsum: labels {missing} vanished")
    return _pairwise(items, wanted, extents)


def _local_einsum(cores: list[_core.Array], terms: list[list[str]], wanted: list[str]) -> DNDarray:
    dtype = cores[0].local.dtype
    for core in cores[1:]:
        dtype = _core.promote(dtype, core.local.dtype)
    # torch adds integers up in int64 and then does not multiply them with others, nor bool at all.
    inside = dtype if dtype.is_floating_point or dtype.is_complex else torch.int64
    labels = sorted({label for term in terms for label in term})
    number = {label: i for i, label in enumerate(labels)}
    arguments: list[Any] = []
    for core, term in zip(cores, terms, strict=True):
        arguments += [core.local.to(inside), [number[label] for label in term]]
    result = torch.einsum(*arguments, [number[label] for label in wanted])
    return wrap(_core.Array(result.to(dtype), list(result.shape), None, None, cores[0].comm))
