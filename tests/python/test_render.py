# SPDX-License-Identifier: BSD-3-Clause
"""Rendering: the scene's geometry, the data set's layout, resuming, and the same pictures at any rank count."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from mpi4py import MPI
from PIL import Image
from test_ssl_data import folder, write  # noqa: F401 (a fixture)

from equiheat.cli import main
from equiheat.communication import Communicator, get_comm
from equiheat.data import Objects3D
from equiheat.data.bench3d import LATENTS
from equiheat.data.render import RenderCommand, Scene, render, render_view
from equiheat.data.render.command import latents_of
from equiheat.data.render.meshes import SHAPES, mesh_files, parametric
from equiheat.data.render.scene import RANGES, camera_rays, centred, rotation_matrix, spherical
from equiheat.data.rotations import from_euler

trimesh = pytest.importorskip("trimesh")
pytest.importorskip("embreex")
TINY = Scene(size=16, samples=1)


def test_rotations_are_scipys_extrinsic_ones():
    rotation = pytest.importorskip("scipy.spatial.transform").Rotation
    angles = np.array([0.3, -1.2, 0.7])
    wanted = rotation.from_euler("xyz", angles)
    np.testing.assert_allclose(rotation_matrix(angles), wanted.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(from_euler(torch.from_numpy(angles)).numpy(), wanted.as_quat(), atol=1e-12)


def test_camera_looks_at_the_origin_from_where_it_should():
    eye, directions = camera_rays(Scene(size=2, samples=1))
    np.testing.assert_allclose(eye, 2.5 * np.array([0, np.sqrt(0.5), np.sqrt(0.5)]), atol=1e-12)
    middle = directions.mean(axis=0)
    np.testing.assert_allclose(middle / np.linalg.norm(middle), -eye / 2.5, atol=1e-12)
    assert directions[0, 2] > directions[2, 2]  # the first row is the upper one


def test_a_ball_is_where_geometry_says_and_casts_a_shadow():
    scene = Scene(size=64, samples=1, radius=0.5 * np.sqrt(3), sun=0.0, ambient=0.05)
    ball = centred(trimesh.creation.icosphere(subdivisions=4, radius=3.0), scene.radius)
    np.testing.assert_allclose(ball.bounds, [[-0.5] * 3, [0.5] * 3], atol=1e-3)
    ball.visual = trimesh.visual.ColorVisuals(ball, face_colors=[255, 255, 255, 255])
    latents = np.array([0, 0, 0, 0.5, 0.0, 0.0, 0.0])  # the lamp, red, straight above
    picture = render_view(ball, latents, scene).astype(int)
    eye, directions = camera_rays(scene)
    inside = np.linalg.norm(np.cross(np.broadcast_to(eye, directions.shape), directions), axis=1) < 0.49
    inside = inside.reshape(64, 64)
    assert (picture[inside][:, 1] <= picture[inside][:, 0]).all()  # white in red light
    floor = eye + directions * ((scene.floor - eye[2]) / directions[:, 2])[:, None]
    apart = np.linalg.norm(floor[:, :2], axis=1).reshape(64, 64)
    reach = 0.5 / np.sqrt(4**2 - 0.5**2) * 5  # radius of the shadow's circle on the floor
    seen = ~inside & (np.linalg.norm(np.cross(eye, directions), axis=1).reshape(64, 64) > 0.53)
    dark, bright = seen & (apart < 0.9 * reach), seen & (apart > 1.15 * reach) & (apart < 1.4)
    assert dark.any()
    assert picture[dark][:, 0].max() < picture[bright][:, 0].min()


def test_latents_are_in_range_and_keyed_by_the_object():
    thing = parametric(1, seed=0)[0]
    latents = latents_of(thing, 200, 3)
    for column, name in enumerate(LATENTS):
        low, high = RANGES[name]
        assert low <= latents[:, column].min() < low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) < latents[:, column].max() <= high
    np.testing.assert_array_equal(latents_of(thing, 5, 3), latents[:5])
    assert not np.array_equal(latents_of(thing._replace(name="x"), 5, 3), latents[:5])
    np.testing.assert_allclose(np.linalg.norm(spherical(4.0, 0.3, 1.0)), 4.0)


def pictures(root):
    return {str(f.relative_to(root)): f.read_bytes() for f in sorted(root.rglob("*")) if f.is_file()}


def test_the_same_data_set_at_any_rank_count_and_after_a_stop(folder):  # noqa: F811
    command = RenderCommand(folder / "together", objects=1, views=2, scene=TINY)
    assert render(command) == []
    if get_comm().rank == 0:
        alone = dataclasses.replace(command, out=folder / "alone")
        render(alone, comm=Communicator(MPI.COMM_SELF))
        wanted = pictures(folder / "alone")
        assert pictures(folder / "together") == wanted
        assert len(wanted) == len(SHAPES) * 4 + 4
        image = folder / "alone" / "mug" / "0000" / "image_1.jpg"
        kept = image.with_name("image_0.jpg").stat().st_mtime_ns
        image.unlink()
        render(alone, comm=Communicator(MPI.COMM_SELF))
        assert pictures(folder / "alone") == wanted
        assert image.with_name("image_0.jpg").stat().st_mtime_ns == kept
    get_comm().barrier()
    data = Objects3D(folder / "together", size=8, part="train")
    assert (len(data), data.views) == (len(SHAPES), 2)
    assert data.batch(torch.arange(3), 0).parameters1["quaternion"].shape == (3, 4)


def test_meshes_of_a_folder_and_those_that_are_broken(folder):  # noqa: F811
    def make():
        place = folder / "meshes" / "02691156" / "10155655" / "models"
        place.mkdir(parents=True)
        box = trimesh.creation.box()
        box.visual = trimesh.visual.TextureVisuals(
            uv=np.zeros((len(box.vertices), 2)), image=Image.new("RGB", (2, 2), (255, 0, 0))
        )
        box.export(place / "model_normalized.obj")
        (folder / "meshes" / "chair").mkdir()
        (folder / "meshes" / "chair" / "bad.obj").write_text("v 0 0 0\nf 1 2 9\n")

    write(make)
    assert [(t.synset, t.name) for t in mesh_files(folder / "meshes")] == [("02691156", "10155655"), ("chair", "bad")]
    failed = render(RenderCommand(folder / "out", meshes=folder / "meshes", views=2, scene=TINY))
    assert len(failed) == 1
    assert failed[0].startswith("chair/bad (")
    pixels = np.asarray(Image.open(folder / "out" / "02691156" / "10155655" / "image_0.jpg")).astype(int)
    assert (pixels[8, 8, 0] > pixels[8, 8, 1:] + 20).all()  # the texture's red
    with pytest.raises(FileNotFoundError, match="no mesh below"):
        mesh_files(folder / "none")
    with pytest.raises(ValueError, match="views is 1"):
        render(RenderCommand(folder / "out", views=1))


def test_degenerate_meshes_are_skipped_and_named(folder, capfd):  # noqa: F811
    def make():
        (folder / "bad" / "chair").mkdir(parents=True)
        line = "v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n"
        (folder / "bad" / "chair" / "line.obj").write_text(line)
        (folder / "bad" / "chair" / "point.obj").write_text(line.replace("1", "0", 1).replace("v 2", "v 0"))

    write(make)
    arguments = ["render", "--out", str(folder / "out"), "--meshes", str(folder / "bad"), "--views", "2"]
    arguments += ["--scene.size", "16", "--scene.samples", "1"]
    assert main(arguments) == 2  # nothing was rendered
    told = capfd.readouterr().err
    assert ("2 of 2 objects could not be rendered: chair/line (degenerate" in told) == (get_comm().rank == 0)
    write(lambda: trimesh.creation.box().export(folder / "bad" / "chair" / "whole.obj"))
    assert main(arguments) == 0
    assert ("2 of 3 objects could not be rendered" in capfd.readouterr().err) == (get_comm().rank == 0)
    with Image.open(folder / "out" / "chair" / "whole" / "image_1.jpg") as picture:
        assert picture.size == (16, 16)


def test_scenes_without_a_picture_are_refused():
    for name, value in (("size", 0), ("samples", 0), ("radius", 0.0), ("view", 180.0), ("sun", -1.0)):
        with pytest.raises(ValueError, match=f"Scene: {name} is {value}; expected"):
            Scene(**{name: value})
