"""Names of variables, provinces and groups in the two languages of the exhibits."""

from __future__ import annotations

from functools import cache

from nqpf_spatial.report.words import word


@cache
def _labels(lang: str) -> dict[str, str]:
    from nqpf_spatial import data

    return {str(k): str(v) for k, v in data.codebook()[f"label_{lang}"].items()}


def variable(name: str, lang: str) -> str:
    """Short label of a variable in the codebook; what follows a colon or bracket is left out.

    Examples
    --------
    >>> variable("gdp_real_pc", "en"), variable("gdp_real_pc", "zh"), variable("digital_index|pca|", "en")
    ('Real GDP per resident', '人均实际地区生产总值', 'Digital index, three components (pca)')
    """
    import re

    base, bar, rest = name.partition("|")
    text = re.split(r"[(（:：]", _labels(lang).get(base, base))[0].strip()
    method, _, without = rest.partition("|")
    if not bar:
        return text
    return (
        f"{text} ({(without and 'without ' + without) or method})"
        if lang == "en"
        else f"{text}（{(without and '不含 ' + without) or method}）"
    )


def province(name: str, lang: str) -> str:
    """Short name of a province.

    Examples
    --------
    >>> province("Tibet", "zh"), province("Tibet", "en"), province("nation", "zh")
    ('西藏', 'Tibet', '全国')
    """
    from nqpf_spatial import provinces

    if name in ("nation", "synthetic"):
        return name if lang == "en" else {"nation": "全国", "synthetic": "合成对照"}[name]
    return name if lang == "en" else str(provinces.label(provinces.resolve(name), "zh"))


def group(name: str, lang: str) -> str:
    """Name of a group of provinces ("West hubs").

    Examples
    --------
    >>> group("West hubs", "zh"), group("East", "zh"), group("West hubs", "en")
    ('西部枢纽', '东部', 'West hubs')
    """
    if lang == "en":
        return name
    head, _, tail = name.partition(" ")
    return word(head, "zh") + {"": "", "hubs": "枢纽"}[tail]
