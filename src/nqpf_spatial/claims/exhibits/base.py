"""What a module of exhibits says about its rule or claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from nqpf_spatial.claims.record import Multiverse, Verdict
from nqpf_spatial.report.words import word

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def alternative_zh(name: str) -> str:
    """Write a stated alternative before its shares of variants.

    Examples
    --------
    >>> alternative_zh("direct"), alternative_zh("")
    ('直接效应：', '')
    """
    return f"{word(name, 'zh')}效应：" if name else ""


def multiverse_zh(shares: Multiverse, name: Callable[[str], str] = alternative_zh) -> str:
    """Write the shares of the variants in Chinese ("" where no variant counts)."""
    if shares.same_share is None or shares.opposite_share is None:
        return ""
    return (
        f"{name(shares.alternative)}{shares.variants_counted} 个计入的变体中同向比例 {shares.same_share:.3f}，"
        f"显著反向 {shares.opposite_share:.3f}。"
    )


@dataclass(frozen=True, slots=True)
class Exhibit:
    """How a decided claim is shown.

    Attributes
    ----------
    draw : callable
        (verdict, "en" | "zh") -> figures by name.
    found_zh : callable
        Verdict -> the deciding figures in Chinese; the word and the shares of the variants are added around it.
    titles_zh : mapping
        Name of a table -> its title in Chinese.
    alternative_zh : callable
        Name of a stated alternative -> how it is written before its shares of variants.
    """

    draw: Callable[[Verdict, str], dict[str, Figure]]
    found_zh: Callable[[Verdict], str]
    titles_zh: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    alternative_zh: Callable[[str], str] = alternative_zh
