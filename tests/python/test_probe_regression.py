# SPDX-License-Identifier: BSD-3-Clause
"""Ridge, perceptron, R² and linear classifier on synthetic rows with known answers, at any number of ranks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import equiheat as ht
from equiheat.communication import get_comm
from equiheat.ssl.probes import MlpConfig, fit_classifier, fit_mlp, fit_ridge, r2_score


def spread(value: np.ndarray, *, uneven: bool = False) -> ht.DNDarray:
    """A global array as a split one; `uneven` leaves all rows but a few with the last rank."""
    comm = get_comm()
    n = len(value)
    bounds = [min(rank, n) if uneven else rank * n // comm.size for rank in range(comm.size)] + [n]
    local = torch.from_numpy(value[bounds[comm.rank] : bounds[comm.rank + 1]].copy())
    return ht.array(local, is_split=0, comm=comm)


def linear_data(n: int, *, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    weight = np.random.default_rng(7).normal(size=(12, 3))
    x = rng.normal(size=(n, 12)) * np.logspace(-2, 2, 12) + 5.0
    signal = (x - 5.0) / np.logspace(-2, 2, 12) @ weight / np.linalg.norm(weight, axis=0)
    return x, signal + noise * rng.normal(size=(n, 3)) + np.array([0.0, 10.0, -3.0])


@pytest.mark.parametrize("uneven", [False, True])
def test_r2_equals_numpy(uneven: bool) -> None:
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(50, 3)) * [1, 2, 3] + [0, 5, 1], rng.normal(size=(50, 3))
    score = r2_score(spread(p, uneven=uneven), spread(y, uneven=uneven))
    rss, tss = ((y - p) ** 2).sum(0), ((y - y.mean(0)) ** 2).sum(0)
    assert score.per_parameter == pytest.approx(1 - rss / tss, rel=1e-10)
    assert score.pooled == pytest.approx(1 - rss.sum() / ((y - y.mean()) ** 2).sum(), rel=1e-10)
    assert score.mean == pytest.approx(np.mean(1 - rss / tss), rel=1e-10)


def test_r2_of_constant_targets() -> None:
    y = np.ones((6, 1))
    assert r2_score(spread(y), spread(y)).pooled == 1.0
    assert r2_score(spread(y + 1), spread(y)).per_parameter == (0.0,)


def test_r2_of_constant_targets_whose_mean_is_rounded() -> None:
    y = np.full((7, 2), 0.1)  # seven of which add up to another number than 0.7
    score = r2_score(spread(y + 0.5), spread(y))
    assert (score.pooled, score.per_parameter) == (0.0, (0.0, 0.0))
    near = 1e6 + np.arange(7.0)[:, None] * 1e-6  # a spread that is small, and none of rounding
    assert r2_score(spread(near), spread(near)).pooled == 1.0
    assert r2_score(spread(near[::-1].copy()), spread(near)).pooled == pytest.approx(-3.0, rel=1e-2)


def test_r2_of_one_column_and_of_large_numbers() -> None:
    y = np.random.default_rng(0).normal(size=20).astype(np.float32)
    want = 1 - 0.01 * (y.astype(float) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert r2_score(spread(y * np.float32(1.1)), spread(y)).pooled == pytest.approx(want, rel=1e-5)
    large = (y * np.float32(1e25)).astype(np.float32)  # whose squares float32 does not hold
    assert r2_score(spread(large * np.float32(1.1)), spread(large)).pooled == pytest.approx(want, rel=1e-5)


def test_r2_refuses_other_shapes() -> None:
    with pytest.raises(ValueError, match=r"\(4, 2\).*\(4, 1\)"):
        r2_score(spread(np.ones((4, 2))), spread(np.ones((4, 1))))


@pytest.mark.parametrize("uneven", [False, True])
def test_ridge_equals_the_normal_equations(uneven: bool) -> None:
    x, y = linear_data(80, noise=0.5, seed=1)
    hold_x, hold_y = linear_data(30, noise=0.5, seed=2)
    arrays = [spread(a, uneven=uneven) for a in (x, y, hold_x, hold_y)]
    fit = fit_ridge(*arrays, penalties=(0.03,))
    both_x, both_y = np.concatenate([x, hold_x]), np.concatenate([y, hold_y])
    z = (both_x - both_x.mean(0)) / both_x.std(0)
    w = np.linalg.solve(z.T @ z + 0.03 * len(z) * np.eye(12), z.T @ (both_y - both_y.mean(0)))
    expected = (hold_x - both_x.mean(0)) / both_x.std(0) @ w + both_y.mean(0)
    np.testing.assert_allclose(hold_x @ fit.weight.numpy() + fit.bias.numpy(), expected, rtol=1e-7, atol=1e-8)


def test_ridge_reaches_the_known_r2_and_chooses_a_small_penalty_without_noise() -> None:
    train, hold, test = (linear_data(n, noise=0.5, seed=s) for n, s in ((400, 1), (100, 2), (2000, 3)))
    fit = fit_ridge(*(spread(a) for a in (*train, *hold)))
    score = r2_score(fit.predict(spread(test[0])), spread(test[1]))
    assert score.per_parameter == pytest.approx([0.8] * 3, abs=0.03)  # 1 - 0.25 / 1.25
    clean = [linear_data(n, noise=0.0, seed=s) for n, s in ((100, 1), (50, 2))]
    assert fit_ridge(*(spread(a) for pair in clean for a in pair)).penalty == pytest.approx(1e-5)


def test_ridge_survives_constant_and_duplicate_columns_and_more_columns_than_rows() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(20, 15))
    x = np.concatenate([x, x, np.full((20, 2), 3.0)], axis=1)
    y = x[:, :1] + 1.0
    fit = fit_ridge(*(spread(a) for a in (x[:15], y[:15], x[15:], y[15:])))
    assert torch.isfinite(fit.weight).all()
    assert fit.holdout_mse < 0.5


@pytest.mark.parametrize("penalties", [(), (0.0, 1.0)])
def test_ridge_refuses_penalties(penalties: tuple[float, ...]) -> None:
    a, b = spread(np.ones((6, 2))), spread(np.ones((6, 1)))
    with pytest.raises(ValueError, match="penalties"):
        fit_ridge(a, b, a, b, penalties=penalties)


def test_ridge_refuses_other_row_counts_and_empty_sets() -> None:
    a, b, none = spread(np.ones((6, 2))), spread(np.ones((5, 1))), spread(np.ones((0, 2)))
    with pytest.raises(ValueError, match="targets has 5 rows"):
        fit_ridge(a, b, a, b)
    with pytest.raises(ValueError, match="at least one row"):
        fit_ridge(none, b, a, b)


def curved_data(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)
    return x, np.stack([x[:, 0] * x[:, 1], 100 + x[:, 2]], axis=1)


MLP = MlpConfig(hidden=(32, 32), epochs=30, batch_size=64, learning_rate=5e-3)


def test_mlp_learns_a_product_that_ridge_cannot() -> None:
    sets = [curved_data(n, s) for n, s in ((1000, 1), (200, 2), (300, 3))]
    arrays = [spread(a) for pair in sets for a in pair]
    mlp = r2_score(fit_mlp(*arrays[:4], config=MLP).predict(arrays[4]), arrays[5])
    ridge = r2_score(fit_ridge(*arrays[:4]).predict(arrays[4]), arrays[5])
    assert mlp.per_parameter[0] > 0.7
    assert mlp.per_parameter[1] > 0.9
    assert ridge.per_parameter[0] < 0.2
    assert ridge.per_parameter[1] > 0.99


def test_mlp_is_the_same_wherever_the_rows_lie() -> None:
    sets = [curved_data(n, s) for n, s in ((130, 1), (40, 2))]
    config = MlpConfig(hidden=(16,), epochs=3, batch_size=32)
    probe = torch.from_numpy(curved_data(20, 5)[0])
    weights = []
    for uneven in (False, True):
        fit = fit_mlp(*(spread(a, uneven=uneven) for pair in sets for a in pair), config=config)
        weights.append(fit.network(probe))
    alone = torch.from_numpy(sets[0][0]), torch.from_numpy(sets[0][1])
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-4, atol=1e-5)
    assert fit.scale.feature_mean.numpy() == pytest.approx(alone[0].numpy().mean(0), abs=1e-6)


def test_mlp_does_not_fall_below_the_mean_on_noise() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 30)), rng.normal(size=(60, 1))
    fit = fit_mlp(spread(x[:40]), spread(y[:40]), spread(x[40:]), spread(y[40:]), config=MLP)
    assert fit.holdout_mse <= 1.5


def test_mlp_refuses_options() -> None:
    with pytest.raises(ValueError, match="batch_size is 0"):
        MlpConfig(batch_size=0)
    with pytest.raises(ValueError, match="learning_rate"):
        MlpConfig(learning_rate=0)


def clusters(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(n) % 3
    centres = np.array([[0.0, 0, 0, 9], [4, 0, 0, 9], [0, 4, 0, 9]])
    return centres[labels] + np.random.default_rng(seed).normal(size=(n, 4)), labels


@pytest.mark.parametrize("uneven", [False, True])
def test_classifier_separates_clusters(uneven: bool) -> None:
    sets = [clusters(n, s) for n, s in ((150, 1), (60, 2), (300, 3))]
    arrays = [spread(a, uneven=uneven) for pair in sets for a in pair]
    fit = fit_classifier(*arrays[:4], classes=3)
    accuracy = fit.accuracy(arrays[4], arrays[5])
    assert accuracy > 0.93
    logits = (torch.from_numpy(sets[2][0]).float() - fit.mean) / fit.std @ fit.weight + fit.bias
    assert accuracy == pytest.approx((logits.argmax(1).numpy() == sets[2][1]).mean())


def test_classifier_equals_sklearn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = clusters(120, 1)
    fit = fit_classifier(spread(x), spread(y), spread(x), spread(y), classes=3, penalties=(1e-2,))
    z = (x - x.mean(0)) / x.std(0)
    other = linear_model.LogisticRegression(C=1 / (1e-2 * len(x)), tol=1e-8, max_iter=1000).fit(z, y)
    np.testing.assert_allclose(fit.weight.numpy().T, other.coef_, atol=2e-3)


def test_classifier_refuses_labels_outside() -> None:
    x, y = clusters(12, 1)
    with pytest.raises(ValueError, match="labels lie outside 0 to 1"):
        fit_classifier(spread(x), spread(y), spread(x), spread(y), classes=2)
    with pytest.raises(ValueError, match="classes is 1"):
        fit_classifier(spread(x), spread(y), spread(x), spread(y), classes=1)


@pytest.mark.parametrize("layout", ["split None", "split 1", "features uneven", "targets everywhere"])
def test_rows_of_any_layout_give_the_same_fits(layout: str) -> None:
    def placed(value: np.ndarray, features: bool) -> ht.DNDarray:
        if layout == "features uneven":
            return spread(value, uneven=features)
        split = (
            0 if layout == "targets everywhere" and features else 1 if layout == "split 1" and value.ndim > 1 else None
        )
        return ht.array(value, split=split)

    sets = [linear_data(n, noise=0.5, seed=s) for n, s in ((40, 1), (16, 2))]
    even = [spread(a) for pair in sets for a in pair]
    other = [placed(a, number == 0) for pair in sets for number, a in enumerate(pair)]
    new = placed(sets[1][0], True)
    ridge, again = fit_ridge(*even), fit_ridge(*other)
    torch.testing.assert_close(again.weight, ridge.weight)
    assert tuple(again.predict(new).shape) == (16, 3)
    config = MlpConfig(hidden=(8,), epochs=2, batch_size=16)
    mlp, again = fit_mlp(*even, config=config), fit_mlp(*other, config=config)
    assert again.holdout_mse == pytest.approx(mlp.holdout_mse, rel=1e-3)
    assert tuple(again.predict(new).shape) == (16, 3)
    y = [(pair[1][:, 0] > 0).astype(np.int32) for pair in sets]
    classes = (
        (even[0], spread(y[0]), even[2], spread(y[1])),
        (other[0], placed(y[0], False), other[2], placed(y[1], False)),
    )
    classifier, again = (fit_classifier(*arrays, classes=2, penalties=(0.1,)) for arrays in classes)
    torch.testing.assert_close(again.weight, classifier.weight, atol=1e-4, rtol=1e-3)
    assert again.accuracy(new, placed(y[1], False)) == pytest.approx(classifier.accuracy(even[2], spread(y[1])))


def test_features_that_are_not_finite_are_named() -> None:
    x, y = linear_data(30, noise=0.5, seed=1)
    labels = (y[:, 0] > 0).astype(np.int64)
    x[17, 3] = np.nan
    with pytest.raises(ValueError, match="features or targets hold NaN"):
        fit_ridge(spread(x), spread(y), spread(x[:9]), spread(y[:9]))
    with pytest.raises(ValueError, match="features or targets hold NaN"):
        fit_mlp(spread(x), spread(y), spread(x[:9]), spread(y[:9]))
    with pytest.raises(ValueError, match="features or targets hold NaN"):
        fit_classifier(spread(x), spread(labels), spread(x), spread(labels), classes=2)


def test_classifier_refuses_other_row_counts_and_penalties() -> None:
    x, y = clusters(12, 1)
    with pytest.raises(ValueError, match=r"labels have shape \(9,\); expected \(12,\)"):
        fit_classifier(spread(x), spread(y[:9]), spread(x), spread(y), classes=3)
    for penalties in ((), (-1.0,), (float("nan"),)):
        with pytest.raises(ValueError, match="penalties"):
            fit_classifier(spread(x), spread(y), spread(x), spread(y), classes=3, penalties=penalties)
