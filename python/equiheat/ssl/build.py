# SPDX-License-Identifier: BSD-3-Clause
"""Model, views and optimiser of a recipe."""

from __future__ import annotations

import os
import platform
import warnings
from typing import Any

import torch
from torch import nn

from equiheat.communication import Communicator
from equiheat.data.source import Source
from equiheat.nn.batchnorm import share_statistics
from equiheat.nn.linear import with_fast_products
from equiheat.optim import LARS
from equiheat.ssl.checkpoint import load_encoder, load_module
from equiheat.ssl.config import PretrainConfig
from equiheat.ssl.encoders import build_encoder
from equiheat.ssl.methods import EquiModConfig, SIEConfig, TIRConfig, build_method
from equiheat.ssl.methods.conditions import check_conditions
from equiheat.ssl.methods.dino import DINOConfig
from equiheat.ssl.model import Model
from equiheat.ssl.views import TwoViews, local_view


def build_model(config: PretrainConfig, *, comm: Communicator | None = None) -> Model:
    """Encoder and method of a recipe, with the same weights on every rank (from ``config.seed``)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        encoder = build_encoder(
            config.encoder,
            image_size=config.image_size,
            mean=config.pixel_mean,
            std=config.pixel_std,
            pretrained=config.pretrained,
        )
        if config.init is not None:
            state = load_encoder(config.init).state_dict()
            given = {"mean": config.pixel_mean, "std": config.pixel_std}
            state |= {name: getattr(encoder, name) for name, x in given.items() if x is not None}
            load_module(encoder, state, source=f"PretrainConfig: init {str(config.init)!r}")
        method = build_method(
            config.method,
            encoder,
            config=getattr(config, config.method),
            auxiliary=config.auxiliary,
            auxiliary_config=getattr(config, config.auxiliary, None),
            comm=comm,
        )
    model = Model(encoder, method)
    share_statistics(model, comm)
    with_fast_products(model)
    return model


def build_views(config: PretrainConfig, model: Model) -> TwoViews:
    """What makes the views that the method asks for."""
    options: dict[str, Any] = {"original": model.method.uses_original}
    if config.auxiliary == "tir":
        tir: TIRConfig = config.tir
        options |= {"middle": tir.intermediate, "moved": tir.families}
    method = getattr(config, config.method)
    if isinstance(method, DINOConfig) and method.local_crops:
        options |= {
            "local": local_view(config.view1, method.local_scale),
            "local_crops": method.local_crops,
            "local_size": method.local_size or config.image_size // 2,
        }
    return TwoViews(config.view1, config.view2, seed=config.seed, **options)


def check_sizes(config: PretrainConfig, model: Model, data: Source) -> None:
    """Refuse data of another size than the recipe's, and small crops that the encoder cannot take."""
    size = getattr(data, "size", config.image_size)
    if isinstance(size, int) and size != config.image_size:
        raise ValueError(
            f"Trainer: the images have {size} pixels a side, image_size is {config.image_size}; make them equal"
        )
    views = build_views(config, model)
    if views.local is None:
        return
    crop = torch.zeros(1, 3, views.local_size, views.local_size, device=model.encoder.mean.device)
    training = model.encoder.training
    try:
        with torch.no_grad():
            model.encoder.eval()(crop)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"{config.method}.local_size is {views.local_size}: {config.encoder} takes no images of that side; use "
            f"another ({error})"
        ) from error
    finally:
        model.encoder.train(training)


def check_told(config: PretrainConfig, views: TwoViews, data: Source) -> None:
    """Refuse conditions of SIE or EquiMod that neither the views nor the data give."""
    method = getattr(config, config.method)
    if not isinstance(method, (SIEConfig, EquiModConfig)):
        return
    numbers = torch.arange(256)
    drawn = views.first.sample(numbers, 0, 1), views.second.sample(numbers, 0, 2)
    told = data.batch(numbers[:1], 0).parameters2 or {}
    check_conditions(f"{config.method}.conditions", method.conditions, drawn, told)


#: Ends of the names of learned positions: ours, and timm's.
_POSITIONS = ("position", "pos_embed", "relative_position_bias_table")


def parameter_groups(model: nn.Module, config: PretrainConfig) -> list[dict[str, Any]]:
    """Weight decay on weights of two axes or more, none on biases, norms and positions."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    plain = [p for name, p in named if p.dim() < 2 or name.endswith(_POSITIONS)]
    exempt = set(plain)
    return [
        {"params": [p for _, p in named if p not in exempt], "weight_decay": config.optim.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]


def build_optimizer(model: nn.Module, config: PretrainConfig) -> torch.optim.Optimizer:
    """The optimiser of a recipe, with the two groups of `parameter_groups`."""
    groups, optim = parameter_groups(model, config), config.optim
    if optim.name == "adamw":
        # One pass over the parameters instead of a dozen; the scaler of float16 is left what it was made for.
        return torch.optim.AdamW(groups, lr=optim.lr, betas=optim.betas, fused=config.precision != "fp16")
    if optim.name == "lars":
        groups[1]["adapt"] = False
        return LARS(groups, lr=optim.lr, momentum=optim.momentum, trust=optim.trust)
    return torch.optim.SGD(groups, lr=optim.lr, momentum=optim.momentum, nesterov=optim.momentum > 0)


def local_ranks(comm: Communicator) -> int:
    """Ranks on this node, as the launcher says; all of them when it says nothing."""
    names = ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE", "LOCAL_WORLD_SIZE", "SLURM_NTASKS_PER_NODE")
    found = next((os.environ[name] for name in names if os.environ.get(name, "").isdigit()), None)
    return int(found) if found else comm.size


def set_threads(threads: int, comm: Communicator) -> None:
    """Threads of this rank: as asked, else its share of the processors unless OMP_NUM_THREADS says otherwise."""
    if threads == 0 and "OMP_NUM_THREADS" in os.environ:
        return
    torch.set_num_threads(threads or max(1, len(os.sched_getaffinity(0)) // local_ranks(comm)))


def device_of(name: str, comm: Communicator) -> torch.device:
    """This rank's device: "auto" takes CUDA where there is some."""
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise ValueError("PretrainConfig: device is 'cuda', but torch sees no CUDA device; use cpu or auto")
    return torch.device("cuda", comm.rank % local_ranks(comm) % torch.cuda.device_count())


def warn_of_slow_precision(precision: str, device: torch.device, comm: Communicator) -> None:
    """Say on rank 0 what is slow on processors: float16, and bfloat16 without AVX-512 (20 to 30 times float32)."""
    emulated = torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "NO AVX", "AVX2")
    here = comm.rank == 0 and device.type == "cpu" and platform.machine() in ("x86_64", "AMD64")
    if precision == "bf16" and emulated and here:
        message = "precision bf16: this processor has no bfloat16 instructions; fp32 is many times as fast on it"
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    if precision == "fp16" and device.type == "cpu" and comm.rank == 0:
        message = "precision fp16: processors compute float16 far more slowly than fp32; it is meant for CUDA"
        warnings.warn(message, RuntimeWarning, stacklevel=3)
