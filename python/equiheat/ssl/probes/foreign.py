# SPDX-License-Identifier: BSD-3-Clause
"""Encoders that equiheat did not train: timm's models and state dicts of torch."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from equiheat.ssl.encoders import Encoder, build_encoder

#: Where libraries keep the state dict in their files, and what they put before its names.
_HOLDERS = ("state_dict", "model", "teacher", "student", "backbone", "encoder")
_PREFIXES = ("module.", "backbone.", "encoder.", "model.", "teacher.", "student.", "base_encoder.", "net.")


def foreign_encoder(
    name: str,
    *,
    image_size: int,
    pretrained: bool = False,
    weights: Path | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> Encoder:
    """An encoder by name, with timm's weights or those of a file; in evaluation mode.

    Parameters
    ----------
    name
        ``timm:<model>`` or one of ``ENCODERS``.
    image_size
        Side in pixels.
    pretrained
        Load timm's weights.
    weights
        State dict: .safetensors, or .pt and .pth, of which only tensors are unpickled. Prefixes such as "module.",
        "backbone." are taken off; what the backbone has no place for (heads, predictors) is left out.
    mean, std
        Channel statistics that the weights were trained with; see `build_encoder`.

    Raises
    ------
    FileNotFoundError, ValueError
        When there is no such file, it holds no state dict, or one of the backbone's entries is missing in it.
    """
    wanted = pretrained and weights is None
    encoder = build_encoder(name, image_size=image_size, seed=0, mean=mean, std=std, pretrained=wanted)
    if weights is not None:
        own = encoder.backbone.state_dict()
        found = _matched(_read(weights), own)
        lacking = [key for key in own if key not in found and not key.endswith("num_batches_tracked")]
        if lacking:
            more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
            raise ValueError(
                f"probe: {str(weights)!r} does not fit {name}: it has no {', '.join(map(repr, lacking[:5]))}{more}"
            )
        encoder.backbone.load_state_dict(own | found)
    return encoder.eval()


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"probe: there is no file {str(path.absolute())!r}")
    try:
        held: Any = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(f"probe: {str(path)!r} is no state dict that can be read safely: {error}") from error
    while isinstance(held, dict) and not any(isinstance(x, Tensor) for x in held.values()):
        inner = next((held[name] for name in _HOLDERS if name in held), None)
        if inner is None:
            raise ValueError(
                f"probe: {str(path)!r} holds no state dict; its keys are {', '.join(map(str, held))[:200]}"
            )
        held = inner
    if not isinstance(held, dict):
        raise ValueError(f"probe: {str(path)!r} holds a {type(held).__name__}; expected a state dict")
    return {str(name): x for name, x in held.items() if isinstance(x, Tensor)}


def _matched(state: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """Entries of a state dict by the names that the backbone has for them."""
    found: dict[str, Tensor] = {}
    for name, x in state.items():
        for candidate in _spellings(name):
            if candidate in own and own[candidate].shape == x.shape:
                found[candidate] = x
                break
    return found


def _spellings(name: str) -> list[str]:
    """A name, and what is left when prefixes are taken off one by one; each also below "model.", as timm's lie."""
    names = [name]
    while True:
        prefix = next((p for p in _PREFIXES if names[-1].startswith(p)), None)
        if prefix is None:
            break
        names.append(names[-1].removeprefix(prefix))
    return [spelling for plain in names for spelling in (plain, f"model.{plain}")]
