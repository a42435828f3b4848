"""Version and checksums of the packaged release, and its small companion tables."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from typing import Any

import pandas as pd

from nqpf_spatial.data import _store
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.provinces import Names, label


def release() -> dict[str, Any]:
    """Return version, counts and checksums of the packaged release.

    Returns
    -------
    dict
        ``release`` (version), ``cells``, ``variables``, ``derived_variables``, ``provinces``,
        ``first_year``, ``last_year``, ``flow_matrices`` and ``files`` (rows and sha256 of each file).

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> nq.data.release()["provinces"]
    31
    """
    note = _store.release()
    return {**note, "files": {name: dict(facts) for name, facts in note["files"].items()}}


def verify() -> dict[str, str]:
    """Compare every packaged file with the checksum recorded when the release was built.

    Returns
    -------
    dict of str to str
        File name -> sha256 of its content (uncompressed).

    Raises
    ------
    DataSourceError
        A file is missing or differs; the message names it.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> len(nq.data.verify())
    10
    """
    found, wrong = {}, []
    for name, facts in _store.release()["files"].items():
        raw = _store.read_bytes(name)
        try:
            content = gzip.decompress(raw) if name.endswith(".gz") else raw
        except (OSError, EOFError, zlib.error) as error:
            raise DataSourceError(f"packaged file {name} cannot be decompressed ({error}): reinstall") from error
        found[name] = hashlib.sha256(content).hexdigest()
        if found[name] != facts["sha256"]:
            wrong.append(name)
    if wrong:
        raise DataSourceError(
            f"packaged files differ from release {_store.release()['release']}: {', '.join(wrong)}; "
            "reinstall, or rebuild them with scripts/build_data.py"
        )
    return found


def adjacency(names: Names = "en") -> pd.DataFrame:
    """Return the pairs of neighbouring provinces.

    Parameters
    ----------
    names : {"en", "zh", "adcode", "iso"}
        Form of the province labels.

    Returns
    -------
    pandas.DataFrame
        ``province_i``, ``province_j`` (each pair once), ``shares_land_border`` (False for
        Guangdong-Hainan alone: a strait of about 16 km, linked by the usual convention) and
        ``approx_border_km``.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> nq.data.adjacency()["shares_land_border"].sum()
    np.int64(68)
    """
    table = _store.read_csv("adjacency.csv")
    return pd.DataFrame(
        {
            "province_i": [label(code, names) for code in table["adcode_i"]],
            "province_j": [label(code, names) for code in table["adcode_j"]],
            "shares_land_border": table["shares_land_border"].astype(bool),
            "approx_border_km": table["approx_border_km"],
        }
    )


def compute_hubs() -> pd.DataFrame:
    """Return the hubs and clusters of "East Data, West Computing".

    Returns
    -------
    pandas.DataFrame
        One row per cluster: hub_en, hub_zh, cluster_en, cluster_zh, cluster_provinces and hub_provinces
        (tuples of English names).

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> hubs = nq.data.compute_hubs()
    >>> hubs["hub_en"].nunique(), len(hubs)
    (8, 10)
    """
    table = _store.read_csv("compute_hubs.csv", dtype=str)
    columns = {"cluster_adcode": "cluster_provinces", "hub_member_adcodes_by_name": "hub_provinces"}
    out = table[["hub_en", "hub_zh", "cluster_en", "cluster_zh"]].copy()
    for given, name in columns.items():
        out[name] = [tuple(str(label(code)) for code in cell.split(";")) for cell in table[given]]
    return out


def compute_facts() -> pd.DataFrame:
    """Return national facts on computing capacity, each with its page.

    Returns
    -------
    pandas.DataFrame
        date, fact, value (as printed), unit, source, note.

    Examples
    --------
    >>> import nqpf_spatial as nq
    >>> nq.data.compute_facts().columns.tolist()
    ['date', 'fact', 'value', 'unit', 'source', 'note']
    """
    return _store.read_csv("compute_facts.csv", dtype=str)
