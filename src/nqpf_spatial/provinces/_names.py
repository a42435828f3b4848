"""Any name of a province -> the province."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import Literal, TypeVar

from nqpf_spatial.errors import DataSourceError
from nqpf_spatial.provinces._register import PROVINCES, Province

Names = Literal["en", "zh", "adcode", "iso"]
Label = TypeVar("Label", bound=Hashable)

# Everyday abbreviations of one character; none stands for two provinces.
_ABBREVIATIONS = {
    "京": "北京", "津": "天津", "冀": "河北", "晋": "山西", "蒙": "内蒙古", "内蒙": "内蒙古", "辽": "辽宁",
    "吉": "吉林", "黑": "黑龙江", "沪": "上海", "申": "上海", "苏": "江苏", "浙": "浙江", "皖": "安徽",
    "闽": "福建", "赣": "江西", "鲁": "山东", "豫": "河南", "鄂": "湖北", "湘": "湖南", "粤": "广东",
    "桂": "广西", "琼": "海南", "渝": "重庆", "川": "四川", "蜀": "四川", "贵": "贵州", "黔": "贵州",
    "云": "云南", "滇": "云南", "藏": "西藏", "陕": "陕西", "秦": "陕西", "甘": "甘肃", "陇": "甘肃",
    "青": "青海", "宁": "宁夏", "新": "新疆",
}  # fmt: skip

# Other spellings in use, written as _key() leaves them.
_VARIANTS = {
    "xizang": "西藏", "tibetan": "西藏", "neimongol": "内蒙古", "neimenggu": "内蒙古", "neimeng": "内蒙古",
    "innermongol": "内蒙古", "innermongolian": "内蒙古", "guangxizhuang": "广西", "guangxizhuangzu": "广西",
    "ningxiahui": "宁夏", "ningxiahuizu": "宁夏", "xinjianguygur": "新疆", "xinjianguyghur": "新疆",
    "xinjianguighur": "新疆", "xinjiangweiwuer": "新疆", "广西壮族": "广西", "宁夏回族": "宁夏",
    "新疆维吾尔": "新疆",
}  # fmt: skip

_SUFFIXES_EN = ("autonomousregion", "zizhiqu", "municipality", "province", "sheng", "city", "shi", "ar")
_SUFFIXES_ZH = ("自治区", "省", "市")

# Units the register does not hold: the mainland statistics are compiled without them.
_OUTSIDE = frozenset(
    {
        *("taiwan", "hongkong", "macao", "macau", "hongkongsar", "macaosar", "macausar"),
        *("台湾", "臺灣", "台", "香港", "港", "澳门", "澳門", "澳", "香港特别行政区", "澳门特别行政区"),
        *("710000", "810000", "820000", "71", "81", "82", "tw", "hk", "mo", "cntw", "cnhk", "cnmo"),
    }
)


def _key(text: str) -> str:
    """Lower case, half width, without blanks and punctuation (Chinese characters stay)."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(ch for ch in folded if ch.isalnum())


