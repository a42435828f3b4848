"""A test and a table of tests: frozen values that know how to show themselves in two languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import Any, ClassVar

import pandas as pd

from nqpf_spatial.models.diagnostics._catalogue import CATALOGUE, GROUPS, HEADINGS

LANGUAGES = ("en", "zh")
_COLUMNS = ("scope", "estimate", "statistic", "df", "pvalue", "null", "source", "note")
_NAN = float("nan")


@dataclass(frozen=True)
class Test:
    """One test.

    Attributes
    ----------
    key : str
        Short name of the test, the same in every language.
    statistic : float
        NaN if the test was not computed; `note` then says why.
    df : int or None
        Degrees of freedom of a chi-squared or (numerator) F distribution; None for normal and t statistics.
    pvalue : float
        NaN where no distribution belongs to the statistic.
    scope : str
        What the test was computed on: a year, ``"pooled"``, the fixed effects, the restricted model.
    estimate : float
        Quantity behind the statistic (Moran's I, a slope, a parameter); NaN if there is none.
    df_denominator : int or None
        Second degrees of freedom of an F statistic.
    note : str
        What to know when reading the row.
    names, nulls : (str, str)
        Name and null hypothesis in English and Chinese.
    source : str
    """

    __test__: ClassVar[bool] = False  # not a test case for pytest

    key: str
    statistic: float
    df: int | None
    pvalue: float
    scope: str = ""
    estimate: float = _NAN
    df_denominator: int | None = None
    note: str = ""
    names: tuple[str, str] = ("", "")
    nulls: tuple[str, str] = ("", "")
    source: str = ""

    @property
    def name(self) -> str:
        """Name in English."""
        return self.names[0]

    @property
    def null(self) -> str:
        """Null hypothesis in English."""
        return self.nulls[0]

    @property
    def group(self) -> str:
        """Section of the table."""
        return CATALOGUE[self.key].group

    @property
    def computed(self) -> bool:
        """False for a row that only says why there is no number."""
        return self.statistic == self.statistic

    def __repr__(self) -> str:
        if not self.computed:
            return f"{self.name} ({self.scope}): {self.note}" if self.scope else f"{self.name}: {self.note}"
        where = f" ({self.scope})" if self.scope else ""
        null = f"; H0: {self.null}" if self.null else ""
        return f"{self.name}{where}: statistic {self.statistic:.6g}, df {_df(self) or '-'}, p {_p(self.pvalue) or '-'}{null}"


def make(key: str, statistic: float, df: int | None, pvalue: float, **fields: Any) -> Test:
    """A `Test` with name, null and source from the catalogue unless given."""
    entry = CATALOGUE[key]
    given = {"names": entry.name, "nulls": entry.null, "source": entry.source, **fields}
    # one NaN object, so that equal tests compare equal
    statistic, pvalue = (float(v) if v == v else _NAN for v in (statistic, pvalue))
    return Test(key, statistic, df, pvalue, **given)


def not_computed(key: str, why: str, scope: str = "") -> Test:
    """A row without a number that says what it would need."""
    return make(key, _NAN, None, _NAN, scope=scope, note=f"not computed: {why}")


@dataclass(frozen=True)
class Diagnosis:
    """Tests in the order of the table.

    Attributes
    ----------
    tests : tuple of Test
    lang : {"en", "zh"}
        Language of test names and null hypotheses.
    title : str

    Examples
    --------
    >>> d = Diagnosis((make("lm_lag", 4.0, 1, 0.0455, scope="pooled"),), title="LM tests")
    >>> d["lm_lag"].df, d.with_lang("zh").table.index[0]
    (1, 'LM 滞后检验')
    """

    tests: tuple[Test, ...]
    lang: str = "en"
    title: str = ""

    def __post_init__(self) -> None:
        if self.lang not in LANGUAGES:
            raise ValueError(f"lang={self.lang!r} is not known; choose one of {', '.join(map(repr, LANGUAGES))}")

    def __iter__(self) -> Iterator[Test]:
        return iter(self.tests)

    def __len__(self) -> int:
        return len(self.tests)

    def __getitem__(self, key: str | tuple[str, str]) -> Test:
        """A test by key, or by (key, scope) where a key occurs more than once."""
        name, scope = key if isinstance(key, tuple) else (key, None)
        found = [t for t in self.tests if t.key == name and scope in (None, t.scope)]
        if len(found) == 1:
            return found[0]
        if not found:
            known = sorted({t.key for t in self.tests})
            raise KeyError(f"no test {key!r} here; the keys are {', '.join(known)}")
        scopes = ", ".join(repr((name, t.scope)) for t in found)
        raise KeyError(f"{name!r} occurs {len(found)} times; ask for one of {scopes}")

    def select(self, key: str) -> Diagnosis:
        """All tests with this key."""
        return replace(self, tests=tuple(t for t in self.tests if t.key == key))

    def with_lang(self, lang: str) -> Diagnosis:
        """The same tests under English ("en") or Chinese ("zh") names; a new object."""
        return replace(self, lang=lang)

    @property
    def table(self) -> pd.DataFrame:
        """One row per test, indexed by its name.

        Columns scope, estimate, statistic, df, pvalue, null, source, note, df_denominator, key, group.
        """
        at = LANGUAGES.index(self.lang)
        rows = [
            {
                "scope": t.scope,
                "estimate": t.estimate,
                "statistic": t.statistic,
                "df": t.df,
                "pvalue": t.pvalue,
                "null": t.nulls[at],
                "source": t.source,
                "note": t.note,
                "df_denominator": t.df_denominator,
                "key": t.key,
                "group": GROUPS[t.group][at],
            }
            for t in self.tests
        ]
        columns = [*_COLUMNS, "df_denominator", "key", "group"]
        index = pd.Index([t.names[at] for t in self.tests], name="test")
        frame = pd.DataFrame(rows, index=index, columns=columns)
        return frame.astype({"df": "Int64", "df_denominator": "Int64"})

    def to_latex(self, **options: Any) -> str:
        """The table in LaTeX through `pandas.DataFrame.to_latex`; `options` go there. Numbers are rounded for print."""
        heads = HEADINGS[self.lang]
        table = self.printed()
        frame = table[["scope", "statistic", "df", "pvalue", "null", "source"]].rename(columns=heads)
        frame.index.name = heads["name"]
        return frame.to_latex(**{"escape": True, **options})

    @property
    def headings(self) -> dict[str, str]:
        """Names of the columns in the language of the table."""
        return dict(HEADINGS[self.lang])

    def printed(self) -> pd.DataFrame:
        """The table with its numbers rounded for print, as strings."""
        table = self.table
        return table.assign(
            estimate=[_number(v) for v in table["estimate"]],
            statistic=[_number(t.statistic) if t.computed or t.estimate == t.estimate else "-" for t in self.tests],
            df=[_df(t) for t in self.tests],
            pvalue=[_p(v) for v in table["pvalue"]],
        )

    def __repr__(self) -> str:
        heads, table = HEADINGS[self.lang], self.printed()
        shown = table[["scope", "estimate", "statistic", "df", "pvalue", "null"]].rename(columns=heads)
        lines = [self.title, "=" * max(len(self.title), 20)] if self.title else []
        for group in dict.fromkeys(table["group"]):
            part = shown[table["group"] == group]
            body = part.rename_axis(None).to_string(justify="left", max_colwidth=100)
            lines += [group, *("  " + line for line in body.splitlines())]
        notes = [
            f"{t.names[LANGUAGES.index(self.lang)]} {t.scope}".strip() + f": {t.note}" for t in self.tests if t.note
        ]
        return "\n".join([*lines, *(["", *dict.fromkeys(notes)] if notes else [])])

    def _repr_html_(self) -> str:
        heads, table = HEADINGS[self.lang], self.printed()
        columns = [c for c in _COLUMNS if table[c].astype(bool).any()]
        head = "".join(f"<th>{escape(heads[c])}</th>" for c in ("name", *columns))
        rows = []
        for group in dict.fromkeys(table["group"]):
            rows.append(f'<tr><th colspan="{len(columns) + 1}" style="text-align:left">{escape(group)}</th></tr>')
            for name, row in table[table["group"] == group].iterrows():
                cells = "".join(f'<td style="text-align:left">{escape(str(row[c]))}</td>' for c in columns)
                rows.append(f'<tr><td style="text-align:left">{escape(str(name))}</td>{cells}</tr>')
        caption = f"<caption style='text-align:left'><b>{escape(self.title)}</b></caption>" if self.title else ""
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _df(test: Test) -> str:
    if test.df is None:
        return ""
    return str(test.df) if test.df_denominator is None else f"{test.df}, {test.df_denominator}"


def _number(value: float) -> str:
    return "" if value != value else f"{value:.4g}"


def _p(value: float) -> str:
    if value != value:
        return ""
    return "<0.0001" if value < 1e-4 else f"{value:.4f}"
