"""Any single result as a printed table: `nq.report.table`."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from nqpf_spatial.models.bayes.posterior import Posterior
from nqpf_spatial.models.diagnostics import Diagnosis
from nqpf_spatial.models.gmm.results import GMMFit
from nqpf_spatial.models.impacts.inference import STATISTICS, Impacts
from nqpf_spatial.models.naming import check_lang
from nqpf_spatial.models.results import SpatialFit
from nqpf_spatial.models.sweep.result import Sweep
from nqpf_spatial.report.compare import Comparison, compare, is_share, without_wald, zero_by_model
from nqpf_spatial.report.fit_rows import fit_rows
from nqpf_spatial.report.grid import Cell, Row, Table, count, number, probability, significant, stars_of
from nqpf_spatial.report.readings import Reading
from nqpf_spatial.report.style import labels_of
from nqpf_spatial.report.table_words import say


def table(
    result: Any,
    *,
    digits: int = 4,
    lang: str = "en",
    labels: Mapping[str, str] | None = None,
    stars: bool | Mapping[str, float] | Sequence[float] = False,
    alpha: float = 0.05,
    title: str = "",
    notes: Sequence[str] = (),
) -> Table:
    """One result as a table for print: text, HTML, LaTeX, Word, Excel, Markdown.

    Parameters
    ----------
    result : SpatialFit, GMMFit, Impacts, Posterior, Diagnosis, Comparison, Sweep, DataFrame, Series, or anything with a ``table``
        Fits and impacts have one row per parameter and columns for estimate, standard error, z, p and interval. A sweep
        has its summary. Frames are printed as they are: rows of a two-level index in blocks, floats with `digits` decimals.
    digits : int
    lang : {"en", "zh"}
    labels : mapping, optional
        Names of variables or parameters -> what to print; of columns and rows too where `result` is a frame.
    stars : bool, levels or mapping
        As in `nqpf_spatial.compare`; none by default, as z and p are printed.
    alpha : float
        1 - level of the intervals; impacts keep the level they were made with.
    title : str
    notes : sequence of str
        Added below.

    Returns
    -------
    Table
        ``to_text()``, ``to_markdown()``, ``to_html()``, ``to_latex()``, ``to_word()``, ``to_excel()``.

    Raises
    ------
    TypeError
        Nothing in the object that could be printed.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> w = nq.weights.contiguity()
    >>> data = nq.simulate("SAR", w, T=6, params={"x": 1.0, "rho": 0.4}, seed=1)
    >>> res = nq.sar("y ~ x | unit + period", data, w)
    >>> printed = nq.report.table(res, digits=3)
    >>> printed.frame.index.get_level_values("label").tolist()[:3]
    ['x', 'ρ', 'σ²']
    """
    check_lang(lang)
    if isinstance(result, Table):
        return result
    if isinstance(result, Comparison):
        return result.table
    if isinstance(result, (SpatialFit, GMMFit, Impacts, Posterior)):
        show = "coefficients"
        if isinstance(result, Impacts):
            show, alpha = "impacts", result.alpha
        read = compare({"": result}, show=show, stars=stars, digits=digits, alpha=alpha, lang=lang, labels=labels)
        return _of_one(read, title, notes)
    if isinstance(result, Diagnosis):
        return _diagnosis(result.with_lang(lang), title, notes)
    if isinstance(result, Sweep):
        return _frame(result.summary(), digits, lang, labels or {}, title or result.formula, notes)
    if isinstance(result, pd.Series):
        return _frame(result.to_frame(), digits, lang, labels or {}, title, notes)
    if isinstance(result, pd.DataFrame):
        return _frame(result, digits, lang, labels or {}, title, notes)
    inner = getattr(result, "table", None)
    if isinstance(inner, pd.DataFrame):
        return _frame(inner, digits, lang, labels or {}, title, notes)
    raise TypeError(
        f"a {type(result).__name__} has no table: pass a fit, impacts, a diagnosis, a comparison, a DataFrame or a result with "
        "a .table"
    )


def _of_one(read: Comparison, title: str, notes: Sequence[str]) -> Table:
    """Columns estimate, se, z, p, lower, upper instead of one column with brackets."""
    style, (reading,) = read.style, read.readings
    lang, labels = style.lang, labels_of(read.readings, style)
    exact = read.frame.droplevel(0, axis=1)
    rows = [
        Row(say(block, lang), labels[term], _cells(_tested(values, reading, term), block, style.digits, style.stars))
        for (block, term), values in exact.iterrows()
    ]
    level = f"{100 * (1 - style.alpha):g}%"
    heads = [say(name, lang) for name in STATISTICS[:4]] + [f"[{level}", f"{level}]"]
    below = [row for row in fit_rows([reading], [""], style.digits, lang) if row.cells[0].value is not None]
    line = ("；" if lang == "zh" else "; ").join(f"{row.label} {row.cells[0].text}" for row in below)
    kept = [note for note in read.table.notes if note != read.table.notes[1]]
    legend = [] if not style.stars else [read.table.notes[1]]
    heading = title or read.table.header[0][0]
    return Table(heading, (tuple(heads),), tuple(rows), (line, *legend, *kept, *notes), lang, exact)


def _tested(values: pd.Series, reading: Reading, term: str) -> pd.Series:
    """The numbers of a row; a share at the end of its range has no Wald test."""
    return without_wald(values) if is_share(reading, term) else values


def _cells(values: pd.Series, block: str, digits: int, stars: Mapping[str, float]) -> tuple[Cell, ...]:
    if block == "Variance":
        return (
            significant(values["estimate"], digits),
            significant(values["se"], digits),
            Cell(),
            Cell(),
            Cell(),
            Cell(),
        )
    if zero_by_model(values):
        return (Cell("0", 0.0, "0"), *[Cell()] * 5)
    return (
        number(values["estimate"], digits, stars=stars_of(values["p"], stars)),
        number(values["se"], digits),
        number(values["z"], 3),
        probability(values["p"], 3),
        number(values["lower"], digits),
        number(values["upper"], digits),
    )


def _diagnosis(result: Diagnosis, title: str, notes: Sequence[str]) -> Table:
    """The battery of tests in its groups."""
    heads, printed = result.headings, result.printed()
    columns = [
        name for name in ("scope", "estimate", "statistic", "df", "pvalue", "null") if printed[name].astype(bool).any()
    ]
    exact = result.table
    rows = []
    for i, (name, row) in enumerate(printed.iterrows()):
        cells = [_exact(row[c], exact[c].iloc[i]) for c in columns]
        rows.append(Row(str(row["group"]), str(name), tuple(cells)))
    at = result.lang == "zh"
    said = [f"{t.names[at]} {t.scope}".strip() + f": {t.note}" for t in result.tests if t.note]
    header = (tuple(heads[c] for c in columns),)
    kept = tuple(dict.fromkeys(said))
    return Table(title or result.title, header, tuple(rows), (*kept, *notes), result.lang, exact)


def _exact(text: str, value: Any) -> Cell:
    """The printed text; in a workbook the number itself, shown with as many decimals."""
    plain = isinstance(value, numbers.Real) and not pd.isna(value) and text.replace(".", "").replace("-", "").isdigit()
    if not plain:
        return Cell(text)
    decimals = len(text.partition(".")[2])
    return Cell(text, float(value), "0." + "0" * decimals if decimals else "0")


def _frame(
    frame: pd.DataFrame, digits: int, lang: str, labels: Mapping[str, str], title: str, notes: Sequence[str]
) -> Table:
    """Any frame: the first level of a row index of several levels makes the blocks."""
    if not len(frame.columns) or not len(frame):
        raise ValueError("the table is empty: there is nothing to print")
    rows = []
    for position, key in enumerate(frame.index):
        parts = [labels.get(str(p), str(p)) for p in (key if isinstance(key, tuple) else (key,))]
        block, label = ("", parts[0]) if len(parts) == 1 else (parts[0], " ".join(parts[1:]))
        cells = tuple(_any(frame.iat[position, j], digits, lang) for j in range(frame.shape[1]))
        rows.append(Row(block, label, cells))
    heads = [c if isinstance(c, tuple) else (c,) for c in frame.columns]
    levels = tuple(tuple(labels.get(str(h[i]), str(h[i])) for h in heads) for i in range(len(heads[0])))
    return Table(title, levels, tuple(_contiguous(rows)), tuple(notes), lang, frame)


def _contiguous(rows: Sequence[Row]) -> list[Row]:
    """Rows of a block next to each other, blocks in order of appearance."""
    blocks = list(dict.fromkeys(row.block for row in rows))
    return sorted(rows, key=lambda row: blocks.index(row.block))


def _any(value: Any, digits: int, lang: str) -> Cell:
    value = value.item() if hasattr(value, "item") else value
    if value is None or value is pd.NA or value is pd.NaT:
        return Cell()
    if isinstance(value, bool):
        return Cell({True: ("yes", "是"), False: ("no", "否")}[value][lang == "zh"])
    if isinstance(value, numbers.Integral):
        return count(value)
    if isinstance(value, numbers.Real):
        return number(value, digits)
    return Cell(str(value))
