# SPDX-License-Identifier: BSD-3-Clause
"""Batches fetched ahead of their use, in threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from torch import Tensor

from equiheat.data.source import Batch, Source


def prefetched(
    source: Source, indices: Iterable[Tensor], epoch: int, *, ahead: int = 3
) -> Iterator[tuple[Tensor, Batch]]:
    """Yield (indices, batch) in order, while the next ``ahead`` batches are being fetched.

    Parameters
    ----------
    source
        Fetches; its own threads may share the work of a batch.
    indices
        Numbers of each batch.
    epoch
        Handed on to the source.
    ahead
        Batches in flight: memory holds so many, and one that is in use. 0 fetches when asked.
    """
    if ahead < 1:
        for numbers in indices:
            yield numbers, source.batch(numbers, epoch)
        return
    rest = iter(indices)
    pool = ThreadPoolExecutor(1, thread_name_prefix="prefetch")
    waiting: deque[tuple[Tensor, Future[Batch]]] = deque()
    try:
        for numbers in rest:
            waiting.append((numbers, pool.submit(source.batch, numbers, epoch)))
            if len(waiting) > ahead:
                numbers, future = waiting.popleft()
                yield numbers, future.result()
        while waiting:
            numbers, future = waiting.popleft()
            yield numbers, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
