# SPDX-License-Identifier: BSD-3-Clause
"""Probes on 3DIEBench and its like: relative rotation and colour of two views, and how a predictor retrieves views."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

import equiheat as ht
from equiheat.communication import Communicator, get_comm
from equiheat.data.bench3d import Objects3D, parameters_of
from equiheat.data.counter import uniform
from equiheat.data.rotations import relative_quaternion
from equiheat.data.sharding import share
from equiheat.ssl.options import check_kinds
from equiheat.ssl.probes.features import FrozenEncoder
from equiheat.ssl.probes.metrics import RegressionScore, r2_score
from equiheat.ssl.probes.mlp import MlpConfig, fit_mlp
from equiheat.ssl.probes.neighbours import nearest
from equiheat.ssl.probes.ridge import fit_ridge

__all__ = ["ObjectProbeConfig", "ObjectScores", "prediction_retrieval_error", "probe_objects", "retrieval"]

#: Target matrices: which columns of the pair's differences each has.
TARGETS = {
    "rotation": ("quaternion",),
    "color": ("floor_hue", "light_hue"),
    "all": ("quaternion", "floor_hue", "light_theta", "light_phi", "light_hue"),
}


@dataclass(frozen=True)
class ObjectProbeConfig:
    """How pairs of views are drawn and regressed.

    Parameters
    ----------
    pairs
        Pairs of each object; the last sixth of the training objects' pairs is the hold-out.
    raw
        Keep the sign of quaternions as the product gives it (the published protocol); else w >= 0, which makes one
        rotation one target.
    methods
        "ridge", "mlp".
    mlp
        The perceptron; the published one has two hidden layers of 1024.
    batch_size
        Images of one pass through the encoder.
    seed
        Of the pairs.
    """

    pairs: int = 4
    raw: bool = False
    methods: tuple[str, ...] = ("ridge", "mlp")
    mlp: MlpConfig = field(default_factory=MlpConfig)
    batch_size: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        check_kinds(self)
        if not self.methods:
            raise ValueError("ObjectProbeConfig: methods is empty; use ridge, mlp")


@dataclass(frozen=True)
class ObjectScores:
    """Of one part of the features: ``scores[target][method]``, for pairs of objects that were not fitted on."""

    part: str
    dims: int
    scores: dict[str, dict[str, RegressionScore]]


@dataclass(frozen=True)
class _Pairs:
    """Features (n_r, D) of both views and their differences by name, this rank's."""

    first: Tensor
    second: Tensor
    told: dict[str, Tensor]

    def arrays(self, columns: slice, names: tuple[str, ...], comm: Communicator) -> tuple[ht.DNDarray, ht.DNDarray]:
        x = torch.cat((self.first[:, columns], self.second[:, columns]), dim=1)
        y = torch.cat([self.told[name] for name in names], dim=1)
        return ht.array(x, is_split=0, comm=comm), ht.array(y, is_split=0, comm=comm)


