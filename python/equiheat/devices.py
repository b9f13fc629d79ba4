# SPDX-License-Identifier: BSD-3-Clause
"""Devices an array may live on, under Heat's names."""

from __future__ import annotations

import torch

__all__ = ["Device", "cpu", "get_device", "sanitize_device", "use_device"]


class Device:
    """A kind of memory ("cpu" or "gpu") and, for GPUs, which one.

    Compares equal to another device of the same kind and number, to its name ("cpu", "cpu:0") and to torch's device.
    """

    __slots__ = ("device_id", "device_type", "torch_device")

    def __init__(self, device_type: str, device_id: int, torch_device: str) -> None:
        self.device_type = device_type
        self.device_id = device_id
        self.torch_device = torch.device(torch_device)

    def __repr__(self) -> str:
        return f"device({self})"

    def __str__(self) -> str:
        return f"{self.device_type}:{self.device_id}"

    def __hash__(self) -> int:
        return hash(str(self))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Device):
            return str(self) == str(other)
        if isinstance(other, str):
            return other in (str(self), self.device_type)
        if isinstance(other, torch.device):
            return self == device_of(other)
        return NotImplemented


cpu = Device("cpu", 0, "cpu")


def _gpu() -> Device | None:
    """The GPU of this process: ranks take the visible devices in turn by their number on the node."""
    if not torch.cuda.is_available():
        return None
    from equiheat.communication import get_comm

    # Launchers that give each rank its own device show one only; else ranks take turns.
    index = get_comm().rank % torch.cuda.device_count()
    return Device("gpu", index, f"cuda:{index}")


_default = cpu


def __getattr__(name: str) -> Device:
    # Looking for a GPU costs time and a communicator: only when somebody asks for one.
    if name == "gpu":
        device = _gpu()
        if device is not None:
            return device
        raise AttributeError("equiheat.gpu: torch sees no CUDA device in this process")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def device_of(device: torch.device) -> Device:
    """The `Device` of a torch device."""
    if device.type == "cpu":
        return cpu
    index = device.index or 0
    return Device("gpu" if device.type == "cuda" else device.type, index, f"{device.type}:{index}")


def get_device() -> Device:
    """The device new arrays live on when none is given."""
    return _default


def sanitize_device(device: str | Device | torch.device | None = None) -> Device:
    """The `Device` meant by a name; the default for None.

    Raises
    ------
    ValueError
        For anything that is not "cpu", "gpu", "cuda" (each also with ":number"), or a GPU where there is none.
    """
    if device is None:
        return _default
    if isinstance(device, Device):
        return device
    if isinstance(device, torch.device):
        return device_of(device)
    kind, _, number = str(device).strip().lower().partition(":")
    if kind == "cpu" and number in ("", "0"):
        return cpu
    if kind in ("gpu", "cuda") and (number == "" or number.isdecimal()):
        return _named_gpu(number)
    raise ValueError(f"Unknown device {device!r}: must be one of 'cpu', 'gpu' (or 'gpu:<number>')")


def _named_gpu(number: str) -> Device:
    if not torch.cuda.is_available():
        raise ValueError("Unknown device 'gpu': torch sees no CUDA device here; the only device is 'cpu'")
    if not number:
        device = _gpu()
        assert device is not None  # is_available() was asked above
        return device
    if int(number) >= torch.cuda.device_count():
        raise ValueError(f"Unknown device 'gpu:{number}': there are {torch.cuda.device_count()} GPUs, counted from 0")
    return Device("gpu", int(number), f"cuda:{number}")


def use_device(device: str | Device | None = None) -> None:
    """Make `device` the default of new arrays; "cpu" for None."""
    global _default
    _default = cpu if device is None else sanitize_device(device)
