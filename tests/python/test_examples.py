# SPDX-License-Identifier: BSD-3-Clause
"""The examples run at every rank count."""

from __future__ import annotations

import pathlib
import runpy

import numpy as np
import pytest

import equiheat as ht

ROOT = pathlib.Path(__file__).parents[2]


def test_first_steps(capsys: pytest.CaptureFixture[str]) -> None:
    names = runpy.run_path(str(ROOT / "examples" / "first_steps.py"))
    np.testing.assert_allclose(names["weights"].numpy(), [[2], [-1], [0.5]], atol=0.02)
    np.testing.assert_allclose(names["w"].numpy(), names["weights"].numpy(), atol=1e-3)
    assert ("column means" in capsys.readouterr().out) == (ht.get_comm().rank == 0)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
def test_torch_distributed() -> None:
    names = runpy.run_path(str(ROOT / "examples" / "torch_distributed.py"))
    np.testing.assert_allclose(names["replicated"].module.weight.detach().T, names["truth"], atol=1e-3)
    inputs = names["inputs"].numpy()
    np.testing.assert_allclose(names["gram"].numpy(), inputs.T @ inputs, rtol=1e-4)
    np.testing.assert_allclose((names["a"].T @ names["a"]).numpy(), inputs.T @ inputs, rtol=1e-4)
