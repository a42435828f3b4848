"""Tables, figures, maps and self-contained HTML pages, in English and Chinese."""

from __future__ import annotations

from nqpf_spatial.fonts import chinese_font
from nqpf_spatial.report.compare import Comparison, compare
from nqpf_spatial.report.figures import effects, lines, png, shares, specification_curve
from nqpf_spatial.report.grid import Table
from nqpf_spatial.report.interop import as_statsmodels, register_maketables
from nqpf_spatial.report.maps import province_map
from nqpf_spatial.report.tables import table
from nqpf_spatial.report.words import label, word

__all__ = [
    "Comparison",
    "Table",
    "as_statsmodels",
    "chinese_font",
    "compare",
    "effects",
    "label",
    "lines",
    "png",
    "province_map",
    "register_maketables",
    "shares",
    "specification_curve",
    "table",
    "word",
]
