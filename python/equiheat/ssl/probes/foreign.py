# SPDX-License-Identifier: BSD-3-Clause
"""Encoders that equiheat did not train: timm's models and state dicts of torch."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
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
        When there is no such file, it holds no state dict or a checkpoint of equiheat, one of the backbone's entries is
        missing in it or of another shape, or two of its entries have the name of one.
    """
    wanted = pretrained and weights is None
    encoder = build_encoder(name, image_size=image_size, seed=0, mean=mean, std=std, pretrained=wanted)
    if weights is not None:
        own = encoder.backbone.state_dict()
        found = _matched(_read(weights), own)
        lacking = [key for key in own if key not in found and not key.endswith("num_batches_tracked")]
        wrong = [_shapes(key, x, own[key]) for key, x in found.items() if x.shape != own[key].shape]
        if lacking or wrong:
            absent = [f"it has no {_listed([repr(key) for key in lacking])}"] if lacking else []
            problems = [*([_listed(wrong)] if wrong else []), *absent]
            raise ValueError(f"probe: {str(weights)!r} does not fit {name}: {'; '.join(problems)}")
        encoder.backbone.load_state_dict(own | found)
    return encoder.eval()


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"probe: there is no file {str(path.absolute())!r}")
    held: Any = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
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


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            ours = "equiheat" in (file.metadata() or {})
            tensors = {} if ours else {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"probe: {str(path)!r} is damaged or no safetensors file: {error}") from error
    if ours:
        raise ValueError(f"probe: {str(path)!r} is a checkpoint of equiheat; give it as --checkpoint instead")
    return tensors


def _read_pickle(path: Path) -> Any:
    """What torch.save wrote, of which nothing but tensors is unpickled; torch's advice to allow more is kept back."""
    try:
        return torch.load(path, "cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(
            f"probe: {str(path)!r} is no state dict that can be read safely: it is damaged or holds more than tensors. "
            "Save the state dict alone, as .safetensors or with torch.save(model.state_dict(), file)"
        ) from error


def _listed(words: list[str]) -> str:
    return ", ".join(words[:5]) + (f" and {len(words) - 5} more" if len(words) > 5 else "")


def _shapes(name: str, given: Tensor, own: Tensor) -> str:
    return f"{name!r} is {tuple(given.shape)} in the file, {tuple(own.shape)} in the encoder"


def _matched(state: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """Entries of a state dict by the names that the backbone has for them; of other shapes where no other is there."""
    found: dict[str, tuple[str, Tensor]] = {}
    for name, x in state.items():
        known = [candidate for candidate in _spellings(name) if candidate in own]
        key = next((candidate for candidate in known if own[candidate].shape == x.shape), known[0] if known else "")
        before = found.get(key)
        if not key or (before and before[1].shape == own[key].shape != x.shape):
            continue
        if before and before[1].shape == x.shape and not torch.equal(before[1], x):
            raise ValueError(
                f"probe: {before[0]!r} and {name!r} are both {key!r} of the encoder, with other values; save the one "
                "that is meant (student or teacher) in a file of its own"
            )
        found[key] = (name, x)
    return {key: x for key, (_, x) in found.items()}


def _spellings(name: str) -> list[str]:
    """A name, and what is left when prefixes are taken off one by one; each also below "model.", as timm's lie."""
    names = [name]
    while True:
        prefix = next((p for p in _PREFIXES if names[-1].startswith(p)), None)
        if prefix is None:
            break
        names.append(names[-1].removeprefix(prefix))
    return [spelling for plain in names for spelling in (plain, f"model.{plain}")]
