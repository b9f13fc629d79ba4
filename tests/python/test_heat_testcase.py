# SPDX-License-Identifier: BSD-3-Clause
"""Heat's base class of tests, in the way programs use it; it must notice what is wrong."""

from __future__ import annotations

import pathlib

import numpy as np

import equiheat as ht
from equiheat.testing.basic_test import TestCase


class TestWithHeatsClass(TestCase):
    def test_functions(self) -> None:
        self.assert_func_equal((5, 3), ht.exp, np.exp, low=-3, high=3)
        self.assert_func_equal((4, 4), ht.sum, np.sum, heat_args={"axis": 0}, numpy_args={"axis": 0})
        self.assert_func_equal_for_tensor(np.arange(12).reshape(3, 4), ht.flip, np.flip)

    def test_mistakes_are_noticed(self) -> None:
        for wrong in (np.ones((3, 2)), np.zeros(3)):
            with self.assertRaises(AssertionError):  # noqa: PT027
                self.assert_array_equal(ht.ones(3, split=0), wrong)
        with self.assertRaises(AssertionError):  # noqa: PT027
            self.assert_func_equal((5,), ht.exp, np.log, low=1, high=3)

    def test_surroundings(self) -> None:
        assert self.comm.size == self.get_size() and self.comm.rank == self.get_rank()
        assert len(self.get_hostnames()) >= 1
        assert pathlib.Path(self.get_tmpdir()).is_dir()
        self.assertTrue_memory_layout(ht.ones((3, 2), order="F"), "F")
