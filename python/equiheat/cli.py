# SPDX-License-Identifier: BSD-3-Clause
"""The command ``equiheat``: one sub-command per job."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TextIO, TypeVar

from equiheat._version import __version__

T = TypeVar("T")


class Command(NamedTuple):
    """A sub-command: what it does in a line, and the function of the arguments that follow its name."""

    summary: str
    run: Callable[[Sequence[str]], object]


def _parsed(parser: Callable[[], T]) -> T:
    """What a parser of arguments returns; its help and its complaints are the same on all ranks, rank 0 prints them."""
    from equiheat.communication import get_comm

    if get_comm().rank == 0:
        return parser()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return parser()


def _pretrain(arguments: Sequence[str]) -> None:
    from equiheat.ssl.pretrain import parse, run

    run(_parsed(lambda: parse(arguments)))


def _probe(arguments: Sequence[str]) -> None:
    import tyro

    from equiheat.ssl.probes.command import ProbeCommand, run

    run(_parsed(lambda: tyro.cli(ProbeCommand, prog="equiheat probe", args=list(arguments))))


def _render(arguments: Sequence[str]) -> None:
    import tyro

    from equiheat.data.render.command import RenderCommand, run

    run(_parsed(lambda: tyro.cli(RenderCommand, prog="equiheat render", args=list(arguments))))


def _report(arguments: Sequence[str]) -> None:
    import tyro

    from equiheat.ssl.report import ReportCommand, run

    run(_parsed(lambda: tyro.cli(ReportCommand, prog="equiheat report", args=list(arguments))))


def _export(arguments: Sequence[str]) -> None:
    import tyro

    from equiheat.ssl.export import ExportCommand, run

    run(_parsed(lambda: tyro.cli(ExportCommand, prog="equiheat export", args=list(arguments))))


def _bench(arguments: Sequence[str]) -> None:
    from equiheat.bench.comm import parse, run

    run(_parsed(lambda: parse(arguments)))


COMMANDS = {
    "bench": Command("measure this machine: the collectives by size", _bench),
    "pretrain": Command("train an encoder on a folder of images", _pretrain),
    "render": Command("render views of objects in 3DIEBench's layout", _render),
    "report": Command("compare runs in one HTML file", _report),
    "export": Command("write a trained encoder for timm, torch or ONNX", _export),
    "probe": Command("judge an encoder by what its frozen features tell", _probe),
}
#: Packages of the extra ssl.
_TRAINING = ("kornia", "matplotlib", "PIL", "rich", "safetensors", "tensorboardX", "tyro")
#: Mistakes of the user: they end in one line, not in a traceback. All ranks raise them or none does.
_MISTAKES = (ValueError, OSError, ImportError)


def usage() -> str:
    """The list of sub-commands."""
    lines = "\n".join(f"  {name:<10} {command.summary}" for name, command in COMMANDS.items())
    last = "equiheat <command> --help lists its options, equiheat --version tells the version."
    return f"usage: equiheat <command> [options]\n\n{lines}\n\n{last}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sub-command; returns the exit status: 0, or 2 for a mistake in the arguments or the input."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] in ("-h", "--help"):
        _say(usage(), sys.stdout)
        return 0
    if arguments[0] == "--version":
        _say(f"equiheat {__version__}\n", sys.stdout)
        return 0
    name = arguments[0]
    if name not in COMMANDS:
        _say(f"equiheat: unknown command {name!r}\n\n{usage()}", sys.stderr)
        return 2
    try:
        COMMANDS[name].run(arguments[1:])
    except _MISTAKES as error:
        if not _everybody_arrives():
            raise
        _say(f"equiheat {name}: {error}{_advice(error)}\n", sys.stderr)
        return 2
    return 0


def _advice(error: Exception) -> str:
    """How to get a package that training needs and an installation without extras lacks."""
    missing = isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in _TRAINING
    return "; pip install 'equiheat[ssl]' brings it" if missing else ""


def cli() -> None:
    """The command, as the process's own program (Heat's name of it)."""
    sys.exit(main())


def plaform_info() -> None:
    """Print what is installed and how the core was built, on rank 0 (Heat's name and spelling)."""
    from equiheat.__main__ import main as report

    report()


def _everybody_arrives(seconds: float = 10.0) -> bool:
    """Whether all ranks get here in time. A mistake that only some ranks see must end the job, not hang it."""
    from mpi4py import MPI

    request = MPI.COMM_WORLD.Ibarrier()
    deadline = time.monotonic() + seconds
    while not request.Test():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _say(text: str, stream: TextIO) -> None:
    from equiheat.communication import get_comm

    if get_comm().rank == 0:
        stream.write(text)


if __name__ == "__main__":
    sys.exit(main())
