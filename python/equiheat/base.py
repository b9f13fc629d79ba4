# SPDX-License-Identifier: BSD-3-Clause
"""What all estimators share: parameters, scores and predicates, by the conventions of scikit-learn.

An estimator's constructor stores its arguments under their names and does nothing else; `fit` makes attributes that end
with an underscore. So `get_params`, `set_params`, `sklearn.base.clone`, pipelines and searches over parameters work.
"""

from __future__ import annotations

import inspect
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from equiheat import _core
from equiheat._samples import check_features, samples

if TYPE_CHECKING:
    from equiheat.array import DNDarray

_Kind = TypeVar("_Kind", bound=Exception)

__all__ = [
    "BaseEstimator",
    "ClassificationMixin",
    "ClusteringMixin",
    "ConvergenceWarning",
    "DataConversionWarning",
    "NotFittedError",
    "RegressionMixin",
    "TransformMixin",
    "is_classifier",
    "is_clusterer",
    "is_estimator",
    "is_regressor",
    "is_transformer",
]


class NotFittedError(ValueError, AttributeError, RuntimeError):
    """A method needs what only `fit` makes. (The first bases are scikit-learn's of this error, the last is Heat's.)"""


class ConvergenceWarning(UserWarning):
    """A fit has made all the iterations it may and has not converged."""


class DataConversionWarning(UserWarning):
    """An argument has another shape than it should have, and was taken as if it had the right one."""


@cache
def _both(ours: type[Exception], theirs: type[Exception]) -> type[Exception]:
    return type(ours.__name__, (ours, theirs), {"__doc__": ours.__doc__})


def shared(kind: type[_Kind]) -> type[_Kind]:
    """An exception or warning of ours; where a program has imported scikit-learn, one that is also scikit-learn's of
    the same name. Local.
    """
    known = sys.modules.get("sklearn.exceptions")
    if known is None:
        return kind
    both: Any = _both
    found: type[_Kind] = both(kind, getattr(known, kind.__name__))
    return found


