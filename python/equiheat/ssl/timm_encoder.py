# SPDX-License-Identifier: BSD-3-Clause
"""Any timm model as a backbone (optional extra ``equiheat[timm]``)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

#: What of a model's configuration says how pixels are to be normalised.
_FACTS = ("mean", "std")


def _import_timm() -> Any:
    try:
        import timm
    except ImportError as error:
        raise ImportError(
            "encoder 'timm:...' needs the package timm, which is not installed; "
            "install it with: pip install 'equiheat[timm]'"
        ) from error
    return timm


class TimmBackbone(nn.Module):
    """Tokens of a timm model: patch tokens without the prefix (class, register) tokens, or feature-map cells.

    Parameters
    ----------
    name
        timm's model name.
    image_size
        Side of the images; handed to models that depend on it.
    pretrained
        Load timm's weights.

    Attributes
    ----------
    statistics : dict
        ``mean`` and ``std`` of the pixels that the model's weights were trained with, as timm's configuration says.
    """

    def __init__(self, name: str, *, image_size: int, pretrained: bool) -> None:
        super().__init__()
        timm = _import_timm()
        if not timm.is_model(name):
            near = ", ".join(timm.list_models(f"*{name.split('_')[0]}*")[:5])
            raise ValueError(f"build_encoder: timm has no model {name!r}" + (f"; it has {near}, ..." if near else ""))
        options: dict[str, Any] = {"num_classes": 0, "pretrained": pretrained}
        # Vision transformers take other sizes than their own with dynamic_img_size; convolutional models take none.
        for size in ({"img_size": image_size, "dynamic_img_size": True}, {"img_size": image_size}, {}):
            try:
                self.model = timm.create_model(name, **size, **options)
                break
            except TypeError:
                if not size:
                    raise
        self.statistics = statistics_of(self.model)

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, 3, H, W) to tokens (B, N, D)."""
        features: Tensor = self.model.forward_features(x)
        if features.dim() == 3:
            return features[:, getattr(self.model, "num_prefix_tokens", 0) :]
        if getattr(self.model, "output_fmt", "NCHW") == "NHWC":
            return features.flatten(1, 2)
        return features.flatten(2).transpose(1, 2)


def statistics_of(model: nn.Module) -> dict[str, tuple[float, ...]]:
    """Channel ``mean`` and ``std`` of a timm model's configuration, those of them that it has for three channels.

    timm's models differ in them: many transformers want 0.5 and 0.5, and features of pretrained weights suffer under
    others.
    """
    config: Any = getattr(model, "pretrained_cfg", None) or {}
    values = {name: config.get(name) if isinstance(config, dict) else getattr(config, name, None) for name in _FACTS}
    return {name: tuple(map(float, x)) for name, x in values.items() if x is not None and len(x) == 3}
