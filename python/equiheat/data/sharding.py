# SPDX-License-Identifier: BSD-3-Clause
"""Which rank works on what: contiguous shares, and the global batches of an epoch."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from equiheat.communication import Communicator
from equiheat.data.counter import permutation


def share(count: int, comm: Communicator) -> tuple[int, int]:
    """[start, stop) of this rank's share of ``count`` items; the first ``count % size`` ranks own one more."""
    base, extra = divmod(count, comm.size)
    start = comm.rank * base + min(comm.rank, extra)
    return start, start + base + (comm.rank < extra)


class GlobalBatches:
    """Batches of an epoch: their order depends on (seed, epoch) alone, each rank takes its contiguous share of each.

    Parameters
    ----------
    count
        Samples in the data set.
    batch_size
        Of the global batch. The last, incomplete batch of an epoch is left out.
    seed
        Names the stream of permutations.
    comm
        Ranks that share the batches.
    """

    def __init__(self, count: int, batch_size: int, *, seed: int, comm: Communicator) -> None:
        if not 0 < batch_size <= count:
            raise ValueError(
                f"GlobalBatches: batch_size is {batch_size}; expected 1 to the {count} images of the data set"
            )
        self.count, self.batch_size, self.seed, self.comm = count, batch_size, seed, comm

    def __len__(self) -> int:
        """Batches per epoch."""
        return self.count // self.batch_size

    def epoch(self, epoch: int, *, skip: int = 0) -> Iterator[Tensor]:
        """This rank's sample numbers (B_r,), int64, of each batch of an epoch from batch ``skip`` on."""
        order = permutation((self.seed, epoch), self.count)
        start, stop = share(self.batch_size, self.comm)
        for number in range(skip, len(self)):
            first = number * self.batch_size
            yield order[first + start : first + stop]
