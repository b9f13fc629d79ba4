# SPDX-License-Identifier: BSD-3-Clause
"""Operations of the communication layer that have been started."""

from __future__ import annotations

from torch import Tensor

from equiheat import _core


class Pending:
    """A collective or message in flight. Keeps its tensors alive; dropping it waits."""

    __slots__ = ("_request", "_result")

    def __init__(self, request: _core.Request, result: Tensor | None) -> None:
        self._request = request
        self._result = result

    def wait(self) -> Tensor | None:
        """The result, once it is there. Idempotent."""
        self._request.wait()
        return self._result

    def test(self) -> bool:
        """True once complete; never blocks."""
        return bool(self._request.test())
