# SPDX-License-Identifier: BSD-3-Clause
"""Augmentations do what their parameters say, and draw the same at any rank count."""

from __future__ import annotations

import colorsys
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from equiheat.communication import get_comm
from equiheat.data.counter import permutation, uniform
from equiheat.data.sharding import GlobalBatches, share
from equiheat.ssl.augment import STRONG_VIEW, UNITS, WEAK_VIEW, Augmentation, AugmentConfig
from equiheat.ssl.color import jitter_color, shift_hue
from equiheat.ssl.warp import gaussian_blur, warp


def images(count=4, height=16, width=16, seed=0):
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(seed))


def full(value, count=4):
    return torch.full((count,), float(value))


def test_a_sample_gets_the_same_view_wherever_it_is_drawn():
    whole, numbers = images(7), torch.arange(100, 107)
    augment = Augmentation(STRONG_VIEW, seed=5)
    expected, parameters = augment(whole, numbers, epoch=3, view=2)
    start, stop = share(7, get_comm())
    mine, own = augment(whole[start:stop], numbers[start:stop], epoch=3, view=2)
    torch.testing.assert_close(mine, expected[start:stop], rtol=0, atol=1e-6)
    assert all(torch.equal(own[name], x[start:stop]) for name, x in parameters.items())
    one, _ = augment(whole[2:3], numbers[2:3], epoch=3, view=2)
    torch.testing.assert_close(one, expected[2:3], rtol=0, atol=1e-6)


def test_draws_differ_by_seed_epoch_view_and_sample_and_stay_in_range():
    numbers = torch.arange(2000)
    base = Augmentation(STRONG_VIEW, seed=0).sample(numbers, 0, 0)
    assert set(base) == set(UNITS)
    for other in (
        Augmentation(STRONG_VIEW, seed=1).sample(numbers, 0, 0),
        Augmentation(STRONG_VIEW, seed=0).sample(numbers, 1, 0),
        Augmentation(STRONG_VIEW, seed=0).sample(numbers, 0, 1),
    ):
        assert all((base[name] != other[name]).float().mean() > 0.4 for name in base)
        assert abs(np.corrcoef(base["rotation"], other["rotation"])[0, 1]) < 0.1
    limits = {
        "rotation": (-math.pi / 4, math.pi / 4),
        "brightness": (0.6, 1.4),
        "hue": (-0.1, 0.1),
        "blur_sigma": (0.1, 1.5),
    }
    for name, (low, high) in limits.items():
        assert low <= base[name].min() < low + 0.1 * (high - low)
        assert high >= base[name].max() > high - 0.1 * (high - low)
    assert 0.45 < base["flip"].mean() < 0.55
    area = base["crop_size"] ** 2
    assert area.min() >= 0.65
    assert area.max() <= 1
    assert bool((base["crop_left"] + base["crop_size"] <= 1 + 1e-6).all())


def test_turning_one_operation_off_leaves_the_others_draws():
    numbers = torch.arange(50)
    some = Augmentation(replace(STRONG_VIEW, crop=None, flip=0.0)).sample(numbers)
    base = Augmentation(STRONG_VIEW).sample(numbers)
    assert "crop_size" not in some
    assert all(torch.equal(x, base[name]) for name, x in some.items())


def test_uniform_is_uniform():
    x = uniform((1, 2), torch.arange(20000), 3)
    assert x.min() >= 0
    assert x.max() < 1
    counts = torch.histc(x, 16, 0, 1) / x.numel()
    assert float((counts - 1 / 16).abs().max()) < 0.004
    assert np.abs(np.corrcoef(x.T) - np.eye(3)).max() < 0.03


def test_rotation_is_counter_clockwise_and_exact_at_a_quarter_turn():
    x = images()
    torch.testing.assert_close(warp(x, {"rotation": full(math.pi / 2)}), torch.rot90(x, 1, (2, 3)), atol=1e-5, rtol=0)


def test_rotation_keeps_angles_in_a_wide_image():
    x = images(height=16, width=32)
    torch.testing.assert_close(warp(x, {"rotation": full(math.pi)}), x.flip(2, 3), atol=1e-5, rtol=0)
    spot = torch.zeros(1, 3, 16, 32)
    spot[:, :, 8, 20:22] = 1  # right of the centre
    turned = warp(spot, {"rotation": full(math.pi / 2, 1)})
    assert turned[0, 0, 2:5, 15:17].sum() > 1.5  # as far above it


def test_translation_and_flip_move_pixels():
    x = images()
    torch.testing.assert_close(warp(x, {"translation_x": full(3 / 16)})[..., 3:], x[..., :-3], atol=1e-5, rtol=0)
    torch.testing.assert_close(warp(x, {"translation_y": full(3 / 16)})[..., 3:, :], x[..., :-3, :], atol=1e-5, rtol=0)
    torch.testing.assert_close(warp(x, {"flip": full(1)}), x.flip(3), atol=1e-5, rtol=0)


def test_crop_reads_the_named_window():
    x = images()
    half = {"crop_size": full(0.5), "crop_top": full(0.25), "crop_left": full(0.5)}
    expected = torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear")[:, :, 8:24, 16:32]
    torch.testing.assert_close(warp(x, half), expected, atol=1e-5, rtol=0)


