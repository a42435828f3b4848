"""Names of variables, provinces and groups in the two languages of the exhibits."""

from __future__ import annotations

import re
import textwrap
from functools import cache

from nqpf_spatial.report.words import word


@cache
def _labels(lang: str) -> dict[str, str]:
    from nqpf_spatial import data

    return {str(k): str(v) for k, v in data.codebook()[f"label_{lang}"].items()}


#: prefix of a series -> how its label is written
_PREFIXES = {"ln": "log {}", "ln1p": "log of 1 + {}", "lag": "{}, year before", "growth": "growth of {}"}
#: measures that stand in quantities
_MEASURES = {"esteban_ray": "Esteban-Ray index", "theil_t": "Theil T", "sd_log": "sd of logs"}
#: names of series: several words joined by underscores
_NAME = re.compile(r"\b[a-z][a-z0-9]*_\w+")
#: characters of a line in a title
LINE = 36


def series_en(name: str) -> str:
    """A series by its label in the codebook, prefixes, groups and products included.

    Examples
    --------
    >>> series_en("ln_broadband_pc_x_in_South"), series_en("lag_ln_gdp_real_pc")
    ('log broadband subscribers per resident × South', 'log real GDP per resident, year before')
    >>> series_en("at2013_hd_index"), series_en("unknown_name")
    ('human-development index 2013-2019 in 2013', 'unknown_name')
    """
    from nqpf_spatial.claims.evaluate.series import parts

    if name in _labels("en"):
        label = re.sub(r"\s*\([^)]*\)", "", _labels("en")[name]).partition(":")[0]
        return label[0].lower() + label[1:] if label[1:2].islower() else label
    if "_x_" in name:
        left, _, right = name.partition("_x_")
        return f"{series_en(left)} × {series_en(right)}"
    if name.startswith("in_"):
        return name.removeprefix("in_").replace("_", ", ")
    prefix, rest = parts(name)
    if not prefix:
        return name
    if prefix.startswith("at"):
        return f"{series_en(rest)} in {prefix.removeprefix('at')}"
    return _PREFIXES[prefix].format(series_en(rest))


def spelled_out(text: str) -> str:
    """Replace the names of series in an English text by their labels.

    Examples
    --------
    >>> spelled_out("direct effect of ln_broadband_pc on rd_intensity")
    'direct effect of log broadband subscribers per resident on R&D intensity, percent'
    """
    return _NAME.sub(lambda found: _MEASURES.get(found[0]) or series_en(found[0]), text)


def title_en(text: str, width: int = LINE, lines: int = 4) -> str:
    """A title in English: names spelled out, wrapped between words.

    Examples
    --------
    >>> title_en("direct effect of ln_broadband_pc_x_in_South").splitlines()
    ['direct effect of log broadband', 'subscribers per resident × South']
    """
    return "\n".join(textwrap.wrap(spelled_out(text), width)[:lines])


def variable(name: str, lang: str) -> str:
    """Short label of a variable in the codebook; what follows a colon or bracket is left out.

    Examples
    --------
    >>> variable("gdp_real_pc", "en"), variable("gdp_real_pc", "zh"), variable("digital_index|pca|", "en")
    ('Real GDP per resident', '人均实际地区生产总值', 'Digital index, three components (pca)')
    """
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