def _build_index() -> dict[str, Province]:
    """Every accepted key -> province; a key that meant two provinces would be a defect of the register."""
    by_zh = {p.name_zh: p for p in PROVINCES}
    index: dict[str, Province] = {}

    def add(key: str, province: Province) -> None:
        if index.setdefault(key, province) is not province:
            raise AssertionError(f"register: {key!r} means {index[key]} and {province}")

    for p in PROVINCES:
        iso = p.iso.removeprefix("CN-")
        codes = (
            str(p.adcode),
            str(p.adcode // 10_000),
            f"cn{p.adcode // 10_000}",
            _key(p.iso),
            iso.casefold(),
        )
        for key in (*codes, _key(p.name_en), p.name_zh, p.name_zh_full):
            add(key, p)
    for alias, zh in (*_ABBREVIATIONS.items(), *_VARIANTS.items()):
        add(alias, by_zh[zh])
    return index


_INDEX = _build_index()


@lru_cache(maxsize=4096)
def _lookup(text: str) -> Province | None:
    """Find a province under a name, or None."""
    key = _key(text)
    if key in _INDEX:
        return _INDEX[key]
    for suffix in (*_SUFFIXES_EN, *_SUFFIXES_ZH):
        stem = key.removesuffix(suffix)
        # A short stem or one of digits is a code, and codes carry no suffix: "SX city" is nobody's name.
        if stem != key and len(stem) > (2 if stem.isascii() else 1) and not stem.isdigit() and stem in _INDEX:
            return _INDEX[stem]
    return None


def _nearest(text: str, n: int = 5) -> list[Province]:
    """Provinces whose names look most like the text, best first."""
    key = _key(text)
    best: dict[Province, float] = {}
    for name, province in _INDEX.items():
        if len(name) > 2 or not name.isascii():
            ratio = difflib.SequenceMatcher(None, key, name).ratio()
            best[province] = max(ratio, best.get(province, 0.0))
    ranked = sorted((p for p in best if best[p] >= 0.5), key=lambda p: (-best[p], p.adcode))
    return ranked[:n]


def _as_text(label: object) -> str:
    """Text of a label; whole numbers of any type (numpy, 110000.0 from a spreadsheet) become digits."""
    if isinstance(label, str):
        return label
    if isinstance(label, bool) or label is None:
        return ""
    try:
        whole = int(label)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return ""
    return str(whole) if whole == label else ""


def _unknown(label: object, text: str) -> DataSourceError:
    """Explain why a label is no province and what was probably meant."""
    if _key(text) in _OUTSIDE or _key(text).removesuffix("省") in _OUTSIDE:
        return DataSourceError(
            f"{label!r} is not in the register: it covers the 31 mainland provinces of the statistics "
            "(Hong Kong, Macao and Taiwan are not in these tables)"
        )
    near = ", ".join(f"{p.name_en} ({p.name_zh}, {p.adcode})" for p in _nearest(text)) if text else ""
    hint = f"nearest candidates: {near}" if near else "nothing in the register resembles it"
    return DataSourceError(
        f"unknown or ambiguous province {label!r}; {hint}. Accepted: adcode (110000 or 11), ISO code "
        "(CN-BJ or BJ), English name, 简称 or 全称; nq.provinces.table() lists them"
    )


def resolve(name: object) -> Province:
    """Find the province that a label means.

    Parameters
    ----------
    name : object
        A :class:`Province`, an adcode (``110000``, ``"110000"``, ``11``), an ISO code (``"CN-BJ"``,
        ``"BJ"``), an English name (any case, with or without "Province", "Municipality",
        "Autonomous Region"; Xizang / Tibet, Nei Mongol / Inner Mongolia), 简称, 全称 or the
        one-character abbreviation. Blanks and full-width characters do not matter.

    Returns
    -------
    Province

    Raises
    ------
    DataSourceError
        If the label is no province of the register; the message shows the label and the nearest
        candidates.

    Examples
    --------
    >>> from nqpf_spatial import provinces
    >>> [str(provinces.resolve(x)) for x in ("陕西省", "山西", 11, "CN-NM", "Xizang", "Ningxia Hui")]
    ['Shaanxi', 'Shanxi', 'Beijing', 'Inner Mongolia', 'Tibet', 'Ningxia']
    >>> provinces.resolve("Shnxi")
    Traceback (most recent call last):
        ...
    nqpf_spatial.errors.DataSourceError: unknown or ambiguous province 'Shnxi'; ... Shanxi (山西, 140000), ...
    """
    if isinstance(name, Province):
        return name
    text = _as_text(name)
    found = _lookup(text) if text else None
    if found is None:
        raise _unknown(name, text)
    return found


def resolve_many(labels: Iterable[object]) -> list[Province]:
    """Resolve labels one by one, in the given order.

    Parameters
    ----------
    labels : iterable
        Labels in any register form, forms may be mixed.

    Returns
    -------
    list of Province

    Raises
    ------
    DataSourceError
        If labels are unknown; one message names them all.

    Examples
    --------
    >>> from nqpf_spatial import provinces
    >>> [p.adcode for p in provinces.resolve_many(["沪", "Zhejiang"])]
    [310000, 330000]
    """
    found: list[Province] = []
    problems: list[str] = []
    for item in labels:
        try:
            found.append(resolve(item))
        except DataSourceError as error:
            problems.append(str(error))
    if problems:
        raise DataSourceError("\n".join(dict.fromkeys(problems)))
    return found


def is_province(label: object) -> bool:
    """Say whether a label means one of the 31 provinces.

    Examples
    --------
    >>> from nqpf_spatial import provinces
    >>> provinces.is_province("内蒙"), provinces.is_province("Texas")
    (True, False)
    """
    if isinstance(label, Province):
        return True
    text = _as_text(label)
    return bool(text) and _lookup(text) is not None


def label(province: object, names: Names = "en") -> str | int:
    """Write a province in one form of name.

    Parameters
    ----------
    province : object
        Anything :func:`resolve` accepts.
    names : {"en", "zh", "adcode", "iso"}
        English name, 简称, adcode (an int) or ISO code.

    Returns
    -------
    str or int

    Examples
    --------
    >>> from nqpf_spatial import provinces
    >>> provinces.label("CN-SN", "zh"), provinces.label("陕西", "adcode")
    ('陕西', 610000)
    """
    p = resolve(province)
    forms: dict[str, str | int] = {"en": p.name_en, "zh": p.name_zh, "adcode": p.adcode, "iso": p.iso}
    if names not in forms:
        raise DataSourceError(f"names={names!r} is not a form of name; choose one of {', '.join(forms)}")
    return forms[names]


def canonical_order(labels: Iterable[Label]) -> list[Label]:
    """Sort labels into canonical order (ascending adcode), keeping the form they came in.

    Parameters
    ----------
    labels : iterable of hashable
        Labels in any register form.

    Returns
    -------
    list

    Raises
    ------
    DataSourceError
        If a label is no province, or two labels mean the same province.

    Examples
    --------
    >>> from nqpf_spatial import provinces
    >>> provinces.canonical_order(["西藏", "Shanxi", "京"])
    ['京', 'Shanxi', '西藏']
    """
    given = list(labels)
    found = resolve_many(given)
    first: dict[Province, Label] = {}
    for item, province in zip(given, found, strict=True):
        if province in first:
            raise DataSourceError(f"{first[province]!r} and {item!r} mean the same province, {province.name_en}")
        first[province] = item
    return [first[p] for p in sorted(first, key=lambda p: p.adcode)]
