# SPDX-License-Identifier: BSD-3-Clause
"""The same tests run on every rank: `mpiexec -n 3 python -m pytest tests/python`.

After each test, after its fixtures if it has any, and after each example of a hypothesis test, the ranks agree on
the outcome. A failure on one rank becomes a failure on all of them, so they stay in step and the run goes on. Ranks
that are stuck in a collective cannot take part: then the failing rank prints its traceback and ends the job. A test
that takes longer than EQUIHEAT_TEST_LIMIT seconds (240) ends the job with the stacks of its ranks.
"""

from __future__ import annotations

import atexit
import faulthandler
import gc
import hashlib
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from functools import wraps
from typing import Any, NoReturn, TextIO

import hypothesis
import numpy as np
import pytest
from mpi4py import MPI

#: Ranks that get out of step get an error instead of waiting for each other.
os.environ.setdefault("EQUIHEAT_CHECK", "1")
os.environ.setdefault("SCIPY_ARRAY_API", "1")  # SciPy reads it when it is imported; scikit-learn wants it
RANK, SIZE = MPI.COMM_WORLD.Get_rank(), MPI.COMM_WORLD.Get_size()
COMM = MPI.COMM_WORLD.Dup()
#: Seconds one test may take; a rank that failed waits FAILED_WAIT seconds for the others to get as far.
TEST_LIMIT = float(os.environ.get("EQUIHEAT_TEST_LIMIT", "240"))
FAILED_WAIT = float(os.environ.get("EQUIHEAT_FAILED_WAIT", "15"))
PASSED, FAILED, SKIPPED, ELSEWHERE = 0, 1, 2, 3
#: Where outcomes are recorded, one line of JSON each; tools/run_tests.py reads them.
RESULTS = pathlib.Path(os.environ["EQUIHEAT_TEST_RESULTS"]) if "EQUIHEAT_TEST_RESULTS" in os.environ else None

#: pytest's temporary folders: ranks that share a root would tidy it up under each other's feet.
os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.mkdtemp(prefix=f"equiheat-tests-rank{RANK}-", dir=RESULTS)
atexit.register(shutil.rmtree, os.environ["PYTEST_DEBUG_TEMPROOT"], ignore_errors=True)

hypothesis.settings.register_profile(
    "mpi",
    derandomize=True,  # the same examples on every rank
    database=None,
    deadline=None,
    max_examples=int(os.environ.get("EQUIHEAT_EXAMPLES", "20")),
    suppress_health_check=list(hypothesis.HealthCheck),  # they look at the clock, which differs between ranks
    print_blob=False,
)
hypothesis.settings.load_profile("mpi")


class FailedElsewhere(pytest.fail.Exception):
    """This rank was fine; another was not."""


class _State:
    """What the hooks share: the real stderr, the results file and the running test."""

    stderr: TextIO = sys.stderr
    results: TextIO | None = None
    nodeid: str = "collection"
    rank0_tells: bool = False  # rank 0 failed itself, so its traceback stands for the others'


def _say(text: str) -> None:
    """One write, so that lines of ranks do not mix, to the stderr that pytest does not capture."""
    _State.stderr.write("".join(f"[rank {RANK}] {line}\n" for line in text.splitlines()))
    _State.stderr.flush()


def _record(**fields: object) -> None:
    if _State.results is not None:
        _State.results.write(json.dumps(fields) + "\n")
        _State.results.flush()


def _own_traceback(error: BaseException) -> str:
    """The traceback without pytest's own forty frames."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "/_pytest/" not in f.filename and "/pluggy/" not in f.filename]
    return "".join(traceback.format_list(own) + traceback.format_exception_only(error))


def _end_job(reason: str, error: BaseException | None) -> NoReturn:
    _say(f"{_State.nodeid[:300]}: {reason}")
    if error is not None:
        _say(_own_traceback(error))
    _record(test=_State.nodeid, outcome="failed", reason=reason)
    time.sleep(0.3)  # the launcher passes the lines on
    COMM.Abort(70)
    raise SystemExit(70)


def _agree(outcome: int, error: BaseException | None) -> None:
    """Exchange outcomes with the other ranks; raise where another rank fared worse or is elsewhere. Collective."""
    place = int.from_bytes(hashlib.sha256(_State.nodeid.encode()).digest()[:7], "big")
    mine = np.array([outcome, place], dtype=np.int64)
    everyone = np.empty((SIZE, 2), dtype=np.int64)
    request = COMM.Iallgather(mine, everyone)
    deadline = time.monotonic() + (TEST_LIMIT if outcome == PASSED else FAILED_WAIT)
    pause = 0.0
    while not request.Test():
        if time.monotonic() > deadline:
            _end_job("this rank is done, others are stuck in the test; the job ends", error)
        time.sleep(pause)
        pause = min(0.01, pause + 1e-4)
    if (everyone[:, 1] != place).any():
        _end_job("other ranks are running another test; the job ends", error)
    _State.rank0_tells = everyone[0, 0] == FAILED
    others = [r for r in range(SIZE) if everyone[r, 0] != outcome]
    if others and outcome not in (FAILED, ELSEWHERE):
        raise FailedElsewhere(f"outcome differs on rank(s) {others}; their output tells why", pytrace=False)


def _in_step(phase: Generator[None, object, object]) -> Iterator[None]:
    """Run one phase and agree on how it went."""
    outcome, error = PASSED, None
    try:
        yield from phase
    except pytest.skip.Exception as skipped:
        outcome, error = SKIPPED, skipped
    except FailedElsewhere as failure:
        outcome, error = ELSEWHERE, failure
    except BaseException as failure:  # rethrown below
        outcome, error = FAILED, failure
    _agree(outcome, error)
    if error is not None:
        raise error


def _phase() -> Generator[None, object, object]:
    return (yield)


def _has_fixtures(item: pytest.Item) -> bool:
    """Whether anything but the test itself can fail: three agreements a test took longer than many tests."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return bool(set(getattr(item, "fixturenames", ())) - set(parameters))


