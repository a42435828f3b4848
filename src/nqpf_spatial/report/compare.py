"""Results side by side: `nq.compare`."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from typing import Any

import pandas as pd

from nqpf_spatial.models.bayes.averaging import ModelProbabilities
from nqpf_spatial.models.impacts.inference import STATISTICS
from nqpf_spatial.models.labels import enumerate_some
from nqpf_spatial.report.compare_notes import columns_by, notes
from nqpf_spatial.report.fit_rows import fit_rows
from nqpf_spatial.report.grid import Cell, Row, Table, number, probability, significant, stars_of
from nqpf_spatial.report.readings import Reading, read, same_runs
from nqpf_spatial.report.style import Style, check_names, labels_of, make_style, numbers_of, select
from nqpf_spatial.report.table_words import say

CRITERIA = ("llf", "aic", "bic")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Results side by side, made by `nqpf_spatial.compare`.

    Attributes
    ----------
    names : tuple
        Keys of the columns; tuples where the keys have several levels.
    readings : tuple of Reading
        The results in numbers.
    style : Style
    """

    names: tuple[Any, ...]
    readings: tuple[Reading, ...]
    style: Style

    @cached_property
    def _rows(self) -> list[tuple[str, str]]:
        return select(self.readings, self.style)

    @property
    def frame(self) -> pd.DataFrame:
        """Numbers in full precision: rows (block, term), columns (name, ..., statistic); NaN where a result has no such term."""
        parts = [numbers_of(reading).reindex(pd.MultiIndex.from_tuples(self._rows)) for reading in self.readings]
        found = pd.concat(parts, axis=1)
        found.index.names = ["block", "term"]
        heads = [(*_levels_of(name), s) for name in self.names for s in STATISTICS]
        levels = len(heads[0]) - 1
        found.columns = pd.MultiIndex.from_tuples(
            heads, names=[*(["result"] if levels == 1 else [None] * levels), "statistic"]
        )
        return found

    @property
    def statistics(self) -> pd.DataFrame:
        """What stands below the coefficients, one column per result: W, effects, n, log-likelihood and its criteria."""
        keys = ("units", "periods", "nobs", "n", "llf", "aic", "bic", "r2", "instruments", "first stage")
        table: dict[Any, dict[str, Any]] = {}
        for name, reading in zip(self.names, self.readings, strict=True):
            first = {"model": reading.model, "w": " + ".join(reading.facts["w names"]), "outcome": reading.outcome}
            table[name] = first | {key: reading.facts.get(key) for key in keys} | {"group": self._groups.get(name)}
        found = pd.DataFrame(table, dtype=object)
        return found.loc[found.notna().any(axis=1)]

    @cached_property
    def _groups(self) -> dict[Any, str]:
        """Letter of the set of comparable likelihoods each result belongs to."""
        seen: list[Mapping[str, object]] = []
        groups = {}
        for name, reading in zip(self.names, self.readings, strict=True):
            if reading.likelihood is None:
                continue
            if reading.likelihood not in seen:
                seen.append(reading.likelihood)
            groups[name] = chr(ord("A") + seen.index(reading.likelihood))
        return groups

    def rank(self, criterion: str = "bic") -> pd.DataFrame:
        """Results by a criterion, best first.

        Parameters
        ----------
        criterion : {"bic", "aic", "llf"}

        Returns
        -------
        DataFrame
            Indexed by name: the criterion and the difference to the best.

        Raises
        ------
        ValueError
            The likelihoods are not about the same observations (other n, outcome, effects, correction), or a result has none.
        """
        if criterion not in CRITERIA:
            raise ValueError(f"criterion={criterion!r} is not known; choose one of {', '.join(map(repr, CRITERIA))}")
        lacking = [str(n) for n in self.names if n not in self._groups]
        if lacking:
            raise ValueError(f"{enumerate_some(lacking)} have no likelihood, so that no {criterion} ranks them")
        first = self.readings[0].likelihood or {}
        for name, reading in zip(self.names, self.readings, strict=True):
            other = reading.likelihood or {}
            keys = dict.fromkeys([*first, *other])
            differing = [f"{k} ({first.get(k)} against {other.get(k)})" for k in keys if first.get(k) != other.get(k)]
            if differing:
                raise ValueError(
                    f"{self.names[0]} and {name} are not likelihoods of the same observations: {', '.join(differing)}. Fit "
                    "them to the same data with the same effects and correction"
                )
        values = pd.Series([r.facts[criterion] for r in self.readings], index=_index(self.names), name=criterion)
        values = values.sort_values(ascending=criterion != "llf", kind="stable")
        return pd.DataFrame({criterion: values, "difference": values - values.iloc[0]})

    def restyle(self, **options: Any) -> Comparison:
        """The same results printed otherwise: any of ``stars, brackets, digits, lang, labels, keep, drop, order, title``."""
        fixed = [name for name in options if name in ("show", "alpha")]
        unknown = [name for name in options if name not in Style.__dataclass_fields__]
        if fixed or unknown:
            raise ValueError(f"{', '.join(fixed + unknown)} cannot be changed afterwards; call nq.compare again")
        style = {name: getattr(self.style, name) for name in Style.__dataclass_fields__}
        made = replace(self, style=make_style(**{**style, **options}))
        check_names(made.readings, made.style)
        return made

    @cached_property
    def table(self) -> Table:
        """The printed table; `Table` has all formats."""
        labels = labels_of(self.readings, self.style)
        rows = [row for key in self._rows for row in self._printed(key, labels)]
        rows += fit_rows(
            self.readings, [self._groups.get(n, "") for n in self.names], self.style.digits, self.style.lang
        )
        heads = columns_by(self.names)
        return Table(
            self.style.title,
            _header(self.names, self.readings, labels, self.style.lang),
            tuple(rows),
            tuple(notes(self.readings, heads, self.style, labels, self._groups, self.names, self._hidden)),
            self.style.lang,
            self.frame,
        )

    @cached_property
    def _hidden(self) -> list[str]:
        shown = {term for _, term in self._rows}
        terms = dict.fromkeys(term for r in self.readings for _, term in numbers_of(r).index)
        return [term for term in terms if term not in shown]

    def _printed(self, key: tuple[str, str], labels: Mapping[str, str]) -> list[Row]:
        """The row of estimates and, below it, that of the brackets."""
        block, term = key
        style = self.style
        upper, lower = [], []
        for reading in self.readings:
            numbers = numbers_of(reading)
            found = numbers.loc[key] if key in numbers.index else None
            if found is not None and is_share(reading, term):
                found = without_wald(found)
            upper.append(Cell() if found is None else _estimate(found, block, style))
            lower.append(Cell() if found is None else _bracket(found, block, style))
        head = say(block, style.lang)
        rows = [Row(head, labels[term], tuple(upper))]
        return [*rows, Row(head, "", tuple(lower))] if any(cell.text for cell in lower) else rows

    def to_text(self, path: str | PathLike[str] | None = None) -> str:
        """See `nqpf_spatial.report.Table.to_text`."""
        return self.table.to_text(path)

    def to_markdown(self, path: str | PathLike[str] | None = None) -> str:
        """See `nqpf_spatial.report.Table.to_markdown`."""
        return self.table.to_markdown(path)

    def to_latex(self, path: str | PathLike[str] | None = None, **options: Any) -> str:
        """With ``caption=``, ``label=``, ``longtable=``: see `nqpf_spatial.report.Table.to_latex`."""
        return self.table.to_latex(path, **options)

    def to_html(self, path: str | PathLike[str] | None = None, *, caption: str | None = None) -> str:
        """See `nqpf_spatial.report.Table.to_html`."""
        return self.table.to_html(path, caption=caption)

    def to_word(self, path: str | PathLike[str], *, caption: str | None = None) -> None:
        """See `nqpf_spatial.report.Table.to_word`."""
        self.table.to_word(path, caption=caption)

    def to_excel(self, path: str | PathLike[str]) -> None:
        """See `nqpf_spatial.report.Table.to_excel`."""
        self.table.to_excel(path)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


