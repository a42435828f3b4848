"""Which inputs an outcome shares with its regressors, by the definitions of the codebook."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.indicators import _frame, _style
from nqpf_spatial.indicators.composite_index import CompositeResult

Inputs = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Overlap:
    """What an outcome and its regressors have in common by definition.

    Attributes
    ----------
    outcome : tuple of str
        The variable, or the indicators of the index.
    regressors : tuple of str
    table : DataFrame
        One row per regressor and shared variable: ``regressor, shared, kind``, the way from the outcome
        and the way from the regressor down to it. Only the first shared variable on each way is listed,
        not what that one is made of in turn. ``kind``: "regressor inside outcome", "outcome inside
        regressor" (an indicator, for an index), "common ingredient".
    """

    outcome: tuple[str, ...]
    regressors: tuple[str, ...]
    table: pd.DataFrame

    def __bool__(self) -> bool:
        """Whether anything is shared."""
        return len(self.table) > 0

    def __iter__(self) -> object:
        """Shared variables of each regressor: pairs (regressor, tuple of names)."""
        return iter((r, tuple(self.table.loc[self.table["regressor"] == r, "shared"])) for r in self.regressors)

    def _title(self) -> str:
        name = self.outcome[0] if len(self.outcome) == 1 else f"index of {len(self.outcome)} indicators"
        clean = [r for r in self.regressors if r not in set(self.table["regressor"])]
        none = f"; nothing shared with {', '.join(clean)}" if clean else ""
        return f"Overlap of {name} with its regressors{none}"

    def __repr__(self) -> str:
        return _style.text_page(self._title(), self.table, [])

    def _repr_html_(self) -> str:
        return _style.html_page(self._title(), self.table, [])


def overlap_check(
    outcome: str | Sequence[str] | CompositeResult,
    regressors: Sequence[str],
    codebook: pd.DataFrame | Mapping[str, Sequence[str]] | None = None,
) -> Overlap:
    """List the inputs that an outcome shares with its regressors.

    A composite index that contains a regressor, or a ratio with the outcome's denominator, correlates
    with it by construction. Inputs of derived variables are followed recursively.

    Parameters
    ----------
    outcome : str, sequence of str, or CompositeResult
        A variable of the codebook, the indicators of an index, or an index.
    regressors : sequence of str
        Variables of the codebook. Spatial lags (``W:x``) are made of other units' values and need no check.
    codebook : DataFrame or mapping, optional
        Definitions other than the packaged ones: a frame with a column ``inputs`` (names separated by
        blanks), or a mapping variable -> inputs (empty for published ones).

    Returns
    -------
    Overlap

    Raises
    ------
    DataSourceError
        A variable is not in the codebook.

    Examples
    --------
    >>> found = overlap_check("ln_gdp_real_pc", ["ln_broadband_pc", "ln_rd_intensity", "urbanization_rate"])
    >>> dict(found)
    {'ln_broadband_pc': ('population',), 'ln_rd_intensity': ('gdp',), 'urbanization_rate': ()}
    """
    inputs = _inputs(codebook)
    if isinstance(outcome, CompositeResult):
        names = tuple(str(c) for c in outcome.weights.index)
    else:
        names = (outcome,) if isinstance(outcome, str) else tuple(outcome)
    wanted = tuple(regressors)
    _known((*names, *wanted), inputs)
    rows = []
    for regressor in wanted:
        down = _paths(regressor, inputs)
        for start in names:
            for shared, way in _first_shared(start, down, inputs).items():
                kind = _kind(shared, start, regressor)
                rows.append((regressor, shared, kind, " <- ".join(way), " <- ".join(down[shared])))
    columns = ["regressor", "shared", "kind", "way from the outcome", "way from the regressor"]
    return Overlap(names, wanted, pd.DataFrame(rows, columns=columns))


def _kind(shared: str, start: str, regressor: str) -> str:
    if shared == regressor:
        return "regressor inside outcome"
    return "outcome inside regressor" if shared == start else "common ingredient"


def _inputs(codebook: pd.DataFrame | Mapping[str, Sequence[str]] | None) -> Inputs:
    if codebook is None:
        from nqpf_spatial.data import codebook as packaged
        from nqpf_spatial.indicators.tables import ratio_inputs

        return {**ratio_inputs(), **_inputs(packaged())}
    if isinstance(codebook, pd.DataFrame):
        texts = codebook["inputs"].fillna("")
        return {str(k): tuple(str(v).replace(";", " ").split()) for k, v in texts.items()}
    return {str(k): tuple(v) for k, v in codebook.items()}


def _known(names: Sequence[str], inputs: Inputs) -> None:
    unknown = [n for n in names if n not in inputs]
    if unknown:
        near = difflib.get_close_matches(unknown[0], inputs, n=3)
        hint = f"; near {unknown[0]!r}: {', '.join(near)}" if near else ""
        raise DataSourceError(f"not in the codebook: {_frame.shorten(unknown)}{hint}")


def _paths(variable: str, inputs: Inputs) -> dict[str, tuple[str, ...]]:
    """The variable and everything it is made of, each with the shortest way down to it."""
    ways: dict[str, tuple[str, ...]] = {variable: (variable,)}
    level = [variable]
    while level:
        below = []
        for parent in level:
            for child in inputs.get(parent, ()):
                if child not in ways:
                    ways[child] = (*ways[parent], child)
                    below.append(child)
        level = below
    return ways


def _first_shared(start: str, down: Mapping[str, object], inputs: Inputs) -> dict[str, tuple[str, ...]]:
    """First variable of ``down`` on every way from ``start``; what lies under it is not followed."""
    found: dict[str, tuple[str, ...]] = {}
    seen = {start}
    level: list[tuple[str, ...]] = [(start,)]
    while level:
        below = []
        for way in level:
            if way[-1] in down:
                found.setdefault(way[-1], way)
                continue
            for child in inputs.get(way[-1], ()):
                if child not in seen:
                    seen.add(child)
                    below.append((*way, child))
        level = below
    return found
