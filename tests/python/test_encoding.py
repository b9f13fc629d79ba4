# SPDX-License-Identifier: BSD-3-Clause
"""One-hot columns and polynomial features against scikit-learn, for every layout of the samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.preprocessing as theirs
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

import equiheat as ht
from equiheat.preprocessing import OneHotEncoder, PolynomialFeatures
from equiheat.testing import all_layouts, assert_equal, gradcheck, uneven_counts, with_counts

SIZE = ht.get_comm().size
CATEGORIES = np.random.default_rng(0).integers(0, [2, 3, 1, 5], (17, 4)) * 2 + 1


@pytest.mark.parametrize("drop", [None, "first", "if_binary"])
def test_one_hot(drop: str | None) -> None:
    reference = theirs.OneHotEncoder(drop=drop, sparse_output=False).fit(CATEGORIES)
    expected = reference.transform(CATEGORIES)
    for x in all_layouts(CATEGORIES):
        split = None if x.split is None else 0
        model = OneHotEncoder(drop=drop).fit(x)
        found = model.transform(x)
        assert_equal(found, expected, split=split, dtype="float64")
        assert_equal(model.inverse_transform(found), CATEGORIES)
        for mine, other in zip(model.categories_, reference.categories_, strict=True):
            assert_equal(mine, other, split=None)
        assert model.get_feature_names_out() == reference.get_feature_names_out().tolist()
    assert OneHotEncoder(dtype=ht.int32).fit_transform(x).dtype == ht.int32


@pytest.mark.filterwarnings("ignore:Found unknown categories")
@pytest.mark.parametrize("drop", [None, "if_binary"])
def test_sparse_output(drop: str | None) -> None:
    new = CATEGORIES[:5].copy()
    new[1] = 77
    reference = theirs.OneHotEncoder(drop=drop, handle_unknown="ignore").fit(CATEGORIES).transform(new)
    for x in all_layouts(new):
        model = OneHotEncoder(drop=drop, handle_unknown="ignore", sparse_output=True, dtype=ht.float32).fit(CATEGORIES)
        found = model.transform(x)
        assert isinstance(found, ht.sparse.DCSR_matrix) and found.nnz == reference.nnz
        assert found.dtype is ht.float32 and found.split == (None if x.split is None else 0)
        assert_equal(found.to_dense(), reference.toarray(), dtype="float32")
    model = OneHotEncoder(drop=drop, sparse_output=True)
    assert_equal(model.inverse_transform(model.fit_transform(ht.array(CATEGORIES, split=0))), CATEGORIES)


def test_unknown_categories() -> None:
    new = CATEGORIES[:3].copy()
    new[1, 1] = 77
    reference = theirs.OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(CATEGORIES)
    for x in all_layouts(new):
        assert_equal(OneHotEncoder(handle_unknown="ignore").fit(CATEGORIES).transform(x), reference.transform(new))
        with pytest.raises(ValueError, match="1 entries of X are none"):
            OneHotEncoder().fit(CATEGORIES).transform(x)
    given_categories = [[1, 3, 5], [1, 3, 5], [1], [1, 3, 5, 7, 9]]
    assert OneHotEncoder(categories=given_categories).fit_transform(ht.array(CATEGORIES, split=0)).shape == (17, 12)
    for wrong, message in (
        ({"categories": [[1]]}, "1 features"),
        ({"categories": [[3, 1]] * 4}, "ascend"),
        ({"drop": "last"}, "drop"),
        ({"handle_unknown": "maybe"}, "handle_unknown"),
    ):
        with pytest.raises(ValueError, match=message):
            OneHotEncoder(**wrong).fit(CATEGORIES)
    with pytest.raises(ValueError, match="NaN"):
        OneHotEncoder().fit(np.array([[1.0], [np.nan]]))
    with pytest.raises(ValueError, match="zeros in all"):
        OneHotEncoder().fit(CATEGORIES).inverse_transform(ht.zeros((2, 11), split=0))
    with pytest.raises(ht.NotFittedError):
        OneHotEncoder().transform(CATEGORIES)


@given(
    st.data(), st.integers(1, 9), st.integers(1, 4), st.integers(0, 3), st.booleans(), st.booleans(), st.integers(0, 3)
)
def test_polynomials(
    data: st.DataObject, n: int, f: int, degree: int, interaction_only: bool, include_bias: bool, seed: int
) -> None:
    options: dict[str, Any] = {"interaction_only": interaction_only, "include_bias": include_bias}
    given_degree = data.draw(st.sampled_from([degree, (min(1, degree), degree), (degree, degree)]))
    values = np.random.default_rng(seed).standard_normal((n, f))
    split = data.draw(st.sampled_from([None, 0, 1]))
    x = with_counts(values, split, None if split is None else uneven_counts(values.shape[split], SIZE, seed))
    try:
        reference = theirs.PolynomialFeatures(given_degree, **options).fit(values)
    except ValueError:
        with pytest.raises(ValueError, match="degree"):
            PolynomialFeatures(given_degree, **options).fit(x)
        return
    if reference.n_output_features_ == 0:
        return
    model = PolynomialFeatures(given_degree, **options).fit(x)
    assert_equal(model.powers_, reference.powers_, split=None)
    assert_equal(model.transform(x), reference.transform(values), split=None if split is None else 0)
    assert model.get_feature_names_out() == reference.get_feature_names_out().tolist()


def test_polynomials_of_floats_and_errors() -> None:
    x = ht.array(np.arange(6.0, dtype="float32").reshape(3, 2), split=0)
    model = PolynomialFeatures(3)
    assert model.fit_transform(x).dtype == ht.float32
    assert clone(model).get_params() == model.get_params()
    assert gradcheck(model.transform, np.random.default_rng(0).standard_normal((3, 2)), splits=[0])
    with pytest.raises(ValueError, match="3 features"):
        model.transform(ht.ones((2, 3)))
    with pytest.raises(ValueError, match="degree"):
        PolynomialFeatures(-1).fit(x)
    with pytest.raises(ValueError, match="NaN"):
        model.transform(x * np.nan)


@pytest.mark.parametrize("kind", ["bool", "uint16", "uint32", "uint64"])
def test_categories_that_torch_does_not_search(kind: str) -> None:
    values = np.array([[1, 0], [0, 1], [1, 1]]).astype(kind)
    encoder = ht.preprocessing.OneHotEncoder()
    for split in (None, 0, 1):
        columns = encoder.fit_transform(ht.array(values, split=split))
        assert_equal(columns, np.array([[0.0, 1, 1, 0], [1, 0, 0, 1], [0, 1, 0, 1]]))
        assert_equal(encoder.inverse_transform(columns), values)
    given = ht.preprocessing.OneHotEncoder(categories=[values[1], values[1]]).fit(ht.array(values, split=0))
    assert given.transform(ht.array(values, split=0)).shape == (3, 4)
