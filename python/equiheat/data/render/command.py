# SPDX-License-Identifier: BSD-3-Clause
"""``equiheat render``: a data set in 3DIEBench's layout."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from equiheat.communication import Communicator, get_comm
from equiheat.data.bench3d import LATENTS, objects_of
from equiheat.data.counter import uniform
from equiheat.data.render.meshes import Thing, mesh_files, parametric
from equiheat.data.render.scene import RANGES, Scene, centred, render_view

_STREAM = 92


@dataclass(frozen=True)
class RenderCommand:
    """Render views of objects: OUT/<class>/<object>/image_<i>.jpg and latent_<i>.npy, and the lists of both parts.

    What is there already is left as it is, so that a run that was stopped goes on. Views are drawn from (seed, class,
    object, view), the same at any number of ranks.

    Parameters
    ----------
    out
        Folder of the data set.
    meshes
        Folder of meshes (OBJ, glTF, PLY, STL; ShapeNet's layout); without it parametric shapes are rendered.
    objects
        Parametric shapes of each class.
    views
        Of each object.
    seed
        Of shapes and views.
    limit
        Render at most so many objects, spread evenly; 0 means all.
    scene
        Camera, lights, resolution.
    """

    out: Path
    meshes: Path | None = None
    objects: int = 20
    views: int = 50
    seed: int = 0
    limit: int = 0
    scene: Scene = field(default_factory=Scene)


def render(
    command: RenderCommand,
    *,
    comm: Communicator | None = None,
    report: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Render a data set; objects go round the ranks. Collective.

    Parameters
    ----------
    command
        What to do.
    comm
        Ranks; the default communicator when omitted.
    report
        Told (done, of) objects of this rank.

    Returns
    -------
    list of str
        Objects that could not be rendered, with the reason; the same on every rank.
    """
    comm = get_comm() if comm is None else comm
    for name in ("objects", "limit"):
        if getattr(command, name) < (name == "objects"):
            raise ValueError(f"render: {name} is {getattr(command, name)}; expected {int(name == 'objects')} or more")
    if command.views < 2:
        raise ValueError(f"render: views is {command.views}; pairs of views need 2 or more")
    things = _things(command)
    own = things[comm.rank :: comm.size]
    failed: list[str] = []
    for number, thing in enumerate(own):
        try:
            _render_object(thing, command)
        except (ValueError, OSError, IndexError, KeyError, AttributeError, TypeError) as error:
            failed.append(f"{thing.synset}/{thing.name} ({error})")  # a mesh file can be broken in any way
        if report is not None:
            report(number + 1, len(own))
    text = comm.allgatherv(torch.tensor(list("\n".join([*failed, ""]).encode()), dtype=torch.uint8))
    everywhere = sorted(line for line in bytes(text.tolist()).decode(errors="replace").split("\n") if line)
    if comm.rank == 0:
        _write_lists(command.out)
    comm.barrier()
    return everywhere


def _things(command: RenderCommand) -> list[Thing]:
    if command.meshes is None:
        things = parametric(command.objects, seed=command.seed)
    else:
        things = mesh_files(command.meshes)
    count = min(command.limit or len(things), len(things))
    return [things[n * len(things) // count] for n in range(count)]


def latents_of(thing: Thing, views: int, seed: int) -> NDArray[np.float64]:
    """Latents (views, 7) of an object, by its class and name."""
    key = (seed, _STREAM, *f"{thing.synset}/{thing.name}".encode())
    draws = uniform(key, torch.arange(views), len(LATENTS)).double().numpy()
    low, high = (np.array([RANGES[name][end] for name in LATENTS]) for end in (0, 1))
    return low + (high - low) * draws


def _render_object(thing: Thing, command: RenderCommand) -> None:
    folder = command.out / thing.synset / thing.name
    missing = [view for view in range(command.views) if not (folder / f"image_{view}.jpg").is_file()]
    if not missing:
        return
    mesh: Any = centred(thing.load(), command.scene.radius)
    latents = latents_of(thing, command.views, command.seed)
    folder.mkdir(parents=True, exist_ok=True)
    for view in missing:
        picture = Image.fromarray(render_view(mesh, latents[view], command.scene))
        np.save(folder / f"latent_{view}.npy", latents[view])
        temporary = folder / f".image_{view}.{os.getpid()}.jpg"
        picture.save(temporary, quality=95)
        temporary.replace(folder / f"image_{view}.jpg")  # the last thing that appears


def _write_lists(out: Path) -> None:
    """Lists of the objects of both parts, every fifth object of a class on the side of "val", and their classes."""
    for name in ("train_images.npy", "val_images.npy"):
        (out / name).unlink(missing_ok=True)
    try:
        everything = objects_of(out, "all")
    except FileNotFoundError:
        return
    classes = sorted({name.split("/")[0] for name in everything})
    parts = {part: _part(out, part) for part in ("train", "val")}
    for part, names in parts.items():
        np.save(out / f"{part}_images.npy", np.array([f"/{name}" for name in names], dtype=str))
        np.save(out / f"{part}_labels.npy", np.array([classes.index(n.split("/")[0]) for n in names], dtype=np.int64))


def _part(out: Path, part: str) -> list[str]:
    try:
        return objects_of(out, part)
    except FileNotFoundError:  # fewer than five objects of any class
        return []


def run(command: RenderCommand) -> None:
    """Render with a progress bar on rank 0; say what could not be rendered, and raise when nothing could."""
    from equiheat.ssl.logging import ProgressBar

    comm = get_comm()
    things = _things(command)
    total = len(things[comm.rank :: comm.size])
    with ProgressBar("render", total=total, visible=comm.rank == 0) as bar:
        failed = render(command, comm=comm, report=lambda done, of: bar.advance(f"{done} of {of} objects of rank 0"))
    if not failed:
        return
    more = f" and {len(failed) - 10} more" if len(failed) > 10 else ""
    told = f"{len(failed)} of {len(things)} objects could not be rendered: {', '.join(failed[:10])}{more}"
    if len(failed) == len(things):
        raise ValueError(told)
    if comm.rank == 0:
        sys.stderr.write(f"render: {told}\n")