def probe_objects(
    encoder: FrozenEncoder,
    train: Objects3D,
    val: Objects3D,
    *,
    config: ObjectProbeConfig | None = None,
    comm: Communicator | None = None,
) -> list[ObjectScores]:
    """Regress how two views of an object differ, from the frozen features of both side by side.

    Parameters
    ----------
    encoder
        What is judged; every part by itself.
    train, val
        Objects to fit on, objects to score on.
    config
        Options.
    comm
        Ranks; objects are shared out among them.

    Returns
    -------
    list of ObjectScores
        One per part, the same on every rank. Rotation, colour (both hues, not wrapped) and all latents' differences.

    Notes
    -----
    Communication: that of ``fit_ridge`` and ``fit_mlp``; features never leave their rank.
    """
    config = ObjectProbeConfig() if config is None else config
    comm = get_comm() if comm is None else comm
    unknown = [m for m in config.methods if m not in ("ridge", "mlp")]
    if unknown:
        raise ValueError(f"probe_objects: unknown method {unknown[0]!r}; use ridge, mlp")
    if config.pairs < 2:
        raise ValueError(f"probe_objects: pairs is {config.pairs}; one is held out, so use 2 or more")
    held = max(1, config.pairs // 6)
    fit = _pairs(encoder, train, range(config.pairs - held), config, comm)
    hold = _pairs(encoder, train, range(config.pairs - held, config.pairs), config, comm)
    test = _pairs(encoder, val, range(config.pairs), config, comm)
    results = []
    for part, columns in encoder.parts.items():
        scores = {}
        for target, names in TARGETS.items():
            one, two, three = (pairs.arrays(columns, names, comm) for pairs in (fit, hold, test))
            scores[target] = {method: _score(method, one, two, three, config) for method in config.methods}
        results.append(ObjectScores(part, fit.first[:, columns].shape[1], scores))
    return results


def _score(
    method: str,
    fit: tuple[ht.DNDarray, ht.DNDarray],
    hold: tuple[ht.DNDarray, ht.DNDarray],
    test: tuple[ht.DNDarray, ht.DNDarray],
    config: ObjectProbeConfig,
) -> RegressionScore:
    model = fit_ridge(*fit, *hold) if method == "ridge" else fit_mlp(*fit, *hold, config=config.mlp)
    return r2_score(model.predict(test[0]), test[1])


def _pairs(
    encoder: FrozenEncoder, objects: Objects3D, numbers: range, config: ObjectProbeConfig, comm: Communicator
) -> _Pairs:
    """Pairs ``numbers`` of this rank's share of the objects."""
    own = torch.arange(*share(len(objects), comm))
    firsts, seconds, told = [], [], []
    for number in numbers:
        draws = uniform((config.seed, 93, number), own, 2)
        one = (draws[:, 0] * objects.views).long()
        other = (one + 1 + (draws[:, 1] * (objects.views - 1)).long()) % objects.views
        (x1, l1), (x2, l2) = objects.read(own, one), objects.read(own, other)
        firsts.append(encoder.features(x1, batch_size=config.batch_size))
        seconds.append(encoder.features(x2, batch_size=config.batch_size))
        told.append(differences(l1, l2, raw=config.raw))
    columns = {name: torch.cat([t[name] for t in told]) for name in told[0]}
    return _Pairs(torch.cat(firsts), torch.cat(seconds), columns)


def differences(first: Tensor, second: Tensor, *, raw: bool = False) -> dict[str, Tensor]:
    """How latents (n, 7) of two views differ, (n, k) each: "quaternion" R1^-1 R2, the others second minus first."""
    one, other = parameters_of(first), parameters_of(second)
    quaternion = relative_quaternion(one.pop("quaternion"), other.pop("quaternion"), raw=raw)
    return {"quaternion": quaternion} | {name: (other[name] - one[name])[:, None] for name in one}


def retrieval(predicted: Tensor, views: Tensor, true: Tensor, *, comm: Communicator) -> dict[str, float]:
    """How far up a prediction ranks the right view among all views of its object.

    Parameters
    ----------
    predicted
        Shape (n_r, d): predicted embeddings.
    views
        Shape (n_r, V, d): embeddings of all views of the object.
    true
        Shape (n_r,): number of the right one.
    comm
        Ranks. Communication: one sum of 5 numbers.

    Returns
    -------
    dict[str, float]
        ``mrr`` (mean of 1 / rank) and ``h1``, ``h5``, ``h10`` (share of ranks up to 1, 5, 10), by cosine. Views that
        tie with the right one count as before it.
    """
    cosines = (F.normalize(views, dim=2) * F.normalize(predicted, dim=1)[:, None]).sum(dim=2)
    right = cosines.gather(1, true[:, None])
    place = (~(cosines < right)).sum(dim=1).double()  # of a prediction that is NaN the last
    sums = torch.stack([(1 / place).sum(), *((place <= k).double().sum() for k in (1, 5, 10))])
    total = comm.allreduce(torch.cat((sums, torch.tensor([float(len(place))], dtype=torch.float64))))
    shares = (total[:-1] / total[-1].clamp(min=1)).tolist()
    return dict(zip(("mrr", "h1", "h5", "h10"), shares, strict=True))


def prediction_retrieval_error(
    predicted: Tensor, wanted: Tensor, keys: Tensor, rotations: Tensor, *, comm: Communicator
) -> float:
    """PRE: how far the rotation of the nearest of *all* embeddings is from the one that was predicted.

    Mean of ``1 - (q . r)^2`` over the predictions of all ranks; q the wanted rotation, r that of the embedding
    nearest by cosine.

    Parameters
    ----------
    predicted, wanted
        Shape (n_r, d) and (n_r, 4): predicted embeddings, quaternions of the views that they stand for.
    keys, rotations
        Shape (m_r, d) and (m_r, 4): embeddings to search in and their quaternions, shared out over the ranks.
    comm
        Ranks. Every rank's keys go round once.
    """
    _, found = nearest(F.normalize(predicted, dim=1), F.normalize(keys, dim=1), rotations, 1, comm)
    error = 1 - (found[:, 0] * wanted).sum(dim=1).double().square()
    total = comm.allreduce(torch.stack((error.sum(), torch.tensor(float(len(error)), dtype=torch.float64))))
    return float(total[0] / total[1].clamp(min=1))