def _example_in_step(example: Callable[..., object]) -> Callable[..., object]:
    """Hypothesis replays a failing example: all ranks must see it fail, or only one would replay."""

    @wraps(example)
    def in_step(*args: Any, **kwargs: Any) -> None:
        outcome, error = PASSED, None
        try:
            example(*args, **kwargs)
        except hypothesis.errors.UnsatisfiedAssumption:
            raise  # decided by the draws, which are the same everywhere
        except Exception as failure:
            outcome, error = FAILED, failure
        _agree(outcome, error)
        if error is not None:
            raise error

    return in_step


def pytest_configure() -> None:
    """Keep the real stderr; open the results file."""
    _State.stderr = os.fdopen(os.dup(2), "w")
    if RESULTS is not None:
        # "x": a test that starts pytest with this very folder would empty the records of its own run.
        _State.results = (RESULTS / f"rank{RANK}.jsonl").open("x")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Rank 0 prints the progress; the others write theirs into the results folder or nowhere."""
    if RANK != 0:
        reporter = session.config.pluginmanager.getplugin("terminalreporter")
        reporter._tw._file = (RESULTS / f"rank{RANK}.txt" if RESULTS else pathlib.Path(os.devnull)).open("w")


def pytest_internalerror(excrepr: object) -> None:
    """One rank that leaves would keep the others waiting."""
    if SIZE > 1:
        _end_job(f"pytest itself failed; the job ends\n{excrepr}", None)


def _some_cases(items: list[pytest.Item], one_in: int) -> list[pytest.Item]:
    """One in so many cases of each parametrised test, drawn by their names, its first among them; with one rank more
    others are drawn.
    """
    kept, functions = [], set()
    for item in items:
        function = item.nodeid.split("[", 1)[0]
        drawn = (hashlib.sha256(item.nodeid.encode()).digest()[0] + SIZE) % one_in == 0
        if drawn or function not in functions:
            kept.append(item)
        functions.add(function)
    return kept


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Check that all ranks found the same tests, skip by rank count, keep hypothesis examples in step."""
    items[:] = _some_cases(items, int(os.environ.get("EQUIHEAT_CASES", "1")))
    _State.nodeid = "collection of " + " ".join(item.nodeid for item in items)
    if SIZE > 1:
        _agree(FAILED if session.testsfailed else PASSED, None)
    gc.collect()
    gc.freeze()
    for item in items:
        marker = item.get_closest_marker("ranks")
        if marker and SIZE not in marker.args:
            item.add_marker(pytest.mark.skip(reason=f"runs at {marker.args} ranks"))
        handle = getattr(getattr(item, "obj", None), "hypothesis", None)
        if handle is not None and SIZE > 1:
            handle.inner_test = _example_in_step(handle.inner_test)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Watch the clock of each test."""
    _State.nodeid = item.nodeid
    _record(test=item.nodeid, outcome="started")
    faulthandler.dump_traceback_later(TEST_LIMIT, exit=True, file=_State.stderr)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


if SIZE > 1:

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
        """Fixtures, in step."""
        return (yield from _in_step(_phase()) if _has_fixtures(item) else _phase())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call() -> Generator[None, object, object]:
        """The test, in step."""
        return (yield from _in_step(_phase()))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
        """What ends a fixture, in step; garbage that owns communicators goes at the same point on all ranks."""
        result = yield from _in_step(_phase()) if _has_fixtures(item) else _phase()
        gc.collect(0)
        return result


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record outcomes; print failures at once, with the rank."""
    if report.when == "call" or report.outcome != "passed":
        told = {"told": report.longreprtext} if report.failed else {}
        seconds = round(report.duration, 3)
        _record(test=report.nodeid, outcome=report.outcome, phase=report.when, seconds=seconds, **told)
    if report.failed and SIZE > 1 and (RANK == 0 or not _State.rank0_tells):
        _say(f"FAILED {report.nodeid} ({report.when})\n{report.longreprtext}")


@pytest.fixture(scope="session")
def comm() -> MPI.Intracomm:
    """The world communicator of mpi4py."""
    return MPI.COMM_WORLD
