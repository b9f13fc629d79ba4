# SPDX-License-Identifier: BSD-3-Clause
"""Probes that need no fitting, probes of objects in two views, encoders that were trained elsewhere."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sklearn.neighbors import KNeighborsClassifier
from test_probe_suite import waves
from test_ssl_data import folder, write  # noqa: F401 (a fixture)
from test_ssl_sources import objects

from equiheat.communication import get_comm
from equiheat.data import Objects3D
from equiheat.data.rotations import from_euler, multiply
from equiheat.data.sharding import share
from equiheat.ssl.checkpoint import write_checkpoint
from equiheat.ssl.collapse import effective_rank as local_rank
from equiheat.ssl.encoders import build_encoder
from equiheat.ssl.probes import (
    FrozenEncoder,
    ImageRows,
    MlpConfig,
    ObjectProbeConfig,
    ProbeConfig,
    effective_rank,
    equivariance_errors,
    foreign_encoder,
    knn_accuracy,
    prediction_retrieval_error,
    probe_objects,
    retrieval,
)
from equiheat.ssl.probes.command import ProbeCommand, run, split_set
from equiheat.ssl.probes.neighbours import nearest
from equiheat.ssl.probes.objects import differences
from equiheat.ssl.probes.small import SMALL


def rows(x):
    start, stop = share(len(x), get_comm())
    return x[start:stop]


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("train", [2, 37])
def test_neighbours_are_scikit_learns(train):
    x, y = numbers(train, 5), torch.arange(train) % 3
    test, wanted = numbers(11, 5, seed=1), torch.arange(11) % 3
    count = min(4, train)
    found = knn_accuracy(
        rows(x), rows(y), rows(test), rows(wanted), classes=3, comm=get_comm(), neighbours=4, temperature=0.07
    )
    weigh = {"metric": "cosine", "weights": lambda distance: np.exp((1 - distance) / 0.07)}
    reference = KNeighborsClassifier(count, algorithm="brute", **weigh).fit(x.numpy(), y.numpy())
    assert found == pytest.approx(reference.score(test.numpy(), wanted.numpy()))
    scores, told = nearest(rows(test), rows(x), rows(torch.arange(train)), count, get_comm())
    exact, order = (test @ x.T).sort(dim=1, descending=True)
    torch.testing.assert_close(scores, rows(exact[:, :count]))
    assert torch.equal(told, rows(order[:, :count]))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_neighbours_of_any_floating_type(dtype):
    x, y = numbers(20, 5).to(dtype), torch.arange(20, dtype=torch.int32) % 3
    found = [
        knn_accuracy(rows(a), rows(y), rows(a), rows(y), classes=3, comm=get_comm(), neighbours=5)
        for a in (x, x.float())
    ]
    assert found[0] == pytest.approx(found[1])


def test_votes_of_a_small_temperature_do_not_overflow():
    x, y = numbers(30, 5), torch.arange(30) % 3  # each row's nearest is the row itself, and it alone counts
    assert knn_accuracy(rows(x), rows(y), rows(x), rows(y), classes=3, comm=get_comm(), temperature=0.005) == 1.0


def test_neighbours_that_cannot_vote_are_refused():
    x, y = numbers(9, 5), torch.arange(9) % 3
    for changes, message in (
        ({"classes": 2}, "3 labels lie outside 0 to 1"),
        ({"neighbours": 0}, "neighbours is 0"),
        ({"temperature": 0.0}, "temperature 0.0"),
    ):
        with pytest.raises(ValueError, match=message):
            knn_accuracy(rows(x), rows(y), rows(x[:0]), rows(y[:0]), **{"classes": 3, "comm": get_comm()} | changes)
    with pytest.raises(ValueError, match="no training rows"):
        knn_accuracy(rows(x[:0]), rows(y[:0]), rows(x), rows(y), classes=3, comm=get_comm())


def test_effective_rank_over_all_ranks():
    x = numbers(23, 6) * torch.tensor([5.0, 3, 1, 0.1, 0, 0])
    assert effective_rank(rows(x), 23, get_comm()) == pytest.approx(local_rank(x.double()), rel=1e-9)


def test_retrieval_counts_ranks():
    views, true = numbers(8, 12, 3), torch.arange(8)
    predicted = views[torch.arange(8), true] + 0.3 * numbers(8, 3, seed=2)
    found = retrieval(rows(predicted), rows(views), rows(true), comm=get_comm())
    cosine = np.einsum("nvd,nd->nv", views.numpy() / np.linalg.norm(views, axis=2, keepdims=True), predicted.numpy())
    place = 1 + (cosine > cosine[np.arange(8), true.numpy()][:, None]).sum(axis=1)
    assert found["mrr"] == pytest.approx((1 / place).mean())
    assert [found["h1"], found["h5"], found["h10"]] == pytest.approx([(place <= k).mean() for k in (1, 5, 10)])
    constant = retrieval(rows(torch.ones(8, 3)), rows(torch.ones(8, 12, 3)), rows(true), comm=get_comm())
    assert constant["mrr"] == pytest.approx(1 / 12)  # an encoder that collapsed finds nothing
    broken = retrieval(rows(predicted * float("nan")), rows(views), rows(true), comm=get_comm())
    assert broken == {"mrr": pytest.approx(1 / 12), "h1": 0, "h5": 0, "h10": 0}  # nor does one of NaN


def test_retrieved_rotations():
    keys, angles = numbers(9, 4), numbers(9, 3, seed=3)
    rotations = from_euler(angles)
    args = (rows(keys), rows(rotations))
    assert prediction_retrieval_error(rows(keys), rows(rotations), *args, comm=get_comm()) == pytest.approx(0, abs=1e-6)
    turned = multiply(rotations, from_euler(torch.tensor([[1.0, 0.0, 0.0]]).expand(9, 3)))
    error = prediction_retrieval_error(rows(keys), rows(turned), *args, comm=get_comm())
    assert error == pytest.approx(np.sin(0.5) ** 2, rel=1e-5)  # half of the angle that lies between them


def test_differences_are_canonical_or_raw():
    first, second = numbers(40, 7), numbers(40, 7, seed=4)
    canonical, raw = differences(first, second), differences(first, second, raw=True)
    assert (canonical["quaternion"][:, 3] >= 0).all()
    assert (raw["quaternion"][:, 3] < 0).any()
    torch.testing.assert_close(canonical["quaternion"].abs(), raw["quaternion"].abs())
    torch.testing.assert_close(canonical["light_hue"][:, 0], second[:, 6] - first[:, 6])


def test_brightness_tells_the_view(folder):  # noqa: F811
    """In these objects the view is the brightness, and every latent is linear in it: all can be read off."""
    write(lambda: objects(folder / "o", count=15))
    encoder = FrozenEncoder("mean", lambda x: x.mean(dim=(2, 3)), {"all": slice(None), "red": slice(0, 1)})
    train, val = (Objects3D(folder / "o", size=8, part=part) for part in ("train", "val"))
    config = ObjectProbeConfig(pairs=6, mlp=MlpConfig(hidden=(8,), epochs=2))
    whole, red = probe_objects(encoder, train, val, config=config)
    assert (whole.part, whole.dims, red.part, red.dims) == ("all", 3, "red", 1)
    assert set(whole.scores) == {"rotation", "color", "all"}
    assert min(whole.scores["color"]["ridge"].per_parameter) > 0.99
    assert len(whole.scores["rotation"]["mlp"].per_parameter) == 4
    assert len(whole.scores["all"]["ridge"].per_parameter) == 8
    with pytest.raises(ValueError, match="pairs is 1"):
        probe_objects(encoder, train, val, config=ObjectProbeConfig(pairs=1))


def test_state_dicts_from_elsewhere(folder):  # noqa: F811
    trained = build_encoder("resnet-lite", image_size=16, seed=7)
    state = trained.backbone.state_dict()

    def make():
        wrapped = {f"module.backbone.{name}": x for name, x in state.items()} | {"module.head.weight": torch.zeros(2)}
        torch.save({"epoch": 3, "state_dict": wrapped}, folder / "wrapped.pth")
        save_file({name: x.clone() for name, x in state.items()}, folder / "plain.safetensors")
        torch.save({"state_dict": {"stem.0.weight": torch.zeros(2)}}, folder / "other.pth")
        torch.save({"model": np.float64}, folder / "code.pth")

    write(make)
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    for name in ("wrapped.pth", "plain.safetensors"):
        encoder = foreign_encoder("resnet-lite", image_size=16, weights=folder / name)
        torch.testing.assert_close(encoder(images).pooled, trained.eval()(images).pooled)
    with pytest.raises(
        ValueError, match=r"'stem\.0\.weight' is \(2,\) in the file, \(16, 3, 3, 3\) in the encoder; it has no"
    ):
        foreign_encoder("resnet-lite", image_size=16, weights=folder / "other.pth")
    with pytest.raises(ValueError, match=r"no state dict that can be read safely.*more than tensors") as caught:
        foreign_encoder("resnet-lite", image_size=16, weights=folder / "code.pth")
    assert "weights_only" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        foreign_encoder("resnet-lite", image_size=16, weights=folder / "none.pth")


def test_small_transformations_of_features_that_are_known():
    images = waves(48)
    train, test = (ImageRows.of(part, get_comm()) for part in split_set(images))
    colour = FrozenEncoder("mean", lambda x: x.mean(dim=(2, 3)), {"all": slice(None)})
    pixel = FrozenEncoder("constant", lambda x: torch.zeros(len(x), 2) + x[:, :2, 8, 8] * 0, {"all": slice(None)})
    found = equivariance_errors(colour, train, test)
    assert set(found) == set(SMALL)
    assert found["blur"].invariance < 1e-3  # the mean colour does not see a blur with reflected borders
    assert found["brightness"].invariance > 10 * found["blur"].invariance
    assert found["brightness"].equivariance < 0.2  # a factor, but for what is clipped
    assert equivariance_errors(pixel, train, test)["rotation"] == (0.0, 0.0)


def test_command_on_objects(folder, capfd):  # noqa: F811
    write(lambda: objects(folder / "o", count=15))
    command = ProbeCommand(
        folder / "o",
        encoder="resnet-lite",
        image_size=8,
        out=folder / "out",
        objects=ObjectProbeConfig(pairs=4, methods=("ridge",)),
    )
    rows = run(command)
    assert [name for name, _ in rows] == ["random init", "resnet-lite"]
    assert ("rotation, pooled" in capfd.readouterr().out) == (get_comm().rank == 0)
    written = json.loads((folder / "out" / "objects.json").read_text())
    assert written["rows"][0]["scores"]["color"]["ridge"]["pooled"] == rows[0][1].scores["color"]["ridge"].pooled
    with pytest.raises(ValueError, match="give either a checkpoint"):
        run(ProbeCommand(folder / "o"))


def test_weights_of_which_it_is_not_clear_whose_they_are(folder):  # noqa: F811
    state = build_encoder("resnet-lite", image_size=16, seed=7).backbone.state_dict()

    def make():
        both = {f"student.{name}": x + 1 for name, x in state.items()} | {
            f"teacher.{name}": x for name, x in state.items()
        }
        torch.save(both, folder / "both.pth")
        torch.save({f"{part}.{name}": x for name, x in state.items() for part in ("a", "teacher")}, folder / "one.pth")
        twice = {f"{part}.{name}": x.clone() for name, x in state.items() for part in ("student", "teacher")}
        torch.save(twice, folder / "same.pth")
        write_checkpoint(folder / "ours.safetensors", {f"encoder.{name}": x for name, x in state.items()}, {})

    write(make)
    with pytest.raises(ValueError, match=r"'student\..*' and 'teacher\..*' are both '.*' of the encoder"):
        foreign_encoder("resnet-lite", image_size=16, weights=folder / "both.pth")
    for name in ("one", "same"):
        found = foreign_encoder("resnet-lite", image_size=16, weights=folder / f"{name}.pth").backbone.state_dict()
        assert all(torch.equal(x, found[key]) for key, x in state.items())
    with pytest.raises(ValueError, match="is a checkpoint of equiheat; give it as --checkpoint"):
        foreign_encoder("resnet-lite", image_size=16, weights=folder / "ours.safetensors")


def test_options_that_would_be_ignored_are_refused(folder):  # noqa: F811
    write(lambda: (objects(folder / "o"), (folder / "flat").mkdir()))
    ours, flat, objects3d = folder / "last.safetensors", folder / "flat", folder / "o"
    refused = [
        ({"checkpoint": ours, "weights": folder / "x.pth"}, flat, "--weights is for --encoder"),
        ({"checkpoint": ours, "pretrained": True}, flat, "--pretrained is for --encoder"),
        ({"checkpoint": ours, "image_size": 64}, flat, "--image-size is for --encoder"),
        ({"encoder": "resnet-lite", "pretrained": True, "weights": ours}, flat, "give one of them"),
        ({"checkpoint": ours, "test_limit": 5}, flat, "--test-limit is for --test-data"),
        ({"checkpoint": ours, "test_data": flat}, objects3d, "--test-data is for images"),
        ({"checkpoint": ours, "probe": ProbeConfig(pairs=5)}, objects3d, "options of --probe are for images"),
        ({"checkpoint": ours, "objects": ObjectProbeConfig(pairs=5)}, flat, "options of --objects are for data"),
        ({"checkpoint": ours, "test_data": objects3d}, flat, "give it as --data"),
    ]
    for options, place, told in refused:
        with pytest.raises(ValueError, match=told):
            run(ProbeCommand(place, **options))
    with pytest.raises(ValueError, match="methods is empty; use ridge, mlp"):
        ObjectProbeConfig(methods=())
