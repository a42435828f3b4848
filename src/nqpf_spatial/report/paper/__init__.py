"""The tables of an empirical paper from one specification, in one document: `nqpf_spatial.paper`."""

from __future__ import annotations

from nqpf_spatial.report.paper.document import Paper, Piece
from nqpf_spatial.report.paper.sequence import paper

__all__ = ["Paper", "Piece", "paper"]
