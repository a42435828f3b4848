"""The register as a table and its groupings."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Literal

from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.provinces._names import Names, label, resolve
from nqpf_spatial.provinces._register import PROVINCES, Province

if TYPE_CHECKING:
    import pandas as pd

Scheme = Literal["block", "north_south", "hub", "cluster"]


def table() -> pd.DataFrame:
    """Return the register as a table, one row per province in canonical order.

    Returns
    -------
    pandas.DataFrame
        Indexed by English name; the columns are the other fields of :class:`Province`.

    Examples
    --------
    >>> from nqpf_spatial import provinces
    >>> provinces.table().loc["Tibet", ["name_zh", "block"]].tolist()
    ['西藏', 'West']
    """
    import pandas as pd

    names = [f.name for f in fields(Province)]
    frame = pd.DataFrame([[getattr(p, n) for n in names] for p in PROVINCES], columns=names)
    return frame.set_index("name_en").rename_axis("province")


_GROUPS = {"block": ("East", "Central", "West", "Northeast"), "north_south": ("North", "South")}
_GROUPS |= {"hub": ("hub", "other"), "cluster": ("cluster", "other")}


def group_of(province: object, scheme: Scheme = "block") -> str:
    """Name the group of a province.

    Parameters
    ----------
    province : object
        Anything :func:`resolve` accepts.
    scheme : {"block", "north_south", "hub", "cluster"}
        Four blocks of the National Bureau of Statistics; North / South; inside a national computing
        hub or "other"; hosting a data-centre cluster or "other".

    Returns
    -------
    str

    Examples
    --------
    >>> from nqpf_spatial import provinces
    >>> provinces.group_of("贵州"), provinces.group_of("贵州", "hub"), provinces.group_of("北京", "cluster")
    ('West', 'hub', 'other')
    """
    if scheme not in _GROUPS:
        raise DataSourceError(f"scheme={scheme!r} is not a grouping; choose one of {', '.join(_GROUPS)}")
    value = getattr(resolve(province), scheme)
    return (scheme if value else "other") if isinstance(value, bool) else value


def groups(scheme: Scheme = "block", names: Names = "en") -> dict[str, list[str | int]]:
    """List the provinces of every group, in canonical order.

    Parameters
    ----------
    scheme : {"block", "north_south", "hub", "cluster"}
        See :func:`group_of`.
    names : {"en", "zh", "adcode", "iso"}
        Form of the labels.

    Returns
    -------
    dict of str to list

    Examples
    --------
    >>> from nqpf_spatial import provinces
    >>> {name: len(members) for name, members in provinces.groups("block").items()}
    {'East': 10, 'Central': 6, 'West': 12, 'Northeast': 3}
    """
    if scheme not in _GROUPS:
        raise DataSourceError(f"scheme={scheme!r} is not a grouping; choose one of {', '.join(_GROUPS)}")
    return {g: [label(p, names) for p in PROVINCES if group_of(p, scheme) == g] for g in _GROUPS[scheme]}