def compare(
    fits: Mapping[Any, Any] | Sequence[Any] | Any,
    *,
    show: str = "coefficients",
    stars: bool | Mapping[str, float] | Sequence[float] = True,
    brackets: str = "se",
    digits: int = 4,
    alpha: float = 0.05,
    lang: str = "en",
    labels: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    order: Sequence[str] = (),
    title: str = "",
) -> Comparison:
    """Results side by side, in the blocks Main, Wx, Time, Spatial and Variance, with notes that say how they were made.

    Parameters
    ----------
    fits : mapping, sequence or one result
        Fits of `nqpf_spatial.fit` (fixed, random and Mundlak effects) and `nqpf_spatial.gmm`, impacts, the result of
        `nqpf_spatial.model_probabilities`, posteriors (``fit.posterior()``), and results of statsmodels, linearmodels or pyfixest (read by maketables). Keys of
        a mapping are the heads of the columns; tuples as keys, such as ``("SDM", "queen")``, make several levels.
    show : {"coefficients", "impacts", "both"}
        ``"impacts"``: direct, indirect and total effects by the delta method; for other inference pass the impacts themselves,
        ``{"queen": fit.impacts(method="simulate")}``. Of dynamic fits they are those of the short and the long run; other
        horizons are columns of their own, ``{h: fit.impacts(horizon=h) for h in (0, 2, "long")}``.
    stars : bool, levels or mapping
        ``True`` is ``{"*": 0.1, "**": 0.05, "***": 0.01}``.
    brackets : {"se", "t", "p", "ci", "none"}
        What stands below an estimate; ``"t"`` is the estimate over its standard error.
    digits : int
        Decimals; variances and numbers that would read as zero are printed in significant figures.
    alpha : float
        1 - level of the intervals.
    lang : {"en", "zh"}
    labels : mapping, optional
        Name of a variable or a parameter -> what to print. Variables of the packaged panel have the labels of the codebook.
    keep, drop, order : sequence of str
        Regressors by name or pattern (``"ln_*"``); a variable stands for its spatial and time lags too, ``"W:x"`` for the lag alone.
        rho, lambda and the variances always stay unless dropped by name. The notes say what is not shown.
    title : str

    Returns
    -------
    Comparison
        Frozen: ``frame``, ``statistics``, ``rank()``, ``to_latex()``, ``to_word()``, ``to_excel()``, ``to_html()``,
        ``to_markdown()``.

    Raises
    ------
    ValueError
        Nothing to compare, unknown options or names, effects of a result that has none.
    TypeError
        An object that is no result.

    Notes
    -----
    AIC and BIC are printed for every result with a likelihood. Results whose likelihoods are not about the same
    observations (other n, outcome, effects or correction) carry different letters, and `Comparison.rank` refuses to rank them.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SDM", w, T=8, params={"x": 1.0, "W:x": 0.5, "rho": 0.4}, seed=1)
    >>> fits = {m: nq.fit("y ~ x | unit + period", data, w, model=m) for m in ("SAR", "SDM")}
    >>> both = nq.compare(fits, digits=2)
    >>> bool(both.frame.loc[("Wx", "W:x"), ("SDM", "estimate")] == fits["SDM"].params["W:x"])
    True
    >>> both.rank("aic").index[0]
    'SDM'
    """
    names, results = _named(fits)
    style = make_style(show, stars, brackets, digits, alpha, lang, labels, keep, drop, order, title)
    readings = same_runs([read(result, style.show, alpha) for result in results])
    check_names(readings, style)
    return Comparison(names, readings, style)


