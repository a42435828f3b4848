"""Words of the pictures in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from nqpf_spatial.fonts import font_path

Lang = Literal["en", "zh"]


_FONT = font_path()


@dataclass(frozen=True, slots=True)
class Texts:
    """Words of one language."""

    blocks: dict[str, str]
    weight: str
    unit: str
    neighbour: str
    neighbours: str
    effective: str
    heatmap: str
    degree: str
    links: str
    strongest: str
    colon: str


_TEXTS = {
    "en": Texts(
        blocks={"East": "East", "Central": "Central", "West": "West", "Northeast": "Northeast"},
        weight="weight (white: none)",
        unit="unit i",
        neighbour="neighbour j",
        neighbours="neighbours",
        effective="effective number (equal weights as concentrated)",
        heatmap="weights by block",
        degree="neighbours of each unit",
        links="{total} linked pairs",
        strongest="the {shown} strongest of {total} linked pairs",
        colon=": ",
    ),
    "zh": Texts(
        blocks={"East": "东部", "Central": "中部", "West": "西部", "Northeast": "东北"},
        weight="权重(白色:无)",
        unit="单元 i",
        neighbour="邻居 j",
        neighbours="邻居数",
        effective="有效邻居数(同等集中度的等权个数)",
        heatmap="按区域排列的权重",
        degree="各单元的邻居数",
        links="{total} 对相连单元",
        strongest="{total} 对相连单元中最强的 {shown} 对",
        colon=":",
    ),
}


def texts(lang: Lang) -> Texts:
    """Words in a language."""
    return _TEXTS[lang]


#: How the builders name matrices, and the same in Chinese. Names of variables stay as they are.
_NAMES = (
    (r"queen", "邻接"),
    (r"rook", "车式邻接"),
    (r"(?:queen|rook)(1-)?(\d+)", r"\1\2阶邻接"),
    (r"knn (\d+)", r"\1个最近邻"),
    (r"knn (\d+) union", r"\1个最近邻(任一方向)"),
    (r"knn (\d+) mutual", r"\1个最近邻(双向)"),
    (r"1/d", "反距离"),
    (r"1/d\^(\S+)", r"反距离(\1次方)"),
    (r"band (\S+) km", r"\1公里以内"),
    (r"migration 5yr_(\d+) in", r"\1年人口迁入"),
    (r"migration 5yr_(\d+) out", r"\1年人口迁出"),
    (r"migration 5yr_(\d+) gross", r"\1年人口迁移"),
    (r"migration birthplace_(\d+) in", r"\1年按出生地的人口迁入"),
    (r"migration birthplace_(\d+) out", r"\1年按出生地的人口迁出"),
    (r"migration birthplace_(\d+) gross", r"\1年按出生地的人口迁移"),
    (r"travel cost", "出行成本"),
    (r"inv_distance", "反距离"),
    (r"inv_distance_sq", "反距离平方"),
    (r"economic", "经济距离"),
    (r"econ_geo_nested", "经济地理嵌套"),
    (r"migration_flow", "人口迁移"),
    (r"digital", "数字接近"),
)


def matrix_name(name: str, lang: Lang) -> str:
    """Name of a matrix in the language of the picture; a name given by the user stays as it is."""
    if lang == "zh":
        for pattern, words in _NAMES:
            found = re.fullmatch(pattern, name)
            if found:
                return found.expand(words)
    return name


@contextmanager
def typeface(lang: Lang) -> Iterator[list[str]]:
    """Draw what is inside the block in a typeface that has the characters of the language.

    Yields the names of its families, none for the typeface of the user's own settings.
    """
    import matplotlib as mpl
    from matplotlib.font_manager import FontProperties, fontManager

    settings: Any = {}
    families: list[str] = []
    if lang == "zh":
        family = FontProperties(fname=str(_FONT)).get_name()
        if family not in fontManager.get_font_names():
            fontManager.addfont(str(_FONT))
        families = [family, "DejaVu Sans"]
        settings = {"font.family": families, "axes.unicode_minus": False}
    # Not rc_context: it resets every setting, also what the backend of a notebook sets up with its first figure
    # ("interactive"), after which pictures are no longer shown.
    before: Any = {key: mpl.rcParams[key] for key in settings}
    mpl.rcParams.update(settings)
    try:
        yield families
    finally:
        mpl.rcParams.update(before)
