"""Figures, maps and self-contained HTML pages, in English and Chinese."""

from __future__ import annotations

from nqpf_spatial.fonts import chinese_font
from nqpf_spatial.report.figures import effects, lines, png, shares, specification_curve
from nqpf_spatial.report.maps import province_map
from nqpf_spatial.report.words import label, word

__all__ = ["chinese_font", "effects", "label", "lines", "png", "province_map", "shares", "specification_curve", "word"]
