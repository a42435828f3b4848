"""Several matrices, and matrices that change over time, by label and by period."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from nqpf_spatial.errors import AlignmentError, IdentificationError
from nqpf_spatial.kernels.moments import spatial_lag
from nqpf_spatial.models.determinant import EIGENVALUES_UP_TO
from nqpf_spatial.models.estimate import Weights, matrix
from nqpf_spatial.models.labels import canonical, enumerate_some, match
from nqpf_spatial.models.spec import Model
from nqpf_spatial.weights.combine import WeightsSequence
from nqpf_spatial.weights.core import SpatialWeights
from nqpf_spatial.weights.guards import check_presample

ONE_W = "this is not available with several or changing weights: it takes one constant W"
#: one matrix, or one per period
AnyWeights = SpatialWeights | WeightsSequence
#: what `nq.fit` takes as w
WeightsArgument = AnyWeights | Mapping[str, AnyWeights] | Sequence[AnyWeights]


@dataclass(frozen=True, eq=False)
class Term:
    """A matrix of the model under its name (empty where it is the only one): constant, or one per period."""

    name: str
    weights: AnyWeights

    def over(self, periods: tuple[Hashable, ...]) -> tuple[SpatialWeights, ...]:
        """W of every period.

        Raises
        ------
        AlignmentError
            Naming the periods of the panel that have no W.
        """
        w = self.weights
        if isinstance(w, SpatialWeights):
            return (w,) * len(periods)
        absent = [p for p in periods if p not in w.years]
        if absent:
            called = f"the weights {self.name!r}" if self.name else "the sequence of weights"
            if periods == (None,):
                raise AlignmentError(
                    f"{called}: they change over time and the data are a cross-section: choose one, w[year]"
                )
            raise AlignmentError(
                f"{called}: no matrix for the periods {enumerate_some(absent)} of the panel; there are those of "
                f"{enumerate_some(w.years)}. Nothing is carried forward unasked: choose a window with years=, or state which "
                "matrix holds, for instance nq.weights.sequence({year: s.at(year) for year in ...})"
            )
        return tuple(w[p] for p in periods)  # type: ignore[index]

    def label(self) -> str:
        """The term in words: name, kind, checksum."""
        w = self.weights
        if isinstance(w, SpatialWeights):
            return f"{self.name}: {w.name}, transform {w.transform}, checksum {w.checksum[:12]}".removeprefix(": ")
        return f"{self.name}: {w.name}, {len(w)} periods {w.years[0]}-{w.years[-1]}".removeprefix(": ")


class NamedWeights(Mapping[str, AnyWeights]):
    """The matrices of a fit by name; immutable."""

    def __init__(self, terms: tuple[Term, ...]) -> None:
        self._terms = {term.name or "W": term.weights for term in terms}

    def __getitem__(self, name: str) -> AnyWeights:
        """A matrix, or the sequence of matrices, of that name."""
        if name not in self._terms:
            raise KeyError(f"no weights {name!r} in this fit; there are {', '.join(self._terms)}")
        return self._terms[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._terms)

    def __len__(self) -> int:
        return len(self._terms)

    @property
    def name(self) -> str:
        """The names in one line."""
        return ", ".join(self._terms)

    def __repr__(self) -> str:
        return f"<NamedWeights: {self.name}>"


class SeveralWeights(Weights):
    """Weights of a model with several or changing matrices; there is no one `lag`, and asking for it is an error in plain words.

    Attributes
    ----------
    terms : tuple of Term
        Lags of the outcome.
    durbin_terms : tuple of Term
        Lags of the regressors; empty without, and where they share the combination of the lag.
    combine : bool
        One rho and shares that sum to one instead of a coefficient per lag.
    """

    terms: tuple[Term, ...]
    durbin_terms: tuple[Term, ...]
    combine: bool

    def __init__(self, terms: tuple[Term, ...], durbin_terms: tuple[Term, ...], combine: bool) -> None:
        for name, value in (("terms", terms), ("durbin_terms", durbin_terms), ("combine", combine), ("error", None)):
            object.__setattr__(self, name, value)

    @property
    def lag(self) -> NoReturn:  # type: ignore[override]
        """Refused: what asks for one matrix does not work with several."""
        raise ValueError(ONE_W)

    @property
    def durbin(self) -> NoReturn:  # type: ignore[override]
        """Refused, as `lag`."""
        raise ValueError(ONE_W)

    def described(self) -> list[tuple[str, str]]:
        """Name and transform of every matrix."""
        found: list[tuple[str, str]] = []
        for term in self.all():
            w = term.weights
            named = f"{term.name} ({w.name})" if term.name and term.name != w.name else w.name
            kinds = {w.transform} if isinstance(w, SpatialWeights) else {one.transform for one in w.values()}
            found += [(named, kind) for kind in sorted(kinds)]
        return found

    def traced(self) -> dict[str, Any]:
        """Name and checksum of every matrix, period by period where they change."""
        roles = {"lag": self.terms, "durbin": self.durbin_terms}
        found: dict[str, Any] = {
            role: {term.name or "W": _traced(term.weights) for term in terms} for role, terms in roles.items() if terms
        }
        return {**found, "combine": True} if self.combine else found

    def first(self) -> NoReturn:  # type: ignore[override]
        """Refused, as `lag`: any of them would be a choice."""
        raise ValueError(ONE_W)

    def ids(self) -> tuple[Hashable, ...]:
        """Units in canonical order."""
        return (*self.terms, *self.durbin_terms)[0].weights.ids

    def check_predetermined(self, periods: tuple[Hashable, ...]) -> None:
        """The pre-sample rule: a constant W before the first period, W_t before its own period."""
        seen: set[str] = set()
        for term in self.all():
            for period, w in zip(periods, term.over(periods), strict=True):
                if isinstance(period, int) and w.checksum not in seen:
                    seen.add(w.checksum)
                    check_presample(w, period)

    def all(self) -> tuple[Term, ...]:
        """Lag and Durbin terms, each matrix once."""
        return (*self.terms, *(t for t in self.durbin_terms if all(t.weights is not s.weights for s in self.terms)))


@dataclass(frozen=True, eq=False)
class Stack:
    """Dense matrices of several terms over the periods, each distinct pattern once.

    Attributes
    ----------
    w : (P, M, N, N) ndarray
    share : (P,) ndarray
        Share of the periods with each pattern.
    pattern : (T,) int ndarray
        Pattern of every period.
    stochastic : bool
        All rows of all matrices sum to one.
    """

    w: NDArray
    share: NDArray
    pattern: NDArray
    stochastic: bool = field(default=True)

    def mean(self, values: NDArray) -> NDArray:
        """Means (C, P, N) over the periods of each pattern of values (C, T, N)."""
        return np.stack([values[:, self.pattern == p].mean(axis=1) for p in range(self.share.size)], axis=1)


def _traced(w: AnyWeights) -> dict[str, Any]:
    if isinstance(w, SpatialWeights):
        return {"name": w.name, "checksum": w.checksum}
    return {str(year): {"name": one.name, "checksum": one.checksum} for year, one in w.items()}


def wanted(*weights: object) -> bool:
    """Whether any of the arguments is more than one constant matrix."""
    return any(isinstance(w, (WeightsSequence, Mapping, list, tuple)) for w in weights)


def check_static_balanced(dynamic: tuple[str, ...], effects: str, missing: str) -> None:
    """What several or changing weights cannot be combined with.

    Raises
    ------
    ValueError
    """
    if dynamic or effects != "fixed":
        what = "dynamic=" if dynamic else f"effects={effects!r}"
        raise ValueError(
            f"{what} takes one constant W; with several or changing weights use static models with fixed effects"
        )
    if missing not in ("raise", "drop_years"):
        raise ValueError(
            f'missing={missing!r} cuts one constant W; with several or changing weights use missing="drop_years", or take the units '
            "out of the data and of every W with .subset([...])"
        )


def parse_weights(
    spec: Model, w: object, w_durbin: object, w_error: object, combine: bool
) -> SeveralWeights:  # fmt: skip
    """Terms out of what `nq.fit` was given, checked and in the canonical order of units.

    Raises
    ------
    TypeError, ValueError
        Objects that are no weights, fewer than two matrices in a mapping, models without such terms.
    AlignmentError
        Units that differ between the matrices.
    """
    if spec.error or not (spec.lag or spec.durbin):
        raise ValueError(
            f"several or changing weights are available for SAR, SDM and SLX, not for {spec.name}"
            + (": a spatial error takes one matrix" if spec.error else ", which has no spatial term")
        )
    if w_error is not None:
        raise ValueError(f"w_error has no meaning in a {spec.name} model")
    given, durbin = _terms(w, "w"), _terms(w_durbin, "w_durbin")
    if w_durbin is not None and not spec.durbin:
        raise ValueError(f"w_durbin has no meaning in a {spec.name} model")
    if not given and (spec.lag or not durbin):
        raise ValueError(f"a {spec.name} model needs spatial weights: pass w")
    if combine and not spec.lag:
        raise ValueError(f"combine=True is about one rho, which a {spec.name} model does not have: choose SAR or SDM")
    if combine and len(given) < 2:
        raise ValueError("combine=True needs at least two matrices: w=[W1, W2] or w={name: W1, other: W2}")
    lags = given if spec.lag else ()
    own = () if combine else given
    lagged = (durbin or own) if spec.durbin else ()
    found = SeveralWeights(lags, lagged, combine)
    _check_units(found.all())
    return found


def _terms(w: object, argument: str) -> tuple[Term, ...]:
    """Terms of one argument."""
    if w is None:
        return ()
    if isinstance(w, (SpatialWeights, WeightsSequence)):
        return (Term("", _canonical(w)),)
    if not isinstance(w, (Mapping, list, tuple)):
        raise _wrong_kind(w, argument)
    named = w if isinstance(w, Mapping) else _named(w, argument)
    terms = []
    for name, value in named.items():
        if not isinstance(name, str) or not name.strip() or ":" in name:
            raise ValueError(
                f"{argument} has the name {name!r}: give words without ':'; they become rho:name and W:name:x. Years belong "
                "into nq.weights.sequence({year: W})"
            )
        if not isinstance(value, (SpatialWeights, WeightsSequence)):
            raise _wrong_kind(value, f"{argument}[{name!r}]")
        terms.append(Term(name, _canonical(value)))
    if len(terms) < 2:
        raise ValueError(
            f"{argument} has {len(named)} matrices; give at least two, or pass the matrix itself: {argument}=W"
        )
    return tuple(terms)


def _named(w: Sequence[object], argument: str) -> dict[str, object]:
    """A list under the names of its matrices."""
    names = []
    for position, value in enumerate(w):
        if not isinstance(value, (SpatialWeights, WeightsSequence)):
            raise _wrong_kind(value, f"{argument}[{position}]")
        names.append(value.name)
    if len(set(names)) < len(names) or any(":" in name for name in names):
        raise ValueError(
            f"the matrices of {argument} have no names of their own to go by ({', '.join(repr(n) for n in names)}): pass a "
            f"mapping, {argument}={{'near': W1, 'migration': W2}}"
        )
    return dict(zip(names, w, strict=True))


def _wrong_kind(value: object, what: str) -> TypeError:
    return TypeError(
        f"{what} is a {type(value).__name__}; turn it into labelled weights with nq.weights.from_any({what}, ids=...)"
    )


def _canonical(w: AnyWeights) -> AnyWeights:
    """The one order of the library, so that the bits of a fit do not depend on the order W came in."""
    if isinstance(w, WeightsSequence):
        order = canonical(list(w.ids))
        return w if list(w.ids) == order else WeightsSequence({year: one.reorder(order) for year, one in w.items()})
    order = canonical(list(w.ids))
    return w if list(w.ids) == order else w.reorder(order)


def _check_units(terms: tuple[Term, ...]) -> None:
    for other in terms[1:]:
        sides = tuple(f"weights {t.name!r}" for t in (terms[0], other))
        match(terms[0].weights.ids, other.weights.ids, sides)  # type: ignore[arg-type]
    n = len(terms[0].weights.ids)
    if n > EIGENVALUES_UP_TO:
        raise ValueError(
            f"several or changing weights are worked out with dense matrices, up to {EIGENVALUES_UP_TO} units; there are {n}. "
            "Use one constant matrix, for instance nq.weights.combine([...], shares)"
        )


def stack(terms: tuple[Term, ...], periods: tuple[Hashable, ...], n: int) -> Stack:
    """Dense matrices over the periods; each distinct combination of matrices once."""
    over = [term.over(periods) for term in terms]
    keys = [tuple(w.checksum for w in column) for column in zip(*over, strict=True)] if over else [()] * len(periods)
    distinct = list(dict.fromkeys(keys))
    first = [keys.index(key) for key in distinct]
    w = np.array([[o[t].dense() for o in over] for t in first]).reshape(len(first), len(terms), n, n)
    pattern = np.array([distinct.index(key) for key in keys])
    share = np.bincount(pattern) / len(periods)
    return Stack(w, share, pattern, all(w.is_row_stochastic for o in over for w in o))


def lag_over(term: Term, periods: tuple[Hashable, ...], a: NDArray) -> NDArray:
    """``W_t a_t`` for (T, N) values."""
    over = term.over(periods)
    out = np.empty_like(a)
    for checksum in dict.fromkeys(w.checksum for w in over):
        rows = [t for t, w in enumerate(over) if w.checksum == checksum]
        out[rows] = spatial_lag(matrix(over[rows[0]]), a[rows])
    return out


def check_distinct(terms: tuple[Term, ...], stacked: Stack, role: str) -> None:
    """Matrices that are equal, or linear combinations of each other, have no coefficients of their own.

    Raises
    ------
    IdentificationError
        Naming them.
    """
    flat = stacked.w.transpose(1, 0, 2, 3).reshape(len(terms), -1)
    for i, j in zip(*np.triu_indices(len(terms), 1), strict=True):
        if np.array_equal(flat[i], flat[j]):
            raise IdentificationError(
                f"the {role} weights {terms[i].name!r} and {terms[j].name!r} are identical: only the sum of their coefficients "
                "is identified. Leave one out"
            )
    size = np.sqrt((flat**2).sum(axis=1))
    values, vectors = np.linalg.eigh(flat @ flat.T / np.outer(size, size))
    if values[0] < 1e-12:
        involved = [t.name for t, v in zip(terms, vectors[:, 0], strict=True) if abs(v) > 1e-3]
        raise IdentificationError(
            f"the {role} weights {enumerate_some(involved)} are linear combinations of each other: their coefficients are not "
            "identified. Leave one out"
        )
