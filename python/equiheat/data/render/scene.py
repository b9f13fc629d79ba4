# SPDX-License-Identifier: BSD-3-Clause
"""3DIEBench's scene, by ray casting: an object over a floor, a white sun, a coloured spot light with shadows."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equiheat.data.bench3d import LATENTS

Array = NDArray[np.float64]

#: Smallest and largest value of each latent; uniform in between.
RANGES = dict(
    zip(
        LATENTS,
        (*((-np.pi / 2, np.pi / 2),) * 3, (0.0, 1.0), (0.0, np.pi / 4), (0.0, 2 * np.pi), (0.0, 1.0)),
        strict=True,
    )
)


@dataclass(frozen=True)
class Scene:
    """What the published description fixes, and what it leaves open.

    Parameters
    ----------
    size
        Side of the image in pixels.
    samples
        Rays along each side of a pixel.
    distance, polar, azimuth
        Of the camera, which looks at the origin.
    view
        Angle of view in degrees (open; that of a 50 mm lens).
    floor
        Height of the floor.
    radius
        Half diagonal of the object's box after scaling (open).
    light_distance, cone
        Of the spot, and the half angle of its cone.
    sun, spot, ambient
        Strengths of the lights (open; the sun shines from above and casts no shadow).
    """

    size: int = 256
    samples: int = 2
    distance: float = 2.5
    polar: float = np.pi / 4
    azimuth: float = np.pi / 2
    view: float = 39.6
    floor: float = -1.0
    radius: float = 0.75
    light_distance: float = 4.0
    cone: float = np.pi / 8
    sun: float = 0.6
    spot: float = 0.9
    ambient: float = 0.15

    def __post_init__(self) -> None:
        for name in ("size", "samples"):
            if getattr(self, name) < 1:
                raise ValueError(f"Scene: {name} is {getattr(self, name)}; expected 1 or more")
        for name in ("distance", "radius", "light_distance", "cone"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"Scene: {name} is {getattr(self, name)}; expected a positive number")
        for name in ("sun", "spot", "ambient"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(f"Scene: {name} is {getattr(self, name)}; expected 0 or more")
        if not 0 < self.view < 180:
            raise ValueError(f"Scene: view is {self.view}; expected degrees between 0 and 180")


def spherical(distance: float, polar: float, azimuth: float) -> Array:
    """Point (3,) at a distance, polar angle from the z axis, azimuth from the x axis."""
    flat = np.sin(polar)
    return distance * np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.cos(polar)])


def rotation_matrix(angles: Array) -> Array:
    """Matrix (3, 3) of rotations about the fixed axes x, then y, then z."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(angles), np.cos(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def centred(mesh: Any, radius: float) -> Any:
    """Copy of a mesh with the centre of its box at the origin and half the box's diagonal equal to ``radius``."""
    mesh = mesh.copy()
    low, high = mesh.bounds
    mesh.apply_translation(-(low + high) / 2)
    mesh.apply_scale(2 * radius / max(float(np.linalg.norm(high - low)), 1e-12))
    return mesh


