# SPDX-License-Identifier: BSD-3-Clause
"""Arms of experiments/augmentation_regression.py: what is trained, what stands beside it, which differences matter."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from equiheat.ssl.methods import (
    BYOLConfig,
    DINOConfig,
    ECRConfig,
    SimCLRConfig,
    TIRConfig,
    VICRegConfig,
)

#: Options of the base methods for a few hundred steps at batch 128; the same in all of a method's arms.
BASE: dict[str, dict[str, Any]] = {
    "vicreg": {"vicreg": VICRegConfig(invariance=10.0, variance=10.0, covariance=1.0)},
    "simclr": {"simclr": SimCLRConfig(temperature=0.5)},  # the paper's best on CIFAR-10
    "byol": {"byol": BYOLConfig(momentum=0.97)},
    "dino": {"dino": DINOConfig(momentum=0.97)},
}
NAMES = {"vicreg": "VICReg", "simclr": "SimCLR", "byol": "BYOL", "dino": "DINO"}

TARGET = ECRConfig(weight=10.0, query="target", context="equi", depth=1, mlp="before")
#: The decoder asks with the *average* of v2's equivariant tokens, which says how v2 was transformed but not what is
#: where; the content is for v1's invariant tokens to tell.
POOLED = dataclasses.replace(TARGET, query="pooled", context="inv")
#: Of the search: a perceptron after the attention too, so that what was looked up can be drawn.
BEST = dataclasses.replace(POOLED, mlp="both")
#: The default of ECRConfig since the search.
TWO_BLOCKS = dataclasses.replace(POOLED, depth=2)


@dataclass(frozen=True)
class Arm:
    """One row of the tables. Nothing trains an arm without a method."""

    title: str
    method: str = ""
    auxiliary: str = "none"
    ecr: ECRConfig = TARGET
    tir: TIRConfig = field(default_factory=TIRConfig)
    #: The arm of study "ecr" that is this one: its runs may be taken over.
    same_as: str = ""


@dataclass(frozen=True)
class Study:
    """Arms, and pairs of them whose difference is asked for."""

    title: str
    arms: dict[str, Arm]
    pairs: tuple[tuple[str, str], ...]


def ecr_study() -> Study:
    """What cross-attention reconstruction adds to VICReg, and what of it the cross-attention adds."""

    def ecr(title: str, options: ECRConfig) -> Arm:
        return Arm(title, "vicreg", "ecr", options)

    arms = {
        "random": Arm("random initialisation"),
        "vicreg": Arm("VICReg", "vicreg"),
        "ecr": ecr("VICReg + ECR", TARGET),
        "no_keys": ecr("VICReg + decoder without keys/values", dataclasses.replace(TARGET, keys="none")),
        "shuffled_keys": ecr("VICReg + keys/values of another image", dataclasses.replace(TARGET, keys="shuffled")),
        "pooled_query": ecr("VICReg + ECR, pooled query", POOLED),
        "pooled_query_no_keys": ecr("pooled query without keys/values", dataclasses.replace(POOLED, keys="none")),
        "pooled_query_shuffled_keys": ecr(
            "pooled query, keys/values of another image", dataclasses.replace(POOLED, keys="shuffled")
        ),
        "ecr_weight_25": ecr("VICReg + ECR, lambda 25", dataclasses.replace(TARGET, weight=25.0)),
        "raw_pixels": Arm("raw pixels, 16 x 16"),
    }
    pairs = (
        ("ecr", "vicreg"),
        ("ecr", "random"),
        ("ecr", "no_keys"),
        ("ecr", "shuffled_keys"),
        ("no_keys", "vicreg"),
        ("pooled_query", "vicreg"),
        ("pooled_query", "random"),
        ("pooled_query", "pooled_query_no_keys"),
        ("pooled_query", "pooled_query_shuffled_keys"),
        ("pooled_query_no_keys", "vicreg"),
    )
    return Study("VICReg and cross-attention reconstruction", arms, pairs)


def methods_study() -> Study:
    """Four methods, each alone, with ECR (the search's best, and two blocks), its two controls, and with TIR."""
    arms = {"random": Arm("random initialisation", same_as="random")}
    pairs: list[tuple[str, str]] = []
    for method, name in NAMES.items():
        arms |= {
            method: Arm(name, method, same_as=method if method == "vicreg" else ""),
            f"{method}_ecr": Arm(f"{name} + ECR", method, "ecr", BEST),
            f"{method}_no_keys": Arm(
                f"{name} + decoder without keys/values", method, "ecr", dataclasses.replace(BEST, keys="none")
            ),
            f"{method}_shuffled_keys": Arm(
                f"{name} + keys/values of another image", method, "ecr", dataclasses.replace(BEST, keys="shuffled")
            ),
            f"{method}_tir": Arm(f"{name} + TIR", method, "tir"),
        }
        for suffix, words, keys in (
            ("", "", "other"),
            ("_no_keys", " without keys/values", "none"),
            ("_shuffled_keys", ", keys/values of another image", "shuffled"),
        ):
            options = dataclasses.replace(TWO_BLOCKS, keys=keys)
            arms[f"{method}_two_blocks{suffix}"] = Arm(f"{name} + ECR, two blocks{words}", method, "ecr", options)
        pairs += [(f"{method}_{arm}", method) for arm in ("ecr", "tir")]
        pairs += [(f"{method}_ecr", f"{method}_{arm}") for arm in ("no_keys", "shuffled_keys")]
        pairs += [(f"{method}_two_blocks", f"{method}{arm}") for arm in ("", "_two_blocks_no_keys")]
        pairs += [(f"{method}_two_blocks", f"{method}_two_blocks_shuffled_keys")]
    arms["raw_pixels"] = Arm("raw pixels, 16 x 16", same_as="raw_pixels")
    return Study("Four methods with and without reconstruction", arms, tuple(pairs))


#: What the paper leaves open, one change at a time from the pooled query.
OPEN_CHOICES: dict[str, dict[str, Any]] = {
    "pooled": {},
    "context_all": {"context": "all"},
    "context_equi": {"context": "equi"},
    "no_residual": {"residual": False},
    "no_residual_all": {"residual": False, "context": "all"},
    "depth_2": {"depth": 2},
    "depth_2_all": {"depth": 2, "context": "all"},
    "mlp_after": {"mlp": "after"},
    "mlp_both": {"mlp": "both"},
    "mlp_both_all": {"mlp": "both", "context": "all"},
    "mlp_both_no_residual": {"mlp": "both", "residual": False},
    "norm_pix": {"norm_pix": True},
    "stop_gradient": {"stop_gradient": True},
    "weight_3": {"weight": 3.0},
    "weight_30": {"weight": 30.0},
    "target_v1": {"target": "v1"},
    "target_both": {"target": "both"},
    "equi_quarter": {"equi_fraction": 0.25},
    "query_other": {"query": "other"},
    "query_position": {"query": "position", "context": "both"},
    "query_target": {"query": "target", "context": "equi"},
    "query_target_no_residual": {"query": "target", "context": "equi", "residual": False},
}


def _of_the_query(change: dict[str, Any]) -> dict[str, Any]:
    """What of it has an effect without keys and values."""
    return {name: value for name, value in change.items() if name not in ("context", "stop_gradient")}


def search_study() -> Study:
    """The choices that the paper leaves open, for VICReg; meant for one seed, and 1, 2 or 3 of them for fresh ones."""
    arms = {"random": Arm("random initialisation"), "vicreg": Arm("VICReg", "vicreg")}
    pairs = []
    for name, change in OPEN_CHOICES.items():
        options = dataclasses.replace(POOLED, **change)
        words = ", ".join(f"{key} {value}" for key, value in change.items()) or "pooled query"
        arms[name] = Arm(words, "vicreg", "ecr", options)
        pairs.append((name, "vicreg"))
        if options.residual and options.query in ("pooled", "target"):
            # Without keys and values it does not matter whose they are.
            shared = [other for other, kept in OPEN_CHOICES.items() if kept == _of_the_query(change)]
            control = f"{(shared or [name])[0]}_no_keys"
            arms.setdefault(
                control,
                Arm(f"{words}, without keys/values", "vicreg", "ecr", dataclasses.replace(options, keys="none")),
            )
            pairs.append((name, control))
        elif options.query == "pooled":  # it cannot do without both: beside the decoder with the query alone
            pairs.append((name, "pooled_no_keys"))
    return Study("Open choices of cross-attention reconstruction", arms, tuple(pairs))


STUDIES = {"ecr": ecr_study(), "methods": methods_study(), "search": search_study()}
