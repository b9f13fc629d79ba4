# SPDX-License-Identifier: BSD-3-Clause
"""Python objects between ranks, and whatever else mpi4py's communicators offer, as methods of ours.

As in Heat, ``comm.bcast({"a": 1})`` pickles, and ``comm.Barrier()`` or ``comm.Get_rank()`` are mpi4py's. Tensors under
the same lower-case names keep the typed collectives. All ranks must mean the same one of the two: a tensor on the root
and None elsewhere, which pickling would allow, is sent as ``[tensor]``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, Self, TypeVar

from torch import Tensor

__all__ = ["Communication", "ObjectMethods", "or_objects"]

P = ParamSpec("P")
R = TypeVar("R")


def or_objects(tensor: str = "x", place: int = 1) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """The method where its parameter `tensor`, at `place`, is given a tensor; otherwise mpi4py's of the same name."""

    def decorated(method: Callable[P, R]) -> Callable[P, R]:
        @wraps(method)
        def function(*args: P.args, **kwargs: P.kwargs) -> R:
            given = args[place] if len(args) > place else kwargs.get(tensor)
            if isinstance(given, Tensor):
                return method(*args, **kwargs)
            self: Any = args[0]
            found: R = getattr(self.handle, method.__name__)(*args[1:], **kwargs)
            return found

        return function

    return decorated


class Communication:
    """What every communicator offers; `MPICommunication` is the one there is."""

    def is_distributed(self) -> bool:
        """Whether there is more than one rank."""
        raise NotImplementedError("Communication is abstract; use MPICommunication")

    def chunk(
        self, shape: Any, split: int | None, rank: int | None = None, w_size: int | None = None, sparse: bool = False
    ) -> Any:
        """Offset, local shape and slices of a rank's block."""
        raise NotImplementedError("Communication is abstract; use MPICommunication")


class ObjectMethods:
    """Methods of communicators."""

    def __getattr__(self: Any, name: str) -> Any:
        """What only mpi4py's communicators have: ``Barrier``, ``Get_rank``, ``Iprobe``, ``Dup``, ``Abort``, ..."""
        if name.startswith("_") or name in ("core", "handle"):  # of an object that is only being made
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self.handle, name)

    def __copy__(self) -> Self:
        """Itself. Local."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Itself: copies of a module or an estimator share its ranks. Local."""
        return self
