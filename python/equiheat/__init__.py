# SPDX-License-Identifier: BSD-3-Clause
"""NumPy-like arrays split over MPI ranks, and self-supervised learning of equivariant features on top of them."""

from __future__ import annotations

from equiheat._check import load_core as _load_core

_core = _load_core()

from equiheat import _abort as _abort  # noqa: E402
from equiheat._version import __version__ as __version__  # noqa: E402
from equiheat.array import DNDarray as DNDarray  # noqa: E402
from equiheat.communication import MPICommunication as MPICommunication  # noqa: E402
from equiheat.communication import Communicator as Communicator  # noqa: E402
from equiheat.communication import get_comm as get_comm  # noqa: E402
from equiheat.communication import sanitize_comm as sanitize_comm  # noqa: E402
from equiheat.communication import use_comm as use_comm  # noqa: E402
from equiheat.errors import CommunicationError as CommunicationError  # noqa: E402
from equiheat.errors import DeviceError as DeviceError  # noqa: E402

_abort.install()