def camera_rays(scene: Scene) -> tuple[Array, Array]:
    """Origin (3,) and unit directions (R, 3) of all rays, row by row from the top left."""
    eye = spherical(scene.distance, scene.polar, scene.azimuth)
    forward = -eye / np.linalg.norm(eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    count = scene.size * scene.samples
    steps = ((np.arange(count) + 0.5) / count * 2 - 1) * np.tan(np.radians(scene.view) / 2)
    x, y = np.meshgrid(steps, -steps)
    directions = forward + x[..., None] * right + y[..., None] * up
    directions = directions.reshape(-1, 3)
    return eye, directions / np.linalg.norm(directions, axis=1, keepdims=True)


def render_view(mesh: Any, latents: Array, scene: Scene) -> NDArray[np.uint8]:
    """Picture (size, size, 3) of a `centred` mesh with seven latents in the order of ``LATENTS``. No communication."""
    latents = np.asarray(latents, dtype=np.float64)
    turned = mesh.copy()
    transform = np.eye(4)
    transform[:3, :3] = rotation_matrix(latents[:3])
    turned.apply_transform(transform)
    eye, directions = camera_rays(scene)
    points, normals, colors = _hits(turned, eye, directions, latents[3], scene)
    shade = colors * _light(turned, points, normals, latents, scene)
    sharp = np.clip(shade, 0, 1).reshape(scene.size, scene.samples, scene.size, scene.samples, 3).mean(axis=(1, 3))
    return (255 * sharp ** (1 / 2.2)).round().astype(np.uint8)


def _hits(mesh: Any, eye: Array, directions: Array, floor_hue: float, scene: Scene) -> tuple[Array, Array, Array]:
    """Where the rays end, with the normal towards the camera and the colour there; (R, 3) each."""
    faces = np.asarray(mesh.ray.intersects_first(np.broadcast_to(eye, directions.shape), directions))
    met = faces >= 0
    with np.errstate(divide="ignore"):
        far = np.where(directions[:, 2] < -1e-9, (scene.floor - eye[2]) / directions[:, 2], 1e3)
    normals = np.tile([0.0, 0.0, 1.0], (len(directions), 1))
    colors = np.tile(colorsys.hsv_to_rgb(floor_hue, 0.6, 0.6), (len(directions), 1))
    own = faces[met]
    flat = mesh.face_normals[own]
    corner = mesh.triangles[own][:, 0]
    slope = (flat * directions[met]).sum(axis=1)
    far[met] = ((corner - eye) * flat).sum(axis=1) / np.where(np.abs(slope) < 1e-12, 1e-12, slope)
    normals[met] = np.where(slope[:, None] > 0, -flat, flat)
    colors[met] = face_colors(mesh)[own]
    return eye + far[:, None] * directions, normals, colors


def face_colors(mesh: Any) -> Array:
    """Colour (F, 3), 0 to 1, of every face: the texture's at its middle, the face's own, or grey without either."""
    visual = mesh.visual
    try:
        if visual.kind == "texture":
            colors = np.asarray(visual.material.to_color(np.asarray(visual.uv)[mesh.faces].mean(axis=1)))
        else:
            colors = np.asarray(visual.face_colors)
        if colors.shape == (len(mesh.faces), 4):
            return colors[:, :3] / 255.0
    except (AttributeError, ValueError, IndexError, TypeError):  # broken material files: trimesh raises what it meets
        pass
    return np.full((len(mesh.faces), 3), 0.7)


def _light(mesh: Any, points: Array, normals: Array, latents: Array, scene: Scene) -> Array:
    """Light (R, 3) that reaches points: ambient, sun, and the spot where nothing is in its way."""
    lamp = spherical(scene.light_distance, latents[4], latents[5])
    towards = lamp - points
    distance = np.linalg.norm(towards, axis=1)
    towards /= distance[:, None]
    facing = np.clip((normals * towards).sum(axis=1), 0, None)
    angle = np.arccos(np.clip((towards @ lamp) / scene.light_distance, -1, 1))
    lit = np.flatnonzero((facing > 0) & (angle < scene.cone))
    start = points[lit] + 1e-4 * normals[lit]
    shadow = np.asarray(mesh.ray.intersects_any(start, towards[lit])) if len(lit) else np.zeros(0, dtype=bool)
    strength = np.zeros(len(points))
    edge = np.clip((scene.cone - angle[lit]) / (0.15 * scene.cone), 0, 1)
    strength[lit] = scene.spot * edge * facing[lit] * (scene.light_distance / distance[lit]) ** 2 * ~shadow
    hue = np.array(colorsys.hsv_to_rgb(latents[6], 1.0, 0.8))
    sun = scene.ambient + scene.sun * np.clip(normals[:, 2], 0, None)
    return sun[:, None] + strength[:, None] * hue
