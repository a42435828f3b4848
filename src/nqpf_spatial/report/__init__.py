"""Figures, maps and self-contained HTML pages, in English and Chinese."""

from __future__ import annotations

from nqpf_spatial.report.fonts import chinese_font

__all__ = ["chinese_font"]
