"""The panel: every published and derived variable, labelled by province and year."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import pandas as pd

from nqpf_spatial.data import _store
from nqpf_spatial.data._breaks import crossings
from nqpf_spatial.data.catalogue import entry, source_entry, sources_of
from nqpf_spatial.errors import DataBreakWarning, DataSourceError, warn
from nqpf_spatial.provinces import PROVINCES, Names, label


def load_panel(
    variables: Iterable[str] | str | None = None,
    years: tuple[int, int] | None = None,
    names: Names = "en",
) -> pd.DataFrame:
    """Load the packaged panel of the 31 provinces.

    Parameters
    ----------
    variables : str or iterable of str, optional
        Names from :func:`nqpf_spatial.data.codebook`, in the order wanted; by default all published and all
        derived variables.
    years : tuple of int, optional
        First and last year, both included. By default the years in which any of the variables has a value.
    names : {"en", "zh", "adcode", "iso"}
        Form of the province labels.

    Returns
    -------
    pandas.DataFrame
        Indexed by (province, year), provinces in canonical order, a row for each of the 31 provinces in
        each year. Absent cells are NaN; nothing is filled. ``attrs`` holds ``codebook`` (a dict per
        variable), ``sources`` (a dict per source) and ``release``.

    Raises
    ------
    DataSourceError
        Unknown variable (the message names the nearest ones), years outside the release, unknown form of
        name.

    Warns
    -----
    DataBreakWarning
        Variables and years are both named and values in the window cross a documented break; one warning
        lists all. ``nq.data.breaks(variables)`` shows them as a table.

    Notes
    -----
    Derived variables follow the formulas in the codebook. Levels of GDP come in three vintages
    (``gdp``, ``gdp_v2023``, ``gdp_v2018``) that must never be combined; see
    :func:`nqpf_spatial.data.check_vintages`.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> panel = nq.load_panel(["gdp", "rd_intensity"], years=(2022, 2023))
    >>> panel.shape
    (62, 2)
    >>> panel.loc[("Guangdong", 2023), "gdp"]
    np.float64(137905.4)
    >>> panel.attrs["codebook"]["gdp"]["unit"]
    '100 million yuan, current prices'
    """
    wanted = list(_store.arrays()) if variables is None else _store.known(variables)
    if not wanted:
        raise DataSourceError("variables is empty; leave it out to load all, or see nq.data.codebook()")
    chosen = _choose_years(wanted, years)
    columns = np.array(chosen) - _store.years()[0]
    data = {name: _store.arrays()[name][:, columns].reshape(-1) for name in wanted}
    frame = pd.DataFrame(data, index=_index(tuple(chosen), names), copy=True)
    frame.attrs = _attributes(tuple(wanted))
    if variables is not None and years is not None:
        crossed = crossings(wanted, (chosen[0], chosen[-1]))
        if crossed:
            message = "the window crosses documented breaks (nq.data.breaks() lists them):\n- "
            warn(message + "\n- ".join(crossed), DataBreakWarning)
    return frame


def _choose_years(wanted: list[str], years: tuple[int, int] | None) -> list[int]:
    """Years of the rows."""
    available = _store.years()
    if years is None:
        present = set().union(*(_store.years_with_values(name) for name in wanted))
        return sorted(present)
    try:
        first, last = (int(year) for year in years)
        if [first, last] != [float(year) for year in years]:
            raise ValueError
    except (TypeError, ValueError):
        raise DataSourceError(f"years must be (first, last), for example (2012, 2024); got {years!r}") from None
    if not available[0] <= first <= last <= available[-1]:
        raise DataSourceError(f"years={years!r} is not a window inside the release: {available[0]} to {available[-1]}")
    return list(range(first, last + 1))


@cache
def _index(years: tuple[int, ...], names: Names) -> pd.MultiIndex:
    """Province x year, built from codes so that the canonical order counts as sorted."""
    labels = [label(p, names) for p in PROVINCES]
    codes = [np.repeat(np.arange(len(labels)), len(years)), np.tile(np.arange(len(years)), len(labels))]
    return pd.MultiIndex(levels=[labels, list(years)], codes=codes, names=["province", "year"])


@cache
def _attributes(wanted: tuple[str, ...]) -> dict[str, object]:
    """Codebook, sources and release of a choice of variables."""
    used = sorted(set().union(*(sources_of(name) for name in wanted)))
    return _store.FrozenDict(
        codebook=_store.FrozenDict({name: entry(name) for name in wanted}),
        sources=_store.FrozenDict({source: source_entry(source) for source in used}),
        release=_store.release()["release"],
    )
