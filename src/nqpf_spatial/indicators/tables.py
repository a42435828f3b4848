"""Documented indices from the packaged variables: new quality productive forces, digital infrastructure."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import pandas as pd

from nqpf_spatial.errors import PanelError
from nqpf_spatial.indicators import _frame
from nqpf_spatial.indicators.composite_index import CompositeResult, Method, Normalise, WeightRule, composite

NqpfScheme = Literal["register", "dimensions"]
DigitalScheme = Literal["core", "broad", "net", "use"]


class _Indicator(NamedTuple):
    """One line of an indicator table: a variable, or the ratio of two."""

    name: str
    dimension: str
    numerator: str = ""
    denominator: str = ""


_LABOURERS, _MEANS, _OBJECTS = "labourers", "means of labour", "objects of labour"
_NET, _USE = "networks", "use"

_SCHEMES: dict[str, tuple[tuple[int, int], tuple[_Indicator, ...]]] = {
    "register": (
        (2011, 2023),
        (
            _Indicator("rd_intensity", _OBJECTS),
            _Indicator("rd_fte_pc", _LABOURERS),
            _Indicator("patents_inv_pc", _OBJECTS),
            _Indicator("broadband_pc", _MEANS),
            _Indicator("cable_pc", _MEANS),
            _Indicator("mobile_phone_penetration", _MEANS),
        ),
    ),
    "dimensions": (
        (2013, 2023),
        (
            _Indicator("rd_fte_pc", _LABOURERS),
            _Indicator("hei_students_pc", _LABOURERS, "hei_students", "population"),
            _Indicator("education_effort", _LABOURERS, "fiscal_education", "fiscal_expenditure"),
            _Indicator("broadband_pc", _MEANS),
            _Indicator("cable_pc", _MEANS),
            _Indicator("mobile_phone_penetration", _MEANS),
            _Indicator("computers_per_100_staff", _MEANS),
            _Indicator("patents_inv_pc", _OBJECTS),
            _Indicator("new_product_effort", _OBJECTS, "ind_new_product_rd", "gdp"),
            _Indicator("ecommerce_ratio", _OBJECTS, "ecommerce_sales", "gdp"),
        ),
    ),
    "core": (
        (2011, 2023),
        tuple(_Indicator(n, _NET) for n in ("broadband_pc", "cable_pc", "mobile_phone_penetration")),
    ),
    "broad": (
        (2014, 2024),
        (
            *(_Indicator(n, _NET) for n in ("broadband_pc", "cable_pc", "ports_pc")),
            *(_Indicator(n, _USE) for n in ("mobile_users_pc", "mobile_traffic_pc", "ecommerce_pc")),
            *(_Indicator(n, _USE) for n in ("computers_per_100_staff", "websites_per_100_firms")),
        ),
    ),
    "net": ((2011, 2024), tuple(_Indicator(n, _NET) for n in ("broadband_pc", "cable_pc", "ports_pc"))),
    "use": (
        (2014, 2024),
        tuple(_Indicator(n, _USE) for n in ("mobile_traffic_pc", "ecommerce_pc", "express_pc")),
    ),
}


def indicator_table(scheme: NqpfScheme | DigitalScheme) -> pd.DataFrame:
    """The indicators of a documented index.

    Parameters
    ----------
    scheme : {"register", "dimensions", "core", "broad", "net", "use"}
        The first two are of :func:`nqpf_index`, the others of :func:`digital_index`.

    Returns
    -------
    DataFrame
        Indexed by indicator: dimension, formula, the packaged variables it is made of (``inputs``), first
        and last year of the window. More is better for all of them.

    Raises
    ------
    ValueError
        Unknown scheme.

    Examples
    --------
    >>> indicator_table("dimensions").loc["new_product_effort", ["dimension", "formula"]].tolist()
    ['objects of labour', 'ind_new_product_rd / gdp']
    """
    _frame.check_choice("scheme", scheme, _SCHEMES)
    (first, last), lines = _SCHEMES[scheme]
    rows = {
        line.name: {
            "dimension": line.dimension,
            "formula": f"{line.numerator} / {line.denominator}" if line.numerator else line.name,
            "inputs": f"{line.numerator} {line.denominator}" if line.numerator else line.name,
            "first_year": first,
            "last_year": last,
        }
        for line in lines
    }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "indicator"
    return table


def ratio_inputs() -> dict[str, tuple[str, ...]]:
    """Inputs of the indicators that are ratios made here, not variables of the codebook."""
    lines = [line for _, scheme in _SCHEMES.values() for line in scheme]
    return {line.name: (line.numerator, line.denominator) for line in lines if line.numerator}


def nqpf_index(
    panel: pd.DataFrame | None = None,
    *,
    scheme: NqpfScheme = "register",
    method: Method = "entropy",
    years: tuple[int, int] | None = None,
    normalise: Normalise = "pooled",
    weights: WeightRule = None,
) -> CompositeResult:
    """Index of new quality productive forces (新质生产力) from packaged variables.

    Parameters
    ----------
    panel : DataFrame, optional
        With the packaged variables of :func:`indicator_table`; default: the packaged panel.
    scheme : {"register", "dimensions"}
        "register": the six indicators of the claims register, 2011-2023 (the variable ``nqpf_index`` of
        the packaged panel). "dimensions": ten indicators on labourers (劳动者), means of labour
        (劳动资料) and objects of labour (劳动对象), 2013-2023.
    method, normalise, weights
        As in :func:`nqpf_spatial.indicators.composite`.
    years : (int, int), optional
        First and last year, inside the window of the scheme (its default).

    Returns
    -------
    CompositeResult
        With ``.dimension_scores()``.

    Raises
    ------
    PanelError
        Variables the panel lacks, years outside the window, missing cells.

    Notes
    -----
    There is no official index. Which indicator stands for which of the three elements of productive
    forces is a convention that moves the dimension scores, not the index. R&D, patents and networks are
    also what models use as regressors: run :func:`overlap_check`, and :func:`index_multiverse` before
    resting a finding on it.

    Examples
    --------
    >>> index = nqpf_index(years=(2011, 2019))
    >>> index.dimension_scores().columns.tolist()
    ['objects of labour', 'labourers', 'means of labour']
    """
    _frame.check_choice("scheme", scheme, ("register", "dimensions"))
    return _documented(panel, scheme, method, years, normalise, weights)


def digital_index(
    panel: pd.DataFrame | None = None,
    *,
    scheme: DigitalScheme = "core",
    method: Method = "entropy",
    years: tuple[int, int] | None = None,
    normalise: Normalise = "pooled",
    weights: WeightRule = None,
) -> CompositeResult:
    """Index of digital infrastructure from packaged variables.

    Parameters
    ----------
    panel, method, years, normalise, weights
        As in :func:`nqpf_index`.
    scheme : {"core", "broad", "net", "use"}
        The register's variables ``digital_index`` (2011-2023), ``digital_index_broad`` (2014-2024),
        ``digital_index_net`` (2011-2024) and ``digital_index_use`` (2014-2024); see :func:`indicator_table`.

    Returns
    -------
    CompositeResult

    Raises
    ------
    PanelError
        As in :func:`nqpf_index`.

    Examples
    --------
    >>> digital_index(scheme="net", years=(2011, 2019)).weights.idxmax()
    'cable_pc'
    """
    _frame.check_choice("scheme", scheme, ("core", "broad", "net", "use"))
    return _documented(panel, scheme, method, years, normalise, weights)


def _documented(
    panel: pd.DataFrame | None,
    scheme: str,
    method: Method,
    years: tuple[int, int] | None,
    normalise: Normalise,
    weights: WeightRule,
) -> CompositeResult:
    window, lines = _SCHEMES[scheme]
    first, last = window if years is None else years
    if not window[0] <= first <= last <= window[1]:
        raise PanelError(
            f"years={years} lie outside {window}, the years in which every indicator of {scheme!r} is complete"
        )
    needed = list(dict.fromkeys(v for line in lines for v in _variables(line)))
    if panel is None:
        from nqpf_spatial.data import load_panel

        panel = load_panel(needed, years=(first, last))
    lacking = [v for v in needed if v not in panel.columns]
    if lacking or panel.index.nlevels != 2:
        raise PanelError(f"the panel lacks {_frame.shorten(lacking) or 'an index (province, year)'}")
    table = _frame.canonical_table(_window(panel[needed], first, last), what="the panel")
    data = pd.DataFrame({line.name: _value(table, line) for line in lines}, index=table.index)
    data.attrs.update({k: v for k, v in panel.attrs.items() if k == "release"})
    index = composite(data, method, normalise=normalise, weights=weights)
    return index.with_dimensions(pd.Series({line.name: line.dimension for line in lines}))


def _variables(line: _Indicator) -> list[str]:
    return [line.numerator, line.denominator] if line.numerator else [line.name]


def _window(panel: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    level = 0 if str(panel.index.names[0]).lower() in ("year", "年份") else 1
    years: Any = panel.index.get_level_values(level)
    return panel[(years >= first) & (years <= last)]


def _value(table: pd.DataFrame, line: _Indicator) -> pd.Series:
    return table[line.numerator] / table[line.denominator] if line.numerator else table[line.name]
