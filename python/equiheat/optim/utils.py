# SPDX-License-Identifier: BSD-3-Clause
"""When a metric has stopped improving."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["DetectMetricPlateau"]

_FIELDS = ("patience", "cooldown", "cooldown_counter", "mode", "threshold", "threshold_mode", "best", "num_bad_epochs",
           "mode_worse", "last_epoch")  # fmt: skip


class DetectMetricPlateau:
    """Tells when a metric has not improved for a number of epochs. The rule of torch's `ReduceLROnPlateau`.

    Parameters
    ----------
    mode : {"min", "max"}
        What is better.
    patience : int
        Epochs without improvement that are passed over.
    threshold : float
        Smaller changes are no improvement.
    threshold_mode : {"rel", "abs"}
        Whether `threshold` is a share of the best value or an amount.
    cooldown : int
        Epochs after a plateau that are not counted.

    Raises
    ------
    ValueError
        For another mode.

    Examples
    --------
    >>> from equiheat.optim.utils import DetectMetricPlateau
    >>> plateau = DetectMetricPlateau(patience=1)
    >>> [plateau.test_if_improving(loss) for loss in (1.0, 0.5, 0.5, 0.5)]
    [False, False, False, True]
    """

    def __init__(
        self,
        mode: str | None = "min",
        patience: int | None = 10,
        threshold: float | None = 1e-4,
        threshold_mode: str | None = "rel",
        cooldown: int | None = 0,
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"DetectMetricPlateau: mode must be 'min' or 'max', is {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"DetectMetricPlateau: threshold_mode must be 'rel' or 'abs', is {threshold_mode!r}")
        self.mode, self.threshold_mode = mode, threshold_mode
        self.patience, self.threshold, self.cooldown = patience or 0, threshold or 0.0, cooldown or 0
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.last_epoch = 0
        self.reset()

    def get_state(self) -> dict[str, Any]:
        """Everything that `set_state` needs to go on from here. Local."""
        return {name: getattr(self, name) for name in _FIELDS}

    def set_state(self, dic: dict[str, Any]) -> None:
        """Go on from a state. Local."""
        for name in _FIELDS:
            setattr(self, name, dic[name])

    def reset(self) -> None:
        """Forget the best value and the counts. Local."""
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def test_if_improving(self, metrics: Any) -> bool:
        """Take the value of an epoch; True when the metric has reached a plateau (Heat's name says the contrary).

        Parameters
        ----------
        metrics : float or Tensor
            The value, the same on every rank. Local.
        """
        current = float(metrics)
        self.last_epoch += 1
        better = self.is_better(current, self.best)
        self.best = current if better else self.best
        self.num_bad_epochs = 0 if better else self.num_bad_epochs + 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs <= self.patience:
            return False
        self.cooldown_counter = self.cooldown
        self.num_bad_epochs = 0
        return True

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs are not counted at present. Local."""
        return self.cooldown_counter > 0

    def is_better(self, a: float, best: float) -> bool:
        """Whether a value is better than another by more than the threshold. Local."""
        sign = 1.0 if self.mode == "max" else -1.0
        step = self.threshold * abs(best) if self.threshold_mode == "rel" else self.threshold
        if math.isinf(best):
            return a != best and sign * a > sign * best
        return sign * a > sign * best + step
