# SPDX-License-Identifier: BSD-3-Clause
"""iBOT: DINO, and the same distillation of the patches that the student does not see (Zhou et al., ICLR 2022)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from equiheat.communication import Communicator
from equiheat.data.counter import uniform
from equiheat.ssl.encoders import Encoder, Features
from equiheat.ssl.losses import batch_mean
from equiheat.ssl.methods.base import NONE, Method, Others, cosine, ramp, teacher_of
from equiheat.ssl.methods.dino import DINOConfig, check_local, dino_loss
from equiheat.ssl.methods.distillation import Centre, PrototypeHead, cross_entropy, teacher_figures
from equiheat.ssl.options import check_interval, check_range
from equiheat.ssl.views import Views


@dataclass(frozen=True)
class IBOTConfig(DINOConfig):
    """Options of iBOT: those of DINO, and

    Parameters
    ----------
    mask_ratio
        Smallest and largest share of the patches that is hidden from the student; drawn per image and view.
    mask_probability
        Share of the images that is masked at all.
    patch_weight
        Weight of the patch loss beside DINO's.
    teacher_patch_temperature
        Of the teacher's softmax on patches, after the warm-up.
    """

    mask_ratio: tuple[float, float] = (0.1, 0.5)
    mask_probability: float = 0.5
    patch_weight: float = 1.0
    teacher_patch_temperature: float = 0.07

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, "mask_ratio mask_probability", 0, 1)
        check_interval(self, "mask_ratio")
        check_range(self, "patch_weight", 0)
        check_range(self, "teacher_patch_temperature", 0, above=True)


def random_masks(key: tuple[int, ...], indices: Tensor, count: int, config: IBOTConfig) -> Tensor:
    """Which of ``count`` patches are hidden, (B, count) bool, by draws keyed by (key, image number)."""
    draws = uniform(key, indices, count + 2)
    low, high = config.mask_ratio
    hidden = ((low + (high - low) * draws[:, 0]) * count).round() * (draws[:, 1] < config.mask_probability)
    rank = draws[:, 2:].argsort(dim=1).argsort(dim=1)
    return rank < hidden[:, None]


def patch_loss(target: Tensor, scores: Tensor, mask: Tensor, *, temperature: float) -> Tensor:
    """Per image the mean cross entropy over its hidden patches, 0 where none is; inputs (B, N, K) twice and (B, N)."""
    terms = cross_entropy(target, scores, temperature) * mask
    return terms.sum(dim=1) / mask.sum(dim=1).clamp(min=1)


class IBOT(Method):
    """``loss = DINO's on the pooled features + patch_weight * patch loss``, with one head for both.

    Hidden patches are replaced *in the image* by a learned patch of pixels: for a linear patch embedding the same as a
    learned mask token, and every backbone can be trained so. Masks are drawn patch by patch (the paper's are blocks).

    Parameters
    ----------
    dim
        Features it is given.
    config
        Options.
    encoder
        Gives the token grid and the image's side.
    comm
        Ranks that share the batch; the default communicator when omitted.
    """

    uses_teacher = True
    uses_local = True

    def __init__(
        self, dim: int, config: IBOTConfig | None = None, *, encoder: Encoder, comm: Communicator | None = None
    ) -> None:
        super().__init__(comm=comm)
        self.config = config = IBOTConfig() if config is None else config
        self.head = PrototypeHead(dim, hidden=config.hidden, bottleneck=config.bottleneck, out_dim=config.out_dim)
        self.teacher = teacher_of(self.head)
        self.centre = Centre(config.out_dim, momentum=config.centre_momentum, comm=self.comm)
        self.patch_centre = Centre(config.out_dim, momentum=config.centre_momentum, comm=self.comm)
        self.grid = encoder.grid
        patch = encoder.patch("iBOT")
        mean = encoder.mean.detach().view(3, 1, 1).expand(3, patch, patch)
        self.mask_patch = nn.Parameter(mean.clone())

    @property
    def momentum(self) -> float:
        """Rises to 1 along a cosine."""
        return cosine(self.config.momentum, 1.0, self.progress)

    def _temperature(self, top: float) -> float:
        return ramp(self.config.teacher_temperature_start, top, self.progress, self.config.warmup)

    def teacher_pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        """The head and the teacher's."""
        return [(self.head, self.teacher)]

    def masks(self, views: Views) -> tuple[Tensor, Tensor]:
        """Hidden patches (B, N) of both views: a function of (seed, epoch, image) alone."""
        count = self.grid[0] * self.grid[1]
        keys = ((views.seed, views.epoch, view) for view in (201, 202))
        first, second = (random_masks(key, views.indices, count, self.config) for key in keys)
        return first, second

    def student_images(self, views: Views) -> tuple[Tensor, Tensor]:
        """Views with the hidden patches replaced."""
        (mask1, mask2), (rows, columns) = self.masks(views), self.grid

        def hide(images: Tensor, mask: Tensor) -> Tensor:
            size = images.shape[2] // rows
            where = mask.view(-1, 1, rows, columns).repeat_interleave(size, 2).repeat_interleave(size, 3)
            return torch.where(where, self.mask_patch.repeat(1, rows, columns).to(images.dtype), images)

        return hide(views.first, mask1), hide(views.second, mask2)

    def forward(self, first: Features, second: Features, views: Views, others: Others = NONE) -> dict[str, Tensor]:
        """Terms of the loss over the global batch. Collective."""
        if others.teacher is None:
            raise ValueError("iBOT: others.teacher is None; expected the teacher's features of both views")
        config = self.config
        check_local(config, others)
        student = [self.head(x.pooled) for x in (first, second, *others.local)]
        with torch.no_grad():
            scores = torch.stack([self.teacher(x.pooled) for x in others.teacher])
            patches = torch.stack([self.teacher(x.tokens) for x in others.teacher])
            targets = self.centre.distributions(scores, self._temperature(config.teacher_temperature))
            wanted = self.patch_centre.distributions(patches, self._temperature(config.teacher_patch_temperature))
        whole = dino_loss(student, list(targets), temperature=config.student_temperature, comm=self.comm)
        hidden = torch.stack(
            [
                patch_loss(target, self.head(x.tokens), mask, temperature=config.student_temperature)
                for target, x, mask in zip(wanted, (first, second), self.masks(views), strict=True)
            ]
        )
        patch = batch_mean(hidden.mean(dim=0), comm=self.comm)
        told = teacher_figures(targets, self.comm)
        if self.training:
            self.centre.update(scores)
            self.patch_centre.update(patches)
        return {
            "loss": whole + config.patch_weight * patch,
            "distillation": whole,
            "patches": patch,
            **told,
        }