def test_borders():
    x = images()
    shift = {"translation_x": full(4 / 16)}
    torch.testing.assert_close(warp(x, shift)[..., :4], x[..., :4].flip(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        warp(x, shift, padding="border")[..., :3], x[..., :1].expand(-1, -1, -1, 3), atol=1e-5, rtol=0
    )
    assert warp(x, shift, padding="zeros")[..., :3].abs().max() == 0


def test_hue_is_that_of_the_hsv_model():
    x = images(2, 4, 4)
    x[0, :, 0, 0] = 0.5  # grey has no hue
    x[0, :, 0, 1] = 0.0
    moved = shift_hue(x, torch.tensor([0.3, -0.45]))
    for b, turns in enumerate((0.3, -0.45)):
        for i in range(4):
            for j in range(4):
                h, s, v = colorsys.rgb_to_hsv(*x[b, :, i, j].tolist())
                expected = colorsys.hsv_to_rgb((h + turns) % 1, s, v)
                np.testing.assert_allclose(moved[b, :, i, j].numpy(), expected, atol=1e-5)


def test_color_factors():
    x = images() * 0.5
    torch.testing.assert_close(jitter_color(x, {"brightness": full(1.5)}), x * 1.5)
    grey = jitter_color(x, {"saturation": full(0)})
    assert (grey.amax(1) - grey.amin(1)).max() < 1e-6
    flat = jitter_color(x, {"contrast": full(0)})
    assert flat.flatten(1).std(dim=1).max() < 1e-5
    one = {"brightness": full(1), "contrast": full(1), "saturation": full(1), "hue": full(0)}
    torch.testing.assert_close(jitter_color(x, one), x, atol=1e-6, rtol=0)


def test_blur_equals_a_convolution_with_mirrored_borders():
    x = images(3, 12, 9)
    sigma = torch.tensor([0.0, 0.7, 1.4])
    out = gaussian_blur(x, sigma)
    torch.testing.assert_close(out[0], x[0])
    reach = math.ceil(3 * 1.4)
    offsets = torch.arange(-reach, reach + 1.0)
    for b in (1, 2):
        kernel = torch.exp(-0.5 * (offsets / sigma[b]) ** 2)
        kernel = kernel / kernel.sum()
        padded = torch.from_numpy(np.pad(x[b].numpy(), ((0, 0), (reach, reach), (reach, reach)), mode="symmetric"))
        expected = torch.nn.functional.conv2d(padded[:, None], torch.outer(kernel, kernel)[None, None])[:, 0]
        torch.testing.assert_close(out[b], expected, atol=1e-5, rtol=0)


def test_blur_of_small_images_with_a_wide_kernel():
    x = images(1, 2, 2)
    torch.testing.assert_close(gaussian_blur(x, full(3, 1)).mean(), x.mean())


def test_empty_batch_and_bytes():
    augment = Augmentation(STRONG_VIEW)
    out, _ = augment(torch.empty(0, 3, 8, 8, dtype=torch.uint8), torch.empty(0, dtype=torch.int64))
    assert out.shape == (0, 3, 8, 8)
    numbers = torch.arange(2)
    bytes_ = (images(2) * 255).to(torch.uint8)
    torch.testing.assert_close(augment(bytes_, numbers)[0], augment(bytes_ / 255.0, numbers)[0])


@pytest.mark.parametrize(("dtype", "steps"), [(torch.float64, 1e-5), (torch.float16, 2e-3), (torch.bfloat16, 2e-2)])
def test_every_floating_type(dtype, steps):
    """Half precision has too few digits for the coordinates of a wide image: only its pixels may be rounded."""
    x, numbers, augment = images(2, 8, 300).to(dtype), torch.arange(2), Augmentation(STRONG_VIEW)
    found, parameters = augment(x, numbers)
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), augment.apply(x.float(), parameters), atol=steps, rtol=0)


def test_only_keeps_the_named_family():
    assert set(Augmentation(STRONG_VIEW.only("rotation")).sample(torch.arange(2))) == {"rotation"}
    assert set(Augmentation(STRONG_VIEW.only("color")).sample(torch.arange(2))) == {
        "brightness",
        "contrast",
        "saturation",
        "hue",
    }
    with pytest.raises(ValueError, match="unknown family 'colour'"):
        STRONG_VIEW.only("colour")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"padding": "black"}, "padding is 'black'; use one of reflection"),
        ({"crop": (0.9, 0.5)}, r"crop is \(0.9, 0.5\)"),
        ({"hue": 0.7}, "hue is 0.7"),
        ({"flip": 2.0}, "flip is 2.0"),
        ({"rotation": -1.0}, "rotation is -1.0"),
        ({"blur": (1.0, 0.5)}, "blur is"),
    ],
)
def test_bad_options_are_named(options, text):
    with pytest.raises(ValueError, match=text):
        AugmentConfig(**options)


def test_bad_images_are_named():
    augment = Augmentation(WEAK_VIEW)
    with pytest.raises(ValueError, match=r"images have shape \(2, 1, 8, 8\)"):
        augment(torch.zeros(2, 1, 8, 8), torch.arange(2))
    with pytest.raises(TypeError, match=r"images have dtype torch.int64"):
        augment(torch.zeros(2, 3, 8, 8, dtype=torch.int64), torch.arange(2))
    with pytest.raises(ValueError, match="unknown parameter 'angle'"):
        augment.apply(torch.zeros(2, 3, 8, 8), {"angle": torch.zeros(2)})


def test_global_batches_are_the_same_at_any_rank_count():
    comm = get_comm()
    batches = GlobalBatches(23, 5, seed=1, comm=comm)
    assert len(batches) == 4
    whole = [comm.allgatherv(mine) for mine in batches.epoch(2)]
    assert torch.equal(torch.cat(whole), permutation((1, 2), 23)[:20])
    later = [comm.allgatherv(mine) for mine in batches.epoch(2, skip=3)]
    assert torch.equal(later[0], whole[3])
    with pytest.raises(ValueError, match="batch_size is 24"):
        GlobalBatches(23, 24, seed=0, comm=comm)
