# SPDX-License-Identifier: BSD-3-Clause
"""What notebooks show: well-formed, true, and without a message."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from layouts import distribute, size

import equiheat as ht


@pytest.mark.parametrize("shape", [(), (7,), (0,), (6, 4), (3, 500), (2, 3, 4)])
def test_drawing(shape: tuple[int, ...]) -> None:
    for split in (None, *range(len(shape))):
        x = distribute(np.zeros(shape), split)
        text = x._repr_html_()
        root = ET.fromstring(text)
        facts = {row.find("th").text: row.find("td").text for row in root.iter("tr") if row.find("th") is not None}  # type: ignore[union-attr]
        assert facts["shape"] == str(shape)
        assert facts["dtype"] == "float64"
        boxes = [e for e in root.iter() if e.tag.endswith("rect")]
        assert len(boxes) == (1 if split is None else size())
        if split is not None:
            counts = [int(b[0].text.split(": ")[1]) for b in boxes]  # type: ignore[union-attr]
            assert counts == list(x.counts_displs()[0])
            assert facts["balanced"] == "yes"


@pytest.mark.ranks(2, 3, 4)
def test_one_rank_alone() -> None:
    x = ht.ones((5, 3), split=0)
    if x.comm.rank == 0:  # would hang if it communicated
        assert "block here" in x._repr_html_()
    uneven = distribute(np.zeros(6), 0, [0] * (size() - 1) + [6])
    assert "no: [0" in uneven._repr_html_()
