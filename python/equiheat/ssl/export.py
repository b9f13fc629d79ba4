# SPDX-License-Identifier: BSD-3-Clause
"""``equiheat export``: a trained encoder for use elsewhere."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from equiheat.communication import get_comm
from equiheat.ssl.checkpoint import load_encoder
from equiheat.ssl.encoders import Encoder

Kind = Literal["timm", "torch", "onnx"]


@dataclass(frozen=True)
class ExportCommand:
    """Write the encoder of a checkpoint in another form.

    Parameters
    ----------
    checkpoint
        Of ``equiheat pretrain``.
    out
        File to write.
    format
        "timm": state dict of the timm model (safetensors), for ``timm.create_model(name, num_classes=0,
        checkpoint_path=out)``. "torch": state dict of the backbone of any encoder (safetensors). "onnx": images
        (B, 3, H, W), 0 to 1, to tokens and pooled features (needs the packages onnx and onnxscript).
    """

    checkpoint: Path
    out: Path
    format: Kind = "torch"


class _Plain(nn.Module):
    """Two tensors instead of a named tuple."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.encoder(images)
        return features.tokens, features.pooled


def export(encoder: Encoder, out: Path, kind: Kind) -> None:
    """Write an encoder, whole or not at all; one rank calls this. `OSError`: the file system takes no more."""
    check(encoder, kind)
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}.tmp")
    try:
        _write(encoder, beside, kind)
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)


def _write(encoder: Encoder, out: Path, kind: Kind) -> None:
    if kind == "onnx":
        _onnx(encoder, out)
        return
    state = encoder.backbone.state_dict()
    if kind == "timm":
        state = {name.removeprefix("model."): x for name, x in state.items()}
    about = {"format": "pt", "encoder": encoder.name}
    about |= {name: str(getattr(encoder, name).flatten().tolist()) for name in ("mean", "std")}
    try:
        save_file({name: x.detach().cpu().contiguous().clone() for name, x in state.items()}, out, about)
    except SafetensorError as error:
        raise OSError(f"export: {str(out)!r} cannot be written: {error}") from error


def check(encoder: Encoder, kind: Kind) -> None:
    """Whether an encoder can be written so.

    Raises
    ------
    ValueError
        For "timm", when the encoder is none of timm's.
    ImportError
        For "onnx", without the packages that it needs.
    """
    if kind == "timm" and not encoder.name.startswith("timm:"):
        raise ValueError(f"export: the encoder {encoder.name!r} is none of timm's; use format torch or onnx")
    if kind == "onnx":
        try:
            import onnx  # noqa: F401
            import onnxscript  # noqa: F401
        except ImportError as error:
            raise ImportError("export: ONNX needs the packages onnx and onnxscript; install them with pip") from error


def _onnx(encoder: Encoder, out: Path) -> None:
    images = torch.rand(2, 3, encoder.image_size, encoder.image_size)
    torch.onnx.export(
        _Plain(encoder).eval(),
        (images,),
        str(out),
        input_names=["images"],
        output_names=["tokens", "pooled"],
        dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
        dynamo=True,
        external_data=False,
        verbose=False,
    )


def run(command: ExportCommand) -> None:
    """Read the checkpoint on every rank, write on rank 0."""
    comm = get_comm()
    if command.out.is_dir():
        raise ValueError(f"export: out {str(command.out)!r} is a folder; name the file to write")
    encoder = load_encoder(command.checkpoint)
    check(encoder, command.format)
    if comm.rank == 0:
        export(encoder, command.out, command.format)
        sys.stdout.write(f"{command.out}: {encoder.name}, {encoder.dim} features, images of {encoder.image_size} px\n")
    comm.barrier()
