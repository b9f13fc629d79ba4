# SPDX-License-Identifier: BSD-3-Clause
"""The model behind benchmarks/scaling: closed forms, limits and orders. No message is sent."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).parents[2] / "benchmarks" / "scaling"
pytestmark = pytest.mark.ranks(1)


@pytest.fixture(scope="module")
def model() -> Any:
    """The modules, by name."""
    sys.path.insert(0, str(ROOT))
    try:
        import algorithm_costs
        import collective_costs
        import extrapolate
        import network
        import simulate
    finally:
        sys.path.remove(str(ROOT))

    class Modules:
        algorithms, collectives, net, simulation = algorithm_costs, collective_costs, network, simulate
        tables = staticmethod(extrapolate.tables)

    return Modules


def every(model: Any) -> list[tuple[str, str]]:
    return [(kind, name) for kind, names in model.collectives.COSTS.items() for name in names]


ALPHA, BETA, GAMMA = 3.0, 0.5, 0.25
#: kind, algorithm, ranks, bytes, coefficients of alpha, beta and gamma written out by hand
FORMS = [
    ("allreduce", "recursive doubling", 8, 10, 3, 30, 30),
    ("allreduce", "Rabenseifner", 8, 16, 6, 28, 14),
    ("allreduce", "Rabenseifner", 6, 16, 6, 56, 28),
    ("allreduce", "ring", 4, 8, 6, 12, 6),
    ("reduce_scatter", "recursive halving", 16, 32, 4, 30, 30),
    ("reduce_scatter", "pairwise", 4, 8, 3, 6, 6),
    ("allgather", "Bruck or recursive doubling", 5, 10, 3, 8, 0),
    ("allgather", "ring", 5, 10, 4, 8, 0),
    ("bcast", "binomial tree", 5, 10, 3, 30, 0),
    ("bcast", "scatter, recursive doubling", 8, 16, 6, 28, 0),
    ("bcast", "scatter, ring", 8, 16, 10, 28, 0),
    ("alltoall", "Bruck", 8, 16, 3, 24, 0),
    ("alltoall", "pairwise", 8, 16, 7, 14, 0),
    ("resplit", "four partners", 6, 12, 2, 10, 0),
    ("halo", "two neighbours", 2, 7, 1, 7, 0),
    ("halo", "two neighbours", 9, 7, 1, 14, 0),
    ("message", "one", 2, 7, 1, 7, 0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "p", "n", "alphas", "betas", "gammas"), FORMS)
def test_closed_forms(
    model: Any, kind: str, name: str, p: int, n: int, alphas: float, betas: float, gammas: float
) -> None:
    net = model.net.Network("", ALPHA, BETA, GAMMA, "")
    expected = alphas * ALPHA + betas * BETA + gammas * GAMMA
    assert model.collectives.seconds(kind, p, n, net, name) == pytest.approx(expected)


def test_every_algorithm_has_a_closed_form(model: Any) -> None:
    assert {(kind, name) for kind, name, *_ in FORMS} == set(every(model))


def test_limits_and_orders(model: Any) -> None:
    """One rank costs nothing; more bytes never less; at powers of two more ranks never less; no less than MPI must."""
    net = model.net.PRESETS["infiniband"]
    for kind, name in every(model):
        cost = [
            [model.collectives.seconds(kind, 1 << i, n, net, name) for n in (0, 8, 4096, 1 << 22)] for i in range(11)
        ]
        assert cost[0] == [0.0] * 4, name
        assert all(row == sorted(row) and row[1] > row[0] > 0 for row in cost[1:]), name
        assert all(list(column) == sorted(column) for column in zip(*cost, strict=True)), name
    # A factor of 2 above what any algorithm must send (Chan et al. 2007), up to the change from short to long.
    for p in (2, 3, 16, 1000, 1024):
        for n in (8, 1 << 12, 1 << 20):
            least = max(model.collectives.steps(p) * net.alpha, 2 * (p - 1) / p * n * net.beta)
            assert least <= model.collectives.seconds("allreduce", p, n, net) < 4 * (least + net.alpha + n * net.beta)


def test_choice_follows_size(model: Any) -> None:
    chosen = model.collectives.algorithm
    assert [chosen("allreduce", 64, n) for n in (2048, 2049)] == ["recursive doubling", "Rabenseifner"]
    assert [chosen("alltoall", 64, n) for n in (64 * 256, 64 * 257)] == ["Bruck", "pairwise"]
    assert chosen("bcast", 4, 1 << 20) == "binomial tree" != chosen("bcast", 8, 1 << 14)
    with pytest.raises(ValueError, match="0 ranks"):
        model.collectives.seconds("bcast", 0, 8, model.net.PRESETS["roce"])


def test_fit_is_not_moved_by_one_size(model: Any) -> None:
    sizes = [8, 64, 1024, 1 << 14, 1 << 18, 1 << 22]
    seconds = [2e-6 + n * 1e-10 for n in sizes]
    seconds[2] *= 40
    line = model.net.fit_line(sizes, seconds)
    assert (line.alpha, line.beta) == (pytest.approx(2e-6), pytest.approx(1e-10))
    assert line.median_error < 1e-9 and line.worst_error > 0.9
    assert model.net.fit_line([8, 1024], [1e-6, 1e-6])[:2] == (1e-6, 0.0)


def test_strong_and_weak_scaling(model: Any) -> None:
    costs, net = model.algorithms, model.net.PRESETS["ethernet"]
    free = net._replace(alpha=0.0, beta=0.0, gamma=0.0)
    work = costs.Work(1e-8, 18, (costs.Recorded("allreduce", 1216, 34), costs.Recorded("allgatherv", 64, 1)))
    for name in costs.MODELS:
        strong = costs.strong(name, work, 1e6, [1, 2, 64, 1024], net)
        weak = costs.weak(name, work, 1e6, [1, 2, 64, 1024], net)
        assert strong[0]["efficiency"] == weak[0]["efficiency"] == 1.0
        for rows in (strong, weak):
            efficiencies = [round(row["efficiency"], 9) for row in rows]
            assert efficiencies == sorted(efficiencies, reverse=True) and efficiencies[-1] > 0, name
        if name != "tall QR":  # whose ranks all decompose the stack of triangles
            assert [r["efficiency"] for r in costs.weak(name, work, 1e6, [1, 1024], free)] == pytest.approx([1, 1])
    assert costs.messages(work.calls, 1, net) == 0
    two = 34 * (net.alpha + 1216 * (net.beta + net.gamma)) + net.alpha + 64 * net.beta
    assert costs.messages(work.calls, 2, net) == pytest.approx(two)


def test_simulations_fit_into_processes(model: Any) -> None:
    wanted = list(model.simulation.trials(64))
    groups = model.simulation.runs(wanted)
    assert sorted(t for group in groups for t in group) == sorted(set(wanted))
    for group in groups:
        algorithms = {(t.kind, t.algorithm) for t in group}
        assert len(algorithms) == len({kind for kind, _ in algorithms})
    assert {t.kind for t in model.simulation.trials(1024)} >= {"allreduce", "bcast", "allgather", "alltoall", "halo"}


def test_published_tables_follow_from_what_was_measured(model: Any) -> None:
    found = json.loads((ROOT.parent / "results" / "scaling.json").read_text())
    assert json.loads(json.dumps(model.tables(found["measured"]))) == found["tables"]
    net = model.net.Network(**found["platform"]["network"])
    flat = [row for row in found["check"] if row["machine"] == "flat"]
    assert {row["ranks"] for row in flat} == {16, 64, 256, 1024}
    for row in flat:
        trial = model.simulation.Trial(row["kind"], row["algorithm"], row["bytes"], row["ranks"])
        expected = trial.predicted(net)
        if trial.algorithm == "binomial tree" and trial.bytes < 64 << 10:
            expected = model.collectives.bcast_binomial_sharing(trial.ranks, trial.bytes, net)
        assert 0.8 < expected / row["simulated"] < 1.1, trial
