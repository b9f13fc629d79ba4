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
from equiheat.ssl.methods import ECR as ECR
from equiheat.ssl.methods import ECRConfig as ECRConfig
from equiheat.ssl.methods import VICReg as VICReg
from equiheat.ssl.methods import VICRegConfig as VICRegConfig
from equiheat.ssl.model import Model as Model
from equiheat.ssl.trainer import Trainer as Trainer
from equiheat.ssl.views import TwoViews as TwoViews
from equiheat.ssl.views import Views as Views
