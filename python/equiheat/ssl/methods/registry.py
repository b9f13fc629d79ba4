# SPDX-License-Identifier: BSD-3-Clause
"""Methods and auxiliaries by name."""

from __future__ import annotations

from typing import Any, Literal

from equiheat.communication import Communicator
from equiheat.ssl.encoders import Encoder
from equiheat.ssl.methods.auxiliary import Auxiliary, equi_dim
from equiheat.ssl.methods.barlow import BarlowTwins
from equiheat.ssl.methods.base import Method
from equiheat.ssl.methods.byol import BYOL
from equiheat.ssl.methods.dino import DINO
from equiheat.ssl.methods.ecr import ECR
from equiheat.ssl.methods.equimod import EquiMod
from equiheat.ssl.methods.ibot import IBOT
from equiheat.ssl.methods.sie import SIE
from equiheat.ssl.methods.simclr import SimCLR
from equiheat.ssl.methods.simsiam import SimSiam
from equiheat.ssl.methods.tir import TIR
from equiheat.ssl.methods.vicreg import VICReg

MethodName = Literal["vicreg", "simclr", "byol", "barlow", "simsiam", "dino", "ibot", "sie", "equimod"]
AuxiliaryName = Literal["none", "ecr", "tir"]

METHODS: dict[str, Any] = {
    "vicreg": VICReg,
    "simclr": SimCLR,
    "byol": BYOL,
    "barlow": BarlowTwins,
    "simsiam": SimSiam,
    "dino": DINO,
    "ibot": IBOT,
    "sie": SIE,
    "equimod": EquiMod,
}
AUXILIARIES: dict[str, type[Auxiliary]] = {"ecr": ECR, "tir": TIR}


def build_method(
    name: str,
    encoder: Encoder,
    *,
    config: Any = None,
    auxiliary: str = "none",
    auxiliary_config: Any = None,
    comm: Communicator | None = None,
) -> Method:
    """A method for an encoder, wrapped by an auxiliary or not; no communication.

    Parameters
    ----------
    name, auxiliary
        Keys of ``METHODS`` and ``AUXILIARIES``, or "none".
    encoder
        Whose features it will be given.
    config, auxiliary_config
        Their options; the defaults when omitted.
    comm
        Ranks that share the batch; the default communicator when omitted.

    Examples
    --------
    >>> method = build_method("byol", encoder, auxiliary="ecr")
    """
    if name not in METHODS:
        raise ValueError(f"build_method: unknown method {name!r}; use one of {', '.join(METHODS)}")
    if auxiliary != "none" and auxiliary not in AUXILIARIES:
        raise ValueError(f"build_method: unknown auxiliary {auxiliary!r}; use none, {', '.join(AUXILIARIES)}")
    extra = {"encoder": encoder} if name == "ibot" else {}
    if auxiliary == "none":
        method: Method = METHODS[name](encoder.dim, config, comm=comm, **extra)
        return method
    wrapper: Any = AUXILIARIES[auxiliary]
    fraction = 0.5 if auxiliary_config is None else auxiliary_config.equi_fraction
    base = METHODS[name](encoder.dim - equi_dim(encoder.dim, fraction), config, comm=comm, **extra)
    wrapped: Method = wrapper(base, encoder, auxiliary_config, comm=comm)
    return wrapped
