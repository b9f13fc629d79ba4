# SPDX-License-Identifier: BSD-3-Clause
"""Strong and weak scaling to 1,024 ranks, from what was measured."""

from __future__ import annotations

from typing import Any

import algorithm_costs as costs
from network import PRESETS, Line, Network, fit_line

RANKS = [2**i for i in range(11)]
#: Rows of the strong problem, and of each rank's share of the weak one.
SIZES = {
    "k-means": (10**7, 10**6), "moments": (10**7, 10**6), "lasso": (10**7, 10**6), "distances": (2 * 10**4, 10**4),
    "resplit": (10**5, 10**5), "tall QR": (10**7, 10**6), "stencil": (10**5, 10**5),
}  # fmt: skip
ASSUMPTIONS = (
    "compute time is that of one core here, in proportion to a rank's rows: ranks have cores as fast as this one, with "
    "memory bandwidth of their own, and as many rows each",
    "a message of n bytes takes alpha + n beta; a rank sends and receives at full rate at a time, and nothing between "
    "nodes is shared: full bisection. Where k ranks share a link, beta is k times as large (`Network.shared_by`)",
    "MPI takes its algorithms after MPICH's rules (Thakur et al. 2005). No collective is hidden behind computing; "
    "distances and stencils hide their messages, as the library does",
    "no noise of the system: on many nodes a collective waits for the slowest of its ranks, so these are bounds",
    "number and sizes of the collectives are those that `ht.profile` recorded at the ranks that were measured",
)


def most(found: dict[str, Any]) -> dict[str, Any]:
    """What was measured on the most ranks."""
    return found[max(found, key=int)]


def fits(found: dict[str, Any]) -> dict[str, Line]:
    """Lines of the collectives on the ranks there were."""
    kinds = most(found)["collectives"]
    return {k: fit_line([int(n) for n in times], list(times.values())) for k, times in kinds.items()}


def measured(found: dict[str, Any]) -> Network:
    """The network between the ranks there were."""
    line = fits(found)["message"]
    about = f"messages between {most(found)['ranks']} ranks, fit off by {line.median_error:.0%} in the median"
    return Network(
        "measured here: memory that two cores share", line.alpha, line.beta, most(found)["per byte"]["reduce"], about
    )


def works(found: dict[str, Any]) -> dict[str, costs.Work]:
    """Speeds of one core, and the collectives of two ranks."""
    alone, together = found["1"], most(found)
    result = {}
    for name, one in alone["algorithms"].items():
        rows = one["rows"]
        unit = one["seconds"] / (rows**2 if name == "distances" else rows)
        if name == "resplit":
            unit = alone["per byte"]["copy"]
        calls = tuple(costs.Recorded(*call) for call in together["algorithms"][name]["calls"])
        result[name] = costs.Work(unit, one["columns"], calls)
    return result


def predictions(found: dict[str, Any]) -> dict[str, dict[str, float]]:
    """What the model says of the ranks there were, beside what was measured."""
    net, p = measured(found), most(found)["ranks"]
    result = {}
    for name, work in works(found).items():
        row = most(found)["algorithms"][name]
        model = costs.MODELS[name](work, row["rows"], p, net)
        alone = found["1"]["algorithms"][name]["seconds"]
        result[name] = {"1 rank": alone, f"{p} ranks": row["seconds"], "model": model, "ratio": model / row["seconds"]}
    return result


def tables(found: dict[str, Any]) -> dict[str, Any]:
    """By network, kind of scaling and problem."""
    result: dict[str, Any] = {"assumptions": ASSUMPTIONS}
    for net in (measured(found), *PRESETS.values()):
        result[net.name] = {
            "constants": net._asdict(),
            "strong": {n: costs.strong(n, w, SIZES[n][0], RANKS, net) for n, w in works(found).items()},
            "weak": {n: costs.weak(n, w, SIZES[n][1], RANKS, net) for n, w in works(found).items()},
        }
    return result
