# SPDX-License-Identifier: BSD-3-Clause
"""Self-supervised methods and the auxiliaries that wrap them.

A method is a module ``method(first, second, views, others) -> terms``: features of the two views, the views themselves,
other features where the method asks for some, and a dictionary of scalars over the global batch, of which ``loss`` is
minimised and the others are logged.
"""

from __future__ import annotations

from equiheat.ssl.methods.barlow import BarlowConfig as BarlowConfig
from equiheat.ssl.methods.barlow import BarlowTwins as BarlowTwins
from equiheat.ssl.methods.base import Method as Method
from equiheat.ssl.methods.base import Others as Others
from equiheat.ssl.methods.base import update_teacher as update_teacher
from equiheat.ssl.methods.byol import BYOL as BYOL
from equiheat.ssl.methods.byol import BYOLConfig as BYOLConfig
from equiheat.ssl.methods.dino import DINO as DINO
from equiheat.ssl.methods.dino import DINOConfig as DINOConfig
from equiheat.ssl.methods.ecr import ECR as ECR
from equiheat.ssl.methods.ecr import ECRConfig as ECRConfig
from equiheat.ssl.methods.equimod import EquiMod as EquiMod
from equiheat.ssl.methods.equimod import EquiModConfig as EquiModConfig
from equiheat.ssl.methods.ibot import IBOT as IBOT
from equiheat.ssl.methods.ibot import IBOTConfig as IBOTConfig
from equiheat.ssl.methods.registry import AUXILIARIES as AUXILIARIES
from equiheat.ssl.methods.registry import METHODS as METHODS
from equiheat.ssl.methods.registry import build_method as build_method
from equiheat.ssl.methods.sie import SIE as SIE
from equiheat.ssl.methods.sie import SIEConfig as SIEConfig
from equiheat.ssl.methods.simclr import SimCLR as SimCLR
from equiheat.ssl.methods.simclr import SimCLRConfig as SimCLRConfig
from equiheat.ssl.methods.simsiam import SimSiam as SimSiam
from equiheat.ssl.methods.simsiam import SimSiamConfig as SimSiamConfig
from equiheat.ssl.methods.tir import TIR as TIR
from equiheat.ssl.methods.tir import TIRConfig as TIRConfig
from equiheat.ssl.methods.vicreg import VICReg as VICReg
from equiheat.ssl.methods.vicreg import VICRegConfig as VICRegConfig