def _named(fits: Any) -> tuple[tuple[Any, ...], list[Any]]:
    if isinstance(fits, ModelProbabilities):
        fits = fits.fits
    if isinstance(fits, Mapping):
        names, results = list(fits), list(fits.values())
    else:
        results = list(fits) if isinstance(fits, (list, tuple)) else [fits]
        names = [f"({i})" for i in range(1, len(results) + 1)]
    if not results:
        raise ValueError("there is nothing to compare: pass one or more results")
    if len({len(_levels_of(name)) for name in names}) > 1:
        raise ValueError(f"the keys {enumerate_some(names)} have different numbers of levels")
    return tuple(names), results


def _levels_of(name: Hashable) -> tuple[Any, ...]:
    return name if isinstance(name, tuple) else (name,)


def _index(names: Iterable[Any]) -> pd.Index:
    found = list(names)
    return pd.MultiIndex.from_tuples(found) if isinstance(found[0], tuple) else pd.Index(found, name="result")


def zero_by_model(row: pd.Series) -> bool:
    """An effect that the model does not have: spillovers of a model without spatial lags of y and X."""
    return bool(row["estimate"] == 0.0 and row["se"] == 0.0)


def is_share(reading: Reading, term: str) -> bool:
    """A share of a combined W: zero is the end of its range, where a Wald test has no normal distribution."""
    return bool(reading.facts.get("matrix terms", {}).get(term, ("",))[0] == "share")


def without_wald(row: pd.Series) -> pd.Series:
    """The estimate and its standard error alone."""
    return row.where(row.index.isin(["estimate", "se"]))


def _estimate(row: pd.Series, block: str, style: Style) -> Cell:
    if block == "Variance":
        return significant(row["estimate"], style.digits)
    if zero_by_model(row):
        return Cell("0", 0.0, "0")
    return number(row["estimate"], style.digits, stars=stars_of(row["p"], style.stars))


def _bracket(row: pd.Series, block: str, style: Style) -> Cell:
    around = ("(", ")")
    if zero_by_model(row):
        return Cell()
    if block == "Variance":
        return significant(row["se"], style.digits, around) if style.brackets == "se" else Cell()
    if style.brackets == "se":
        return number(row["se"], style.digits, around)
    if style.brackets == "t":
        return number(row["z"], style.digits, around)
    if style.brackets == "p":
        return probability(row["p"], style.digits, around)
    ends = [number(row[name], style.digits).text for name in ("lower", "upper")]
    return Cell(f"[{ends[0]}, {ends[1]}]") if style.brackets == "ci" and all(ends) else Cell()


def _header(
    names: Sequence[Any], readings: Sequence[Reading], labels: Mapping[str, str], lang: str
) -> tuple[tuple[str, ...], ...]:
    """Outcome where there are several, model where the keys do not name it, then the keys."""
    keys = list(zip(*[[str(part) for part in _levels_of(name)] for name in names], strict=True))
    models = tuple(say("dynamic model", lang, model=r.model) if "dynamic" in r.facts else r.model for r in readings)
    levels = [tuple(level) for level in keys]
    named = [any(m in str(part) for part in _levels_of(n)) for n, m in zip(names, models, strict=True)]
    if not all(named):
        levels.insert(0, models)
    outcomes = tuple(labels[r.outcome] for r in readings)
    return (outcomes, *levels) if len(set(outcomes)) > 1 else tuple(levels)
