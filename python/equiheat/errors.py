# SPDX-License-Identifier: BSD-3-Clause
"""Exceptions that are not Python's own.

Some are of two kinds: what NumPy or Python raise, and what programs written for Heat catch.
"""

from __future__ import annotations

from numpy.exceptions import AxisError as AnyAxisError
from numpy.linalg import LinAlgError as LinAlgError

from equiheat._core import CommunicationError as CommunicationError
from equiheat._core import DeviceError as DeviceError


class MissingOperandError(ValueError, TypeError):
    """One of two operands is missing that come together (NumPy: ValueError, Heat: TypeError)."""


class TruthValueError(ValueError, TypeError):
    """Several elements have no truth value (NumPy: ValueError, Heat: TypeError)."""


class ExistingPathError(FileExistsError, RuntimeError):
    """There is something where a file is to be written (Python: FileExistsError, Heat: RuntimeError)."""


class NoDataError(FileNotFoundError, ValueError):
    """Where data is sought there is none of that format (Python: FileNotFoundError, Heat: ValueError)."""


class NoVariableError(KeyError, IndexError):
    """A file has no variable of that name (Python: KeyError, Heat: IndexError)."""


class AxisError(AnyAxisError):
    """An array has no such axis: NumPy's error of that name, which is a ValueError and an IndexError."""


class ArgumentError(ValueError, TypeError):
    """An argument of a kind that is of no use there (NumPy: TypeError, Heat: ValueError, or the other way round)."""


class MatrixError(LinAlgError, RuntimeError):
    """A matrix is singular, or not square (NumPy: LinAlgError, Heat: RuntimeError)."""
