# SPDX-License-Identifier: BSD-3-Clause
"""Exceptions that are not Python's own."""

from __future__ import annotations

from equiheat._core import CommunicationError as CommunicationError
from equiheat._core import DeviceError as DeviceError
