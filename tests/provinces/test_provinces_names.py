"""Any register form resolves to one province; anything else is refused with a hint."""

from __future__ import annotations

import numpy as np
import pytest

from nqpf_spatial import provinces
from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.provinces import PROVINCES, Province, resolve

FULL_ENGLISH = {
    "Beijing Municipality": "Beijing",
    "Tianjin City": "Tianjin",
    "Guangdong Province": "Guangdong",
    "guangdong sheng": "Guangdong",
    "Beijing Shi": "Beijing",
    "Inner Mongolia Autonomous Region": "Inner Mongolia",
    "InnerMongolia": "Inner Mongolia",
    "Nei Mongol": "Inner Mongolia",
    "Nei Mongol Zizhiqu": "Inner Mongolia",
    "Neimenggu": "Inner Mongolia",
    "NEI MENGGU": "Inner Mongolia",
    "inner_mongolia": "Inner Mongolia",
    "Guangxi Zhuang Autonomous Region": "Guangxi",
    "Guangxi Zhuang": "Guangxi",
    "Ningxia Hui Autonomous Region": "Ningxia",
    "Xinjiang Uygur Autonomous Region": "Xinjiang",
    "Xinjiang Uyghur Autonomous Region": "Xinjiang",
    "Xinjiang Uygur": "Xinjiang",
    "Tibet Autonomous Region": "Tibet",
    "Xizang Autonomous Region": "Tibet",
    "Xizang": "Tibet",
    "TIBET": "Tibet",
    "Hei Long Jiang": "Heilongjiang",
    "Shaan'xi": "Shaanxi",
    "shaanxi province": "Shaanxi",
    "SHANXI": "Shanxi",
    "Shanxi Province": "Shanxi",
}
CHINESE = {
    "内蒙": "Inner Mongolia",
    "内蒙古": "Inner Mongolia",
    "内蒙古自治区": "Inner Mongolia",
    "广西自治区": "Guangxi",
    "广西壮族": "Guangxi",
    "宁夏回族": "Ningxia",
    "新疆维吾尔": "Xinjiang",
    "山西": "Shanxi",
    "山西省": "Shanxi",
    "陕西": "Shaanxi",
    "陕西省": "Shaanxi",
    "　北 京　市 ": "Beijing",
}
ONE_CHARACTER = dict(zip("京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新", PROVINCES, strict=True)) | {
    "黔": resolve("贵州"),
    "滇": resolve("云南"),
    "蜀": resolve("四川"),
    "秦": resolve("陕西"),
    "陇": resolve("甘肃"),
}


@pytest.mark.parametrize("province", PROVINCES, ids=str)
def test_every_form_of_every_province(province: Province) -> None:
    code = province.adcode
    forms = [
        *(code, str(code), code // 10_000, str(code // 10_000), float(code), np.int64(code), f" {code} "),
        *(province.iso, province.iso.lower(), province.iso[3:], f"CN-{code // 10_000}"),
        *(province.name_en, province.name_en.upper(), province.name_en.lower(), f"  {province.name_en}\t"),
        *(province.name_zh, province.name_zh_full, f"　{province.name_zh_full}　", province),
    ]
    assert {resolve(form) for form in forms} == {province}


@pytest.mark.parametrize(("name", "expected"), [*FULL_ENGLISH.items(), *CHINESE.items()])
def test_variants(name: str, expected: str) -> None:
    assert resolve(name).name_en == expected


@pytest.mark.parametrize(("character", "province"), ONE_CHARACTER.items())
def test_one_character_abbreviations(character: str, province: Province) -> None:
    assert resolve(character) is province


def test_full_width_digits_and_letters() -> None:
    assert resolve("１１００００").name_en == "Beijing"
    assert resolve("ＣＮ－ＳＸ").name_en == "Shanxi"


def test_no_two_provinces_share_a_key() -> None:
    keys = [k for p in PROVINCES for k in (p.adcode, p.adcode // 10_000, p.iso, p.name_en, p.name_zh, p.name_zh_full)]
    assert len(keys) == len(set(keys)) == 31 * 6


@pytest.mark.parametrize("typo", ["Shnxi", "Shannxi", "Shanxxi"])
def test_the_two_shanxis_are_both_offered(typo: str) -> None:
    with pytest.raises(DataSourceError) as caught:
        resolve(typo)
    message = str(caught.value)
    assert repr(typo) in message
    assert "Shanxi (山西, 140000)" in message
    assert "Shaanxi (陕西, 610000)" in message


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("江", ["江苏", "浙江", "江西", "黑龙江"]),
        ("Guang", ["Guangdong", "Guangxi"]),
        ("Chonqing", ["Chongqing"]),
        ("湖", ["湖北", "湖南"]),
        ("Neimengu", ["Inner Mongolia"]),
    ],
)
def test_nearest_candidates(name: str, offered: list[str]) -> None:
    with pytest.raises(DataSourceError) as caught:
        resolve(name)
    assert all(candidate in str(caught.value) for candidate in offered)


@pytest.mark.parametrize(
    "name",
    [
        "Taiwan",
        "台湾",
        "台湾省",
        "臺灣",
        "Hong Kong",
        "香港特别行政区",
        "Macao",
        "Macau",
        "澳门",
        710000,
        "CN-HK",
        "TW",
    ],
)
def test_units_outside_the_register(name: object) -> None:
    with pytest.raises(DataSourceError, match="31 mainland provinces of the statistics"):
        resolve(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "全国",
        "China",
        "合计",
        110100,
        "110100",
        1,
        99,
        11.5,
        None,
        True,
        False,
        float("nan"),
        [],
        "SX city",
        "省",
    ],
)
def test_everything_else_is_refused(name: object) -> None:
    with pytest.raises(DataSourceError, match="unknown or ambiguous province"):
        resolve(name)
    assert not provinces.is_province(name)


def test_resolve_many_keeps_order_and_names_all_strangers() -> None:
    assert [p.name_zh for p in provinces.resolve_many(["沪", 11, "Tibet"])] == ["上海", "北京", "西藏"]
    with pytest.raises(DataSourceError) as caught:
        provinces.resolve_many(["Bejing", "Shanghai", "Atlantis"])
    assert "'Bejing'" in str(caught.value)
    assert "'Atlantis'" in str(caught.value)
    assert "'Shanghai'" not in str(caught.value)


def test_is_province() -> None:
    assert provinces.is_province("陕西")
    assert provinces.is_province(PROVINCES[0])
    assert not provinces.is_province("Taiwan")


def test_label_in_every_form() -> None:
    assert [provinces.label("CN-NM", form) for form in ("en", "zh", "adcode", "iso")] == [
        "Inner Mongolia",
        "内蒙古",
        150000,
        "CN-NM",
    ]
    with pytest.raises(DataSourceError, match="choose one of en, zh, adcode, iso"):
        provinces.label("Beijing", "french")  # type: ignore[arg-type]
