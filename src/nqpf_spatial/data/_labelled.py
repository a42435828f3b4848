"""From labelled cells to a panel in canonical order."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.provinces import PROVINCES, Names, Province, label


def labelled_panel(cells: Iterable[tuple[Province, int, str, float]], names: Names, where: str) -> pd.DataFrame:
    """Arrange cells as a (province, year) frame; a cell given twice is an error.

    Parameters
    ----------
    cells : iterable of (Province, year, variable, value)
    names : {"en", "zh", "adcode", "iso"}
        Form of the province labels.
    where : str
        File or table, for messages.

    Returns
    -------
    pandas.DataFrame
        Rows in canonical order of provinces and ascending years; columns in order of appearance.
    """
    columns: dict[str, dict[tuple[int, int], float]] = {}
    for province, year, variable, value in cells:
        column = columns.setdefault(variable, {})
        key = (PROVINCES.index(province), year)
        if key in column:
            raise DataSourceError(f"{where}: {variable} of {province.name_en} {year} is given twice")
        column[key] = value
    keys = sorted(set().union(*columns.values()))
    index = province_index([PROVINCES[i] for i, _ in keys], [year for _, year in keys], names)
    return pd.DataFrame(
        {name: [column.get(key, float("nan")) for key in keys] for name, column in columns.items()},
        index=index,
        dtype="float64",
    )


def province_index(provinces: list[Province], years: list[int], names: Names) -> pd.MultiIndex:
    """Index (province, year) whose level holds the provinces in canonical order."""
    present = sorted(set(provinces), key=PROVINCES.index)
    when = sorted(set(years))
    codes = [[present.index(p) for p in provinces], [when.index(y) for y in years]]
    levels = [[label(p, names) for p in present], when]
    return pd.MultiIndex(levels=levels, codes=codes, names=["province", "year"])
