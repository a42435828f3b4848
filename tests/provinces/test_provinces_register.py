"""The register: 31 records in canonical order, equal to the packaged table; groupings; order."""

from __future__ import annotations

import csv
import dataclasses
import random
from importlib import resources

import pytest

from nqpf_spatial import provinces
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.provinces import PROVINCES


def packaged() -> list[dict[str, str]]:
    """Rows of the packaged provinces.csv."""
    file = resources.files("nqpf_spatial.data") / "files" / "provinces.csv"
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))


def test_equals_the_packaged_table() -> None:
    flags = {"1": True, "0": False}
    expected = [
        (
            *(int(r["adcode"]), r["iso"], r["name_en"], r["name_zh"], r["name_zh_full"]),
            *(r["capital_en"], r["capital_zh"], float(r["capital_lon"]), float(r["capital_lat"])),
            *(r["block"], r["north_south"], flags[r["compute_hub"]], flags[r["compute_cluster"]]),
        )
        for r in packaged()
    ]
    assert [dataclasses.astuple(p) for p in PROVINCES] == expected


def test_canonical_order_is_ascending_adcode() -> None:
    codes = [p.adcode for p in PROVINCES]
    assert len(codes) == 31
    assert codes == sorted(set(codes))


def test_records_are_frozen_and_hashable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        PROVINCES[0].block = "West"  # type: ignore[misc]
    assert len(set(PROVINCES)) == 31
    assert str(PROVINCES[0]) == "Beijing"


@pytest.mark.parametrize(
    ("scheme", "sizes"),
    [
        ("block", {"East": 10, "Central": 6, "West": 12, "Northeast": 3}),
        ("north_south", {"North": 15, "South": 16}),
        ("hub", {"hub": 14, "other": 17}),
        ("cluster", {"cluster": 12, "other": 19}),
    ],
)
def test_groups_have_the_stated_sizes_and_cover_all(scheme: str, sizes: dict[str, int]) -> None:
    found = provinces.groups(scheme)  # type: ignore[arg-type]
    assert {name: len(members) for name, members in found.items()} == sizes
    assert sorted(m for members in found.values() for m in members) == sorted(p.name_en for p in PROVINCES)
    assert all(provinces.group_of(m, scheme) == g for g, ms in found.items() for m in ms)  # type: ignore[arg-type]


def test_groups_in_other_names() -> None:
    assert provinces.groups("block", names="zh")["Northeast"] == ["辽宁", "吉林", "黑龙江"]
    assert provinces.group_of("Tibet", "north_south") == "South"


def test_unknown_grouping() -> None:
    with pytest.raises(DataSourceError, match="choose one of block, north_south, hub, cluster"):
        provinces.groups("belts")  # type: ignore[arg-type]
    with pytest.raises(DataSourceError, match="choose one of"):
        provinces.group_of("Beijing", "belts")  # type: ignore[arg-type]


def test_canonical_order_keeps_the_form_of_labels() -> None:
    labels = [p.name_zh for p in PROVINCES]
    shuffled = labels.copy()
    random.Random(1).shuffle(shuffled)
    assert provinces.canonical_order(shuffled) == labels
    assert provinces.canonical_order([650000, "Beijing", "CN-SH"]) == ["Beijing", "CN-SH", 650000]


def test_one_province_under_two_names_is_refused() -> None:
    with pytest.raises(DataSourceError, match="'北京' and 'Beijing' mean the same province, Beijing"):
        provinces.canonical_order(["北京", "天津", "Beijing"])


def test_table() -> None:
    table = provinces.table()
    assert table.index.tolist() == [p.name_en for p in PROVINCES]
    assert table.index.name == "province"
    assert table["hub"].sum() == 14
    assert table.loc["Guangdong", "adcode"] == 440000
