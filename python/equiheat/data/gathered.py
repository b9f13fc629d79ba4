# SPDX-License-Identifier: BSD-3-Clause
"""Any source of images as one tensor of bytes in memory."""

from __future__ import annotations

import torch

from equiheat.communication import Communicator
from equiheat.data.images import ImageSet
from equiheat.data.sharding import share
from equiheat.data.source import Source

#: Images fetched at once: floats of a batch take four times the room of their bytes.
_CHUNK = 256


def gathered(source: Source, comm: Communicator) -> ImageSet:
    """All images of a source, without labels. Collective: each rank fetches its share, one allgatherv of the pixels."""
    if isinstance(source, ImageSet):
        return source
    own = torch.arange(*share(len(source), comm))
    chunks = [source.batch(numbers, 0).images for numbers in own.split(_CHUNK)]
    pixels = comm.allgatherv(torch.cat([x if x.dtype == torch.uint8 else (x * 255).round().byte() for x in chunks]))
    labels = torch.full((len(pixels),), -1, dtype=torch.int64)
    return ImageSet(pixels, labels, skipped=source.skipped)
