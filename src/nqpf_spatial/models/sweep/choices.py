"""The specifications of a sweep: every combination of choices, written as calls of `fit`."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import pandas as pd

from nqpf_spatial import provinces
from nqpf_spatial.models.bayes.averaging import NO_WEIGHTS, named_weights
from nqpf_spatial.models.labels import enumerate_some, match
from nqpf_spatial.models.results import check_vcov
from nqpf_spatial.models.spec import get_model, parse_formula
from nqpf_spatial.weights.core import SpatialWeights

#: choices in the order of the loops: the last changes fastest
CHOICES = ("outcome", "swap", "add", "fixed", "drop", "years", "model", "w", "correction", "vcov")
NONE = "none"
_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Specification:
    """One combination of choices.

    Attributes
    ----------
    number : int
        Place among all; 0 is the first of every choice.
    formula : str
    model, correction : str
    w : str
        Name of the weights; "none" for models without.
    years : tuple or None
    drop : str
        Name of what is left out, "none" for nothing.
    vcov : str
        Name of the covariance.
    shown : mapping
        Choice -> what the table says about it.
    slots : mapping
        Variable in the formula -> the regressor of the original formula it stands for.
    """

    number: int
    formula: str
    model: str
    correction: str
    w: str
    years: tuple[Any, Any] | None
    drop: str
    vcov: str
    shown: Mapping[str, str]
    slots: Mapping[str, str]


@dataclass(frozen=True)
class Grid:
    """All choices of a sweep, checked."""

    formula: str
    outcomes: tuple[str, ...]
    swaps: Mapping[str, tuple[str, ...]]
    add: tuple[str, ...]
    fixed: tuple[str, ...]
    drop: Mapping[str, tuple[Hashable, ...]]
    years: tuple[tuple[Any, Any] | None, ...]
    models: tuple[str, ...]
    weights: Mapping[str, SpatialWeights]
    corrections: tuple[str, ...]
    vcovs: Mapping[str, tuple[str, Mapping[str, Any]]]

    def specifications(self) -> list[Specification]:
        """Every combination once; what a model does not have (W, effects to correct for) makes no second one."""
        found: dict[tuple[Any, ...], Specification] = {}
        swaps = list(product(*self.swaps.values()))
        loops = (self.outcomes, swaps, self.add, self.fixed, self.drop, self.years, self.models)
        for outcome, swap, add, fixed, drop, years, model in product(*loops):
            spec = get_model(model)
            spatial = spec.lag or spec.durbin or spec.error
            names = list(self.weights) if spatial and self.weights else [NO_WEIGHTS]
            corrections = self.corrections if fixed else ("not needed",)
            chosen = dict(zip(self.swaps, swap, strict=True))
            formula = write_formula(self.formula, outcome, chosen, add, fixed)
            for w, correction, vcov in product(names, corrections, self.vcovs):
                key = (outcome, swap, add, fixed, drop, years, model, w, correction, vcov)
                shown = {
                    "outcome": outcome, **chosen, "add": add or NONE, "fixed": fixed or NONE, "drop": drop,
                    "years": _window(years), "model": model, "w": w, "correction": correction, "vcov": vcov,
                }  # fmt: skip
                slots = {variable: slot for slot, variable in chosen.items()}
                found.setdefault(
                    key,
                    Specification(len(found), formula, model, correction, w, years, drop, vcov, shown, slots),
                )
        return list(found.values())

    def variables(self, options: Mapping[str, Any]) -> set[str]:
        """Names that any formula or option may ask of the data."""
        texts = [self.formula, *self.outcomes, *self.add, *(v for vs in self.swaps.values() for v in vs)]
        return set(_WORD.findall(" ".join([*texts, *map(str, options.values())])))


def _window(years: tuple[Any, Any] | None) -> str:
    return "all" if years is None else f"{years[0]}-{years[1]}"


def split_formula(formula: str) -> tuple[str, str, str]:
    """Outcome, right-hand side, effects."""
    main, _, tail = formula.partition("|")
    left, _, right = main.partition("~")
    return left.strip(), right.strip(), tail.strip()


def write_formula(formula: str, outcome: str, swap: Mapping[str, str], add: str, fixed: str) -> str:
    """The formula with another outcome, other regressors, more terms and other effects.

    Examples
    --------
    >>> write_formula("y ~ x + log(z) | unit", "q", {"z": "v"}, "w1 + w2", "unit + year")
    'q ~ x + log(v) + w1 + w2 | unit + year'
    """
    _, right, _ = split_formula(formula)
    if swap:
        right = _WORD.sub(lambda found: swap.get(found[0], found[0]), right)
    right = f"{right} + {add}" if add else right
    return f"{outcome} ~ {right}" + (f" | {fixed}" if fixed else "")


def build_grid(
    formula: str,
    data: pd.DataFrame,
    weights: Any,
    models: Sequence[str] | str,
    years: Sequence[Any] | None,
    outcomes: Sequence[str],
    swap: Mapping[str, Sequence[str]] | None,
    add: Sequence[str],
    fixed: Sequence[str],
    drop: Any,
    corrections: Sequence[str] | str,
    vcov: Any,
) -> Grid:
    """Check the choices; errors of one specification alone are left to its fit."""
    parse_formula(formula)
    outcome, right, effects = split_formula(formula)
    words = set(_WORD.findall(right))
    unknown = [name for name in swap or {} if name not in words]
    if unknown:
        raise ValueError(
            f"swap= names {enumerate_some(unknown)}, which the formula does not have; it has {', '.join(sorted(words))}"
        )
    alternatives = {slot: _distinct([slot, *_list(f"swap[{slot!r}]", v)]) for slot, v in (swap or {}).items()}
    named = named_weights(weights) if weights is not None else {}
    grid = Grid(
        formula,
        _distinct([outcome, *_list("outcomes", outcomes)]),
        alternatives,
        _distinct(["", *(text.strip().removeprefix("+").strip() for text in _list("add", add))]),
        _distinct([effects, *(_effects(text) for text in _list("fixed", fixed))]),
        {NONE: (), **_left_out(drop, data)},
        _windows(years),
        _distinct([get_model(m).name for m in ([models] if isinstance(models, str) else models)]),
        named,
        _distinct([corrections] if isinstance(corrections, str) else corrections),
        _covariances(vcov),
    )
    for spec in {s.formula: s for s in grid.specifications()}.values():
        parse_formula(spec.formula)
    return grid


def _list(name: str, values: Sequence[str]) -> list[str]:
    if isinstance(values, str):
        raise ValueError(f"{name}={values!r}: give a list, [{values!r}]")
    return list(values)


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(values))
    if not found:
        raise ValueError("every choice needs at least one value; leave the argument out to keep its default")
    return found


def _effects(text: str) -> str:
    return " + ".join(part.strip() for part in text.replace("|", "").split("+") if part.strip())


def _windows(years: Sequence[Any] | None) -> tuple[tuple[Any, Any] | None, ...]:
    """Windows from one (first, last), a list of them, or None."""
    if years is None:
        return (None,)
    if isinstance(years, tuple) and len(years) == 2 and not isinstance(years[0], (tuple, list)):
        return ((years[0], years[1]),)
    found = [None if window is None else tuple(window) for window in years]
    if not found or any(window is not None and len(window) != 2 for window in found):
        raise ValueError(f"years={years!r}: give windows (first, last), for instance [(2012, 2023), (2014, 2024)]")
    return tuple(dict.fromkeys(found))  # type: ignore[arg-type]


def _left_out(drop: Any, data: pd.DataFrame) -> dict[str, tuple[Hashable, ...]]:
    """Name of what is left out -> its units as the data write them."""
    if not isinstance(data, pd.DataFrame):
        raise TypeError(f"data is a {type(data).__name__}; pass a DataFrame with an index of units and periods")
    units = list(data.index.get_level_values(0).unique())
    if isinstance(drop, str) and drop == "each":
        return {str(unit): (unit,) for unit in units}
    if isinstance(drop, str):
        raise ValueError(f'drop={drop!r}: give "each", a list of units, or a mapping of names to units')
    groups = drop if isinstance(drop, Mapping) else {str(unit): (unit,) for unit in drop}
    return {str(name): tuple(_unit(u, units) for u in _members(members)) for name, members in groups.items()}


def _members(members: Any) -> list[Hashable]:
    return [members] if isinstance(members, (str, int)) else list(members)


def _unit(unit: Hashable, units: list[Hashable]) -> Hashable:
    if unit in units:
        return unit
    if provinces.is_province(unit):
        code = provinces.resolve(unit).adcode
        found = [u for u in units if provinces.is_province(u) and provinces.resolve(u).adcode == code]
        if found:
            return found[0]
    raise ValueError(f"drop= names {unit!r}, which the data do not have; they have {enumerate_some(units)}")


def _covariances(vcov: Any) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Name -> kind and options, from one kind, a list of kinds, or a mapping of names to (kind, options)."""
    if isinstance(vcov, str):
        vcov = [vcov]
    pairs = vcov if isinstance(vcov, Mapping) else {kind: (kind, {}) for kind in vcov}
    found: dict[str, tuple[str, Mapping[str, Any]]]
    found = {str(name): (how, {}) if isinstance(how, str) else (how[0], dict(how[1])) for name, how in pairs.items()}
    if not found:
        raise ValueError('vcov= is empty; give at least one, for instance "observed"')
    for kind, options in found.values():
        check_vcov(kind, options)
    return found


def without(w: SpatialWeights, units: Sequence[Hashable], dropped: Sequence[Hashable]) -> SpatialWeights:
    """W among the units that stay, standardised anew in its own way."""
    place = match(list(units), w.ids)
    gone = {place[unit] for unit in dropped}
    return w.subset([unit for i, unit in enumerate(w.ids) if i not in gone])
