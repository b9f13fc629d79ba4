# SPDX-License-Identifier: BSD-3-Clause
"""Objects to render: mesh files of a folder, or shapes made from parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from equiheat.data.counter import uniform

SUFFIXES = frozenset({".obj", ".glb", ".gltf", ".ply", ".stl", ".off"})
#: File names that say nothing; the folder above names the object (ShapeNet).
_ANONYMOUS = ("model_normalized", "model", "models")


class Thing(NamedTuple):
    """An object: its class, its name, and how to get its mesh."""

    synset: str
    name: str
    load: Callable[[], Any]


def _trimesh() -> Any:
    try:
        import embreex  # noqa: F401 (trimesh would fall back to a ray caster in Python)
        import trimesh
    except ImportError as error:
        raise ImportError(
            "equiheat render needs the packages trimesh and embreex; install them with: pip install 'equiheat[render]'"
        ) from error
    return trimesh


def mesh_files(folder: Path) -> list[Thing]:
    """Every mesh below a folder: the first directory is the class, what follows the name.

    Raises
    ------
    FileNotFoundError
        When there is no folder or no mesh in it.
    """
    trimesh = _trimesh()
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not files:
        raise FileNotFoundError(
            f"render: no mesh below {str(folder.absolute())!r}; expected files ending in {', '.join(sorted(SUFFIXES))}"
        )
    return [Thing(*_name(file.relative_to(folder)), _loader(trimesh, file)) for file in files]


def _name(place: Path) -> tuple[str, str]:
    parts = [part for part in place.with_suffix("").parts if part not in _ANONYMOUS]
    return (parts[0], "_".join(parts[1:])) if len(parts) > 1 else ("object", parts[0] if parts else place.stem)


def _loader(trimesh: Any, file: Path) -> Callable[[], Any]:
    def load() -> Any:
        mesh = trimesh.load(file, force="mesh")
        if not len(getattr(mesh, "faces", ())):
            raise ValueError("no triangles")
        _check_shape(np.asarray(mesh.triangles))
        return mesh

    return load


def _check_shape(triangles: Any) -> None:
    """Refuse what a camera sees nothing of: points at infinity, triangles that all are lines or points."""
    if not np.isfinite(triangles).all():
        raise ValueError("corners at infinity or without a place")
    sides = triangles[:, 1:] - triangles[:, :1]
    area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1).max()
    extent = float(np.ptp(triangles.reshape(-1, 3), axis=0).max())
    if not area > 1e-12 * extent**2:
        raise ValueError("degenerate: all triangles are lines or points")


def parametric(count: int, *, seed: int) -> list[Thing]:
    """``count`` objects of every class of ``SHAPES``, with parameters drawn from (seed, class, number)."""
    trimesh = _trimesh()

    def thing(place: int, shape: str, number: int) -> Thing:
        draws = uniform((seed, 91, place), torch.tensor([number]), 12)[0].double().numpy()
        return Thing(shape, f"{number:04d}", lambda: _painted(trimesh, SHAPES[shape](trimesh, draws), draws))

    return [thing(place, shape, number) for place, shape in enumerate(SHAPES) for number in range(count)]


def _painted(trimesh: Any, parts: Iterator[Any], draws: Any) -> Any:
    """One mesh of parts, each of its own colour."""
    import colorsys

    meshes = []
    for number, part in enumerate(parts):
        color = colorsys.hsv_to_rgb((draws[-1] + 0.13 * number) % 1, 0.25 + 0.4 * draws[-2], 0.9 - 0.1 * (number % 3))
        part.visual = trimesh.visual.ColorVisuals(part, face_colors=[*(np.array(color) * 255).astype(np.uint8), 255])
        meshes.append(part)
    return trimesh.util.concatenate(meshes)


def _box(trimesh: Any, size: tuple[float, float, float], at: tuple[float, float, float]) -> Any:
    mesh = trimesh.creation.box(extents=size)
    mesh.apply_translation(at)
    return mesh


def _tube(trimesh: Any, radius: float, height: float, at: tuple[float, float, float]) -> Any:
    mesh = trimesh.creation.cylinder(radius=radius, height=height, sections=32)
    mesh.apply_translation(at)
    return mesh


def _legs(trimesh: Any, width: float, depth: float, height: float, thick: float) -> Iterator[Any]:
    for x in (-1, 1):
        for y in (-1, 1):
            place = (x * (width - thick) / 2, y * (depth - thick) / 2, height / 2)
            yield _box(trimesh, (thick, thick, height), place)


def _table(trimesh: Any, u: Any) -> Iterator[Any]:
    width, depth, height, thick = 0.8 + u[0], 0.6 + 0.6 * u[1], 0.4 + 0.6 * u[2], 0.05 + 0.08 * u[3]
    yield from _legs(trimesh, width, depth, height, thick)
    yield _box(trimesh, (width, depth, thick), (0, 0, height + thick / 2))


def _chair(trimesh: Any, u: Any) -> Iterator[Any]:
    width, height, back, thick = 0.5 + 0.3 * u[0], 0.35 + 0.3 * u[1], 0.4 + 0.6 * u[2], 0.05 + 0.05 * u[3]
    yield from _legs(trimesh, width, width, height, thick)
    yield _box(trimesh, (width, width, thick), (0, 0, height))
    yield _box(trimesh, (width, thick, back), (0, (thick - width) / 2, height + back / 2))


def _lamp(trimesh: Any, u: Any) -> Iterator[Any]:
    height, shade = 0.7 + 0.6 * u[0], 0.2 + 0.25 * u[1]
    yield _tube(trimesh, 0.15 + 0.2 * u[2], 0.06, (0, 0, 0.03))
    yield _tube(trimesh, 0.03 + 0.03 * u[3], height, (0, 0, height / 2))
    cone = trimesh.creation.cone(radius=shade, height=0.3 + 0.3 * u[4], sections=32)
    cone.apply_translation((0, 0, height - 0.1))
    yield cone


def _mug(trimesh: Any, u: Any) -> Iterator[Any]:
    radius, height = 0.3 + 0.15 * u[0], 0.5 + 0.4 * u[1]
    yield trimesh.creation.annulus(r_min=0.85 * radius, r_max=radius, height=height, sections=32)
    yield _tube(trimesh, 0.86 * radius, 0.06, (0, 0, 0.03 - height / 2))
    handle = trimesh.creation.torus(major_radius=0.18 + 0.08 * u[2], minor_radius=0.04 + 0.02 * u[3])
    handle.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, (1, 0, 0)))
    handle.apply_translation((radius + 0.05, 0, 0))
    yield handle


def _stairs(trimesh: Any, u: Any) -> Iterator[Any]:
    count, rise, run, width = 3 + int(4 * u[0]), 0.1 + 0.1 * u[1], 0.12 + 0.1 * u[2], 0.4 + 0.5 * u[3]
    for step in range(count):
        height = rise * (step + 1)
        yield _box(trimesh, (width, run, height), (0, run * step, height / 2))


def _plane(trimesh: Any, u: Any) -> Iterator[Any]:
    length, span = 1.0 + 0.6 * u[0], 0.8 + 0.7 * u[1]
    yield _box(trimesh, (0.16 + 0.1 * u[2], length, 0.18), (0, 0, 0))
    yield _box(trimesh, (span, 0.2 + 0.15 * u[3], 0.04), (0, 0.1 * length, 0))
    yield _box(trimesh, (0.35 * span, 0.12, 0.04), (0, -0.45 * length, 0.05))
    yield _box(trimesh, (0.04, 0.14, 0.25 + 0.1 * u[4]), (0, -0.45 * length, 0.2))


SHAPES: dict[str, Callable[[Any, Any], Iterator[Any]]] = {
    "chair": _chair,
    "lamp": _lamp,
    "mug": _mug,
    "plane": _plane,
    "stairs": _stairs,
    "table": _table,
}
