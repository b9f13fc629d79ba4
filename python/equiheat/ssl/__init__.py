# SPDX-License-Identifier: BSD-3-Clause
"""Self-supervised training of equivariant image features, and the probes that judge them."""

from __future__ import annotations

from equiheat.ssl.augment import STRONG_VIEW as STRONG_VIEW
from equiheat.ssl.augment import WEAK_VIEW as WEAK_VIEW
from equiheat.ssl.augment import Augmentation as Augmentation
from equiheat.ssl.augment import AugmentConfig as AugmentConfig
from equiheat.ssl.checkpoint import load_encoder as load_encoder
from equiheat.ssl.config import OptimConfig as OptimConfig
from equiheat.ssl.config import PretrainConfig as PretrainConfig
from equiheat.ssl.config import load_recipe as load_recipe
from equiheat.ssl.encoders import ENCODERS as ENCODERS
from equiheat.ssl.encoders import Encoder as Encoder
from equiheat.ssl.encoders import Features as Features
from equiheat.ssl.encoders import build_encoder as build_encoder
from equiheat.ssl.methods import BYOL as BYOL
from equiheat.ssl.methods import DINO as DINO
from equiheat.ssl.methods import ECR as ECR
from equiheat.ssl.methods import IBOT as IBOT
from equiheat.ssl.methods import SIE as SIE
from equiheat.ssl.methods import TIR as TIR
from equiheat.ssl.methods import BarlowConfig as BarlowConfig
from equiheat.ssl.methods import BarlowTwins as BarlowTwins
from equiheat.ssl.methods import BYOLConfig as BYOLConfig
from equiheat.ssl.methods import DINOConfig as DINOConfig
from equiheat.ssl.methods import ECRConfig as ECRConfig
from equiheat.ssl.methods import EquiMod as EquiMod
from equiheat.ssl.methods import EquiModConfig as EquiModConfig
from equiheat.ssl.methods import IBOTConfig as IBOTConfig
from equiheat.ssl.methods import Method as Method
from equiheat.ssl.methods import Others as Others
from equiheat.ssl.methods import SIEConfig as SIEConfig
from equiheat.ssl.methods import SimCLR as SimCLR
from equiheat.ssl.methods import SimCLRConfig as SimCLRConfig
from equiheat.ssl.methods import SimSiam as SimSiam
from equiheat.ssl.methods import SimSiamConfig as SimSiamConfig
from equiheat.ssl.methods import TIRConfig as TIRConfig
from equiheat.ssl.methods import VICReg as VICReg
from equiheat.ssl.methods import VICRegConfig as VICRegConfig
from equiheat.ssl.methods import build_method as build_method
from equiheat.ssl.methods import update_teacher as update_teacher
from equiheat.ssl.model import Model as Model
from equiheat.ssl.torchrun import ProcessGroupComm as ProcessGroupComm
from equiheat.ssl.torchrun import world as world
from equiheat.ssl.trainer import Trainer as Trainer
from equiheat.ssl.views import TwoViews as TwoViews
from equiheat.ssl.views import Views as Views
from equiheat.ssl.views import local_view as local_view