class BaseEstimator:
    """Base class of estimators: objects with parameters, set by the constructor, and results, made by `fit`.

    Examples
    --------
    >>> import equiheat as ht
    >>> class Shift(ht.TransformMixin, ht.BaseEstimator):
    ...     def __init__(self, by: float = 1.0) -> None:
    ...         self.by = by
    >>> Shift(2.0)
    Shift(by=2.0)
    >>> Shift().set_params(by=3.0).get_params()
    {'by': 3.0}
    """

    n_features_in_: int  # is there after `fit` only, as in scikit-learn
    _requires_fit: ClassVar[bool] = True
    _multi_output: ClassVar[bool] = False
    _preserves_dtype: ClassVar[tuple[str, ...]] = ("float64", "float32")

    @classmethod
    def _parameters(cls) -> dict[str, inspect.Parameter]:
        """The constructor's parameters by name. Local."""
        if cls.__init__ is object.__init__:
            return {}
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        return {p.name: p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}

    @classmethod
    def _parameter_names(cls) -> list[str]:
        """Names of the parameters, in the constructor's order. Local."""
        return list(cls._parameters())

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name. Local.

        Parameters
        ----------
        deep : bool
            Also the parameters of parameters that are estimators, as ``name__parameter``.
        """
        values: dict[str, Any] = {}
        for name in self._parameter_names():
            value = values[name] = getattr(self, name)
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                values.update({f"{name}__{inner}": v for inner, v in value.get_params().items()})
        return values

    def set_params(self, **params: Any) -> Self:
        """Change parameters; nested ones as ``name__parameter`` or by a dict for the estimator `name`. Local.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a name that is no parameter; then none is changed.
        """
        known = self.get_params(deep=False)
        for name in params:
            if name.partition("__")[0] not in known:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}. "
                    f"Valid parameters are: {sorted(known)}."
                )
        for name, value in params.items():
            outer, _, inner = name.partition("__")
            if inner:
                getattr(self, outer).set_params(**{inner: value})
            elif isinstance(value, dict) and hasattr(known[outer], "set_params"):
                known[outer].set_params(**value)
            else:
                setattr(self, outer, value)
        return self

    def __repr__(self) -> str:
        """The constructor call with the parameters that are not at their defaults. Local."""
        changed = []
        for name, parameter in self._parameters().items():
            value = getattr(self, name)
            if value is not parameter.default and repr(value) != repr(parameter.default):
                changed.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn's pipelines and searches ask; needs scikit-learn. Local."""
        from sklearn.utils import ClassifierTags, RegressorTags, Tags, TargetTags, TransformerTags

        kind = next((name for check, name in _KINDS if check(self)), None)
        return Tags(
            estimator_type=kind,
            target_tags=TargetTags(required=kind in ("classifier", "regressor"), multi_output=self._multi_output),
            transformer_tags=TransformerTags(list(self._preserves_dtype)) if hasattr(self, "transform") else None,
            classifier_tags=ClassifierTags() if kind == "classifier" else None,
            regressor_tags=RegressorTags() if kind == "regressor" else None,
            requires_fit=self._requires_fit,
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Whether an attribute ends with an underscore and is not None. Local."""
        return any(v is not None for k, v in vars(self).items() if k.endswith("_") and not k.startswith("__"))

    def _fitted(self, name: str) -> Any:
        """A result of `fit`; NotFittedError before it. Local."""
        value = getattr(self, name, None)
        if value is None:
            raise shared(NotFittedError)(f"This {type(self).__name__} instance is not fitted yet: call fit first.")
        return value

    def _matrix(self, x: Any, method: str, argument: str = "x") -> _core.Array:
        """Samples for what `fit` has made: a real matrix with as many features as `fit` saw. Local.

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError, ValueError
            As `samples`; for another number of features.
        """
        fn = f"{type(self).__name__}.{method}"
        features = self._fitted("n_features_in_")
        core = samples(x, fn, argument)
        check_features(core, features, fn)
        return core


class ClassificationMixin:
    """Classifiers: `fit(x, y)` and `predict(x)` of class labels."""

    _estimator_type = "classifier"

    def fit(self, x: DNDarray, y: DNDarray) -> Any:
        """Learn from samples x (n, f) and their classes y (n,)."""
        raise NotImplementedError(f"{type(self).__name__} has no fit")

    def predict(self, x: DNDarray) -> DNDarray:
        """Class of each sample, split as the samples are."""
        raise NotImplementedError(f"{type(self).__name__} has no predict")

    def fit_predict(self, x: DNDarray, y: DNDarray) -> DNDarray:
        """`fit`, then `predict` of the same samples."""
        self.fit(x, y)
        return self.predict(x)

    def score(self, x: DNDarray, y: DNDarray, sample_weight: DNDarray | None = None) -> float:
        """Share of samples whose class is predicted, the same number on every rank. One allreduce after `predict`.

        Parameters
        ----------
        x : DNDarray
            (n, f).
        y : DNDarray
            (n,), any split.
        sample_weight : DNDarray, optional
            (n,): what each sample counts.
        """
        from equiheat.metrics import accuracy_score

        return accuracy_score(y, self.predict(x), sample_weight=sample_weight)


class TransformMixin:
    """Transformations: `fit(x)` and `transform(x)`."""

    def fit(self, x: DNDarray) -> Any:
        """Learn the transformation from samples x (n, f)."""
        raise NotImplementedError(f"{type(self).__name__} has no fit")

    def transform(self, x: DNDarray) -> DNDarray:
        """The samples, transformed."""
        raise NotImplementedError(f"{type(self).__name__} has no transform")

    def fit_transform(self, x: DNDarray, y: Any = None, **fit_params: Any) -> DNDarray:
        """`fit`, then `transform` of the same samples. y is ignored (pipelines pass one)."""
        self.fit(x, **fit_params)
        return self.transform(x)


class ClusteringMixin:
    """Clusterings: `fit(x)`, and `predict(x)` of cluster indices where new samples can be assigned."""

    _estimator_type = "clusterer"

    def fit(self, x: DNDarray) -> Any:
        """Find clusters of samples x (n, f)."""
        raise NotImplementedError(f"{type(self).__name__} has no fit")

    def fit_predict(self, x: DNDarray, y: Any = None, **fit_params: Any) -> DNDarray:
        """`fit`, then the cluster of each of the same samples. y is ignored (pipelines pass one)."""
        self.fit(x, **fit_params)
        labels = getattr(self, "labels_", None)
        return self.predict(x) if labels is None else labels  # type: ignore[attr-defined]


class RegressionMixin:
    """Regressions: `fit(x, y)` and `predict(x)` of real targets."""

    _estimator_type = "regressor"

    def fit(self, x: DNDarray, y: DNDarray) -> Any:
        """Learn from samples x (n, f) and their targets y (n,)."""
        raise NotImplementedError(f"{type(self).__name__} has no fit")

    def predict(self, x: DNDarray) -> DNDarray:
        """Target of each sample, split as the samples are."""
        raise NotImplementedError(f"{type(self).__name__} has no predict")

    def fit_predict(self, x: DNDarray, y: DNDarray) -> DNDarray:
        """`fit`, then `predict` of the same samples."""
        self.fit(x, y)
        return self.predict(x)

    def score(self, x: DNDarray, y: DNDarray, sample_weight: DNDarray | None = None) -> float:
        """R squared of the predictions, the same number on every rank: 1 when exact, 0 for a constant mean. The mean
        over the targets if there are several.

        Parameters
        ----------
        x : DNDarray
            (n, f).
        y : DNDarray
            (n,) or (n, targets), any split.
        sample_weight : DNDarray, optional
            (n,): what each sample counts.

        Notes
        -----
        `ht.metrics.r2_score` after `predict`. For constant targets 1 if exact, else 0.
        """
        from equiheat.metrics import r2_score

        return float(r2_score(y, self.predict(x), sample_weight=sample_weight))


def is_classifier(estimator: object) -> bool:
    """Whether it is a classifier. Local."""
    return isinstance(estimator, ClassificationMixin)


def is_transformer(estimator: object) -> bool:
    """Whether it is a transformation. Local."""
    return isinstance(estimator, TransformMixin)


def is_estimator(estimator: object) -> bool:
    """Whether it is an estimator. Local."""
    return isinstance(estimator, BaseEstimator)


def is_clusterer(estimator: object) -> bool:
    """Whether it is a clustering. Local."""
    return isinstance(estimator, ClusteringMixin)


def is_regressor(estimator: object) -> bool:
    """Whether it is a regression. Local."""
    return isinstance(estimator, RegressionMixin)


_KINDS = ((is_classifier, "classifier"), (is_regressor, "regressor"), (is_clusterer, "clusterer"))
